"""Versions follow one another without a gap, and the one in force at an instant prices what happened then."""

from __future__ import annotations

from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.settlement.domain.contract import ContractVersion, PriceBook, VersionId, next_version
from services.settlement.domain.refusals import ContractVersionOverlaps
from services.settlement.domain.terms import Rounding, Terms
from shared.money import UnknownCurrency
from tests.settlement.paper import book, day, terms


def versions(*starts: int) -> list[ContractVersion]:
    found: list[ContractVersion] = []
    for start in starts:
        found.append(next_version("acorn", found, terms(since=start)))
    return found


def test_a_version_is_valid_from_its_first_instant_until_the_next_ones() -> None:
    prices = PriceBook(versions(day(0), day(10)))
    assert prices.in_force("acorn", day(0) - 1) is None
    assert prices.in_force("acorn", day(0)) == VersionId("acorn", 1)
    assert prices.in_force("acorn", day(10) - 1) == VersionId("acorn", 1)
    assert prices.in_force("acorn", day(10)) == VersionId("acorn", 2)
    assert prices.in_force("acorn", 2**62) == VersionId("acorn", 2)
    assert prices.in_force("birch", day(5)) is None


@given(st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=10, unique=True).map(sorted), st.integers())
def test_at_any_instant_at_most_one_version_is_in_force(starts: list[int], at: int) -> None:
    covering = [
        number
        for number, (start, until) in enumerate(pairwise([*starts, 2**70]), start=1)
        if start <= min(at, 2**70 - 1) < until
    ]
    in_force = PriceBook(versions(*starts)).in_force("acorn", at)
    assert [in_force.number if in_force else 0] == (covering or [0])


@pytest.mark.parametrize("start", [0, 9, 10])
def test_a_version_may_only_begin_after_the_newest_began(start: int) -> None:
    with pytest.raises(ContractVersionOverlaps):
        next_version("acorn", versions(day(0), day(10)), terms(since=day(start)))


def test_the_participants_are_those_whose_terms_began() -> None:
    prices = book(birch=terms(since=day(5)), acorn=terms(since=day(0)))
    assert prices.partners(before=day(5)) == ["acorn"]
    assert prices.partners(before=day(5) + 1) == ["acorn", "birch"]


def test_the_hash_of_a_version_is_that_of_its_terms_and_place() -> None:
    one = ContractVersion(VersionId("acorn", 1), terms("0.0120", since=day(0)))
    assert one.sha256 == ContractVersion(VersionId("acorn", 1), terms("0.012", since=day(0))).sha256
    others = [
        ContractVersion(VersionId("acorn", 2), one.terms),
        ContractVersion(VersionId("birch", 1), one.terms),
        ContractVersion(VersionId("acorn", 1), terms("0.0121", since=day(0))),
        ContractVersion(VersionId("acorn", 1), terms(reimbursement="0.0091", since=day(0))),
        ContractVersion(VersionId("acorn", 1), terms(since=day(0) + 1)),
        ContractVersion(VersionId("acorn", 1), terms(since=day(0), currency="USD")),
        ContractVersion(VersionId("acorn", 1), terms(since=day(0), rounding=Rounding.CUMULATIVE_HALF_UP)),
    ]
    assert len({one.sha256, *(other.sha256 for other in others)}) == len(others) + 1
    golden = (
        b'{"currency":"EUR","effective_from":1772323200000000,"number":1,"partner":"acorn","rate_at_issuance":"0.012",'
        b'"reimbursement_rate":"0.009","rounding":"CUMULATIVE_HALF_EVEN","timing":"AT_ISSUANCE","v":1}'
    )
    assert one.sha256 == sha256(golden).digest()


def test_terms_in_no_currency_cannot_be_said() -> None:
    with pytest.raises(UnknownCurrency):
        terms(currency="XXX")
    assert isinstance(terms(), Terms)
