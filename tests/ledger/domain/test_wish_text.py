"""Every wish survives its journey to another process, whatever its fields."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ledger.domain.entry import ReceiptRef
from services.ledger.domain.wish import AwardWish, Line, RedeemWish, Wish
from services.ledger.domain.wish_text import NotAWish, _kinds, read, spelled
from tests.ledger.domain.entries import entries, texts

KINDS = sorted((kind for kind in _kinds().values() if "meaning" in vars(kind) and kind is not Wish), key=str)
AWARD = AwardWish(bucket=1, partner="grocer", request_id=UUID(int=7), wallet=UUID(int=9), lines=(Line("grocer", 5),))


def wishes() -> st.SearchStrategy[Wish]:
    st.register_type_strategy(str, texts())
    known = {"out": entries()}

    def of(kind: type[Wish]) -> st.SearchStrategy[Wish]:
        return st.builds(kind, **{f.name: known[f.name] for f in fields(kind) if f.name in known})

    return st.sampled_from(KINDS).flatmap(of)


@given(wish=wishes())
def test_what_is_spelled_is_read_as_the_same_wish(wish: Wish) -> None:
    again = read(spelled(wish))
    assert again == wish
    assert type(again) is type(wish)
    assert again.request_hash == wish.request_hash


def test_what_has_its_default_is_left_out_so_that_an_older_process_understands() -> None:
    assert b"dry" not in spelled(AWARD)
    assert b"dry" in spelled(replace(AWARD, dry=True))
    assert b"unit" not in spelled(AWARD)


def test_it_is_short() -> None:
    assert len(spelled(AWARD)) < 200


def test_a_receipt_keeps_its_blanks_and_signs() -> None:
    receipt = ReceiptRef("S 1", "Kasse „2“", date(2026, 2, 28), "\u00e9-1/7")
    wish = RedeemWish(
        bucket=1, partner="p", request_id=UUID(int=1), wallet=UUID(int=2), points=2**63 - 1, receipt=receipt
    )
    assert read(spelled(wish)) == wish


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"null",
        b"[]",
        b'["AwardWish"]',
        b'["AwardWish",{}]',
        b'["Wish",{"bucket":1}]',
        b'["SystemExit",{}]',
        b'["AwardWish",null]',
        b"\xff\xfe",
        spelled(AWARD).replace(b'"bucket":1', b'"bucket":true'),
        spelled(AWARD).replace(b'"bucket":1', b'"bucket":"1"'),
        spelled(AWARD).replace(b'"bucket":1', b'"bucket":1,"colour":"red"'),
        spelled(AWARD).replace(b"grocer", b"grocer\xff"),
    ],
)
def test_what_is_no_wish_is_refused_as_such(text: bytes) -> None:
    with pytest.raises(NotAWish):
        read(text)
