"""Two requests are the same when they mean the same: what the hash of a request covers."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from services.ledger.domain.entry import ReceiptRef
from services.ledger.domain.wish import (
    AwardWish,
    CaptureWish,
    HoldWish,
    Line,
    RedeemWish,
    RefundWish,
    ReleaseWish,
    ReverseWish,
    Wish,
)

WALLET, ID = UUID(int=1), UUID(int=2)
RECEIPT = ReceiptRef("S1", "T1", date(2026, 5, 4), "1001")

AWARD = AwardWish(bucket=1, partner="a", request_id=ID, wallet=WALLET, lines=(Line("a", 5),), receipt=RECEIPT)
HOLD = HoldWish(bucket=1, partner="a", request_id=ID, wallet=WALLET, points=5, ttl=60)
REDEEM = RedeemWish(bucket=1, partner="a", request_id=ID, wallet=WALLET, points=5)
CAPTURE = CaptureWish(bucket=1, partner="a", request_id=ID, original=3, points=5)
RELEASE = ReleaseWish(bucket=1, partner="a", request_id=ID, original=3)
REVERSE = ReverseWish(bucket=1, partner="a", request_id=ID, original=3)
REFUND = RefundWish(bucket=1, partner="a", request_id=ID, original=3, points=5)
WISHES: list[Wish] = [AWARD, HOLD, REDEEM, CAPTURE, RELEASE, REVERSE, REFUND]


def test_the_same_meaning_has_the_same_hash_whatever_the_request_id() -> None:
    for wish in WISHES:
        assert replace(wish, request_id=UUID(int=9)).request_hash == wish.request_hash


def test_no_two_verbs_mean_the_same() -> None:
    assert len({wish.request_hash for wish in WISHES}) == len(WISHES)


OTHER: dict[str, tuple[Wish, Wish]] = {
    "award: partner": (AWARD, replace(AWARD, partner="b")),
    "award: wallet": (AWARD, replace(AWARD, wallet=UUID(int=3))),
    "award: points": (AWARD, replace(AWARD, lines=(Line("a", 6),))),
    "award: issuer": (AWARD, replace(AWARD, lines=(Line("b", 5),))),
    "award: expiry": (AWARD, replace(AWARD, lines=(Line("a", 5, date(2027, 1, 1)),))),
    "award: no receipt": (AWARD, replace(AWARD, receipt=None)),
    "award: receipt": (AWARD, replace(AWARD, receipt=RECEIPT._replace(terminal="T2"))),
    "award: time": (AWARD, replace(AWARD, occurred_at=1)),
    "hold: points": (HOLD, replace(HOLD, points=6)),
    "hold: time to live": (HOLD, replace(HOLD, ttl=61)),
    "hold: store": (HOLD, replace(HOLD, store="S1")),
    "hold: terminal": (HOLD, replace(HOLD, terminal="T1")),
    "redeem: points": (REDEEM, replace(REDEEM, points=6)),
    "redeem: receipt": (REDEEM, replace(REDEEM, receipt=RECEIPT)),
    "capture: hold": (CAPTURE, replace(CAPTURE, original=4)),
    "capture: all of it": (CAPTURE, replace(CAPTURE, points=None)),
    "release: hold": (RELEASE, replace(RELEASE, original=4)),
    "reverse: lines": (REVERSE, replace(REVERSE, lines=(Line("a", 5),))),
    "refund: points": (REFUND, replace(REFUND, points=4)),
    "refund: time": (REFUND, replace(REFUND, occurred_at=1)),
}


@pytest.mark.parametrize("case", OTHER)
def test_another_meaning_has_another_hash(case: str) -> None:
    one, other = OTHER[case]
    assert one.request_hash != other.request_hash


def test_store_and_terminal_cannot_be_shifted_into_each_other() -> None:
    one, other = replace(HOLD, store="S", terminal="1T"), replace(HOLD, store="S1", terminal="T")
    assert one.request_hash != other.request_hash
