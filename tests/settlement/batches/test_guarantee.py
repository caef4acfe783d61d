"""What somebody vouches for stands in the contract: it covers a default in its place, once, in the right currency."""

from __future__ import annotations

from typing import Any

import pytest

from services.settlement.api.terms import terms_of, version_of
from services.settlement.domain.terms import Cover, Terms, TermsContradict
from services.settlement.store.batches import defaulting, defaults, rows
from services.settlement.store.simulation import WhatIf
from tests.settlement.batches.test_simulation import asked
from tests.settlement.clerk import ANNA, Clerk, terms

ORDER = (Cover.GUARANTEE, Cover.COLLATERAL, Cover.OPERATOR)
Covers = dict[str, dict[Cover, int]]


def vouched(currency: str = "EUR", **more: object) -> Terms:
    """30.00 of collateral, 20.00 that somebody vouches for."""
    return terms(currency, collateral_minor=3_000, guarantee_minor=2_000, default_order=ORDER, **more)


def borne(clerk: Clerk, window: int, covers: Covers) -> dict[str, int]:
    """Who bears what when A does not pay what it owes in this window."""
    batch = clerk.release_batch(clerk.ready_batch(window))
    at = clerk.clock.now()
    declared = clerk.do(
        lambda connection: defaulting.propose(
            connection, rows.locked(connection, batch.name), "a", covers, "late", ANNA, at
        )
    )
    clerk.approve(declared.name)
    ((successor,),) = clerk.rows("SELECT max(number) FROM settlement.batches")
    document: Any = clerk.document(clerk.calculate(clerk.batch(f"batches/{successor}")))
    return {debtor: minor for debtor, creditor, _, _, minor in document["dues"] if creditor == "@default"}


@pytest.mark.parametrize(
    ("covers", "expected"),
    [
        ({}, {"@guarantee": 2_000, "@collateral": 3_000, "operator": 1_000}),
        ({"EUR": {Cover.GUARANTEE: 500}}, {"@guarantee": 500, "@collateral": 3_000, "operator": 2_500}),
        ({"EUR": {Cover.GUARANTEE: 0}}, {"@collateral": 3_000, "operator": 3_000}),
    ],
    ids=["as the contract says", "what it really brings in", "the guarantor does not pay"],
)
def test_a_guarantee_covers_in_its_place_what_it_really_brings_in(
    clerk: Clerk, covers: Covers, expected: dict[str, int]
) -> None:
    clerk.ready("a", "b")
    clerk.agrees("a", vouched())
    assert borne(clerk, clerk.window([("a", "b", 6_000)]), covers) == expected


def test_what_an_earlier_default_took_is_not_there_again(clerk: Clerk) -> None:
    clerk.ready("a", "b")
    clerk.agrees("a", vouched())
    assert borne(clerk, clerk.window([("a", "b", 4_500)]), {}) == {"@guarantee": 2_000, "@collateral": 2_500}
    left = clerk.do(lambda connection: defaults.covers_left(connection, "a", "EUR", vouched()))
    assert left == {Cover.COLLATERAL: 500, Cover.GUARANTEE: 0}


def test_covers_are_in_what_the_partner_is_paid_in_and_in_nothing_else() -> None:
    one = vouched(currency="USD", settlement_currency="EUR")
    assert one.covers_in("EUR") == {Cover.COLLATERAL: 3_000, Cover.GUARANTEE: 2_000}
    assert one.covers_in("USD") == {}


def test_what_if_the_largest_debtor_defaulted_counts_the_guarantee(clerk: Clerk) -> None:
    clerk.agrees("a", vouched())
    found = asked(clerk, clerk.window([("a", "b", 6_000)]), WhatIf(default_of_largest=1))
    assert [(one.share.cover, one.share.minor) for one in found.borne] == [
        (Cover.GUARANTEE, 2_000),
        (Cover.COLLATERAL, 3_000),
        (Cover.OPERATOR, 1_000),
    ]


def test_a_guarantee_without_a_place_in_the_order_is_no_terms() -> None:
    with pytest.raises(TermsContradict, match="default_order"):
        terms(guarantee_minor=1)


def test_over_the_wire_a_guarantee_has_its_place_by_itself() -> None:
    version = version_of(terms())
    version.guarantee_minor = 2_000
    del version.default_order[:]
    taken = terms_of(version)
    assert taken.default_order == (Cover.COLLATERAL, Cover.GUARANTEE, Cover.OPERATOR, Cover.SURVIVORS)
    assert terms_of(version_of(taken)) == taken
    assert "guarantee_minor" in taken.form
    assert "guarantee_minor" not in terms().form, "versions from before keep their hash"
