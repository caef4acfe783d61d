"""Two requests are the same when they mean the same: what the hash of a request covers."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from hashlib import sha256
from uuid import UUID

import pytest

from services.ledger.domain.entry import Counterpart, ReceiptRef, Unit
from services.ledger.domain.wish import (
    AdjustWish,
    AwardWish,
    CaptureWish,
    ClearWish,
    ExpireHoldWish,
    ExpireLotsWish,
    ExtendWish,
    HoldWish,
    Line,
    MergeWish,
    RedeemWish,
    RefundWish,
    ReleasePendingWish,
    ReleaseWish,
    ReverseWish,
    TendWish,
    TransferWish,
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
EXTEND = ExtendWish(bucket=1, partner="a", request_id=ID, original=3, ttl=60)
READY = ReleasePendingWish(bucket=1, partner="a", request_id=ID, original=3)
TRANSFER = TransferWish(bucket=1, partner="a", request_id=ID, wallet=WALLET, to=Counterpart(2, UUID(int=4)), points=5)
MERGE = MergeWish(bucket=1, partner="a", request_id=ID, wallet=WALLET, to=Counterpart(2, UUID(int=4)))
ADJUST = AdjustWish(
    bucket=1,
    partner="operator",
    request_id=ID,
    wallet=WALLET,
    issuer="a",
    points=5,
    taking=False,
    reason="GOODWILL",
    proposed_by="users/one",
    approved_by="users/two",
)
CLOCK: list[Wish] = [
    TendWish(bucket=1, partner="operator", request_id=ID, wallet=WALLET),
    ClearWish(bucket=1, partner="operator", request_id=ID, wallet=WALLET),
    ExpireLotsWish(bucket=1, partner="operator", request_id=ID, wallet=WALLET),
    ExpireHoldWish(bucket=1, partner="operator", request_id=ID, original=3),
]
WISHES: list[Wish] = [
    *(AWARD, HOLD, REDEEM, CAPTURE, RELEASE, REVERSE, REFUND),
    *(EXTEND, READY, TRANSFER, MERGE, ADJUST),
    *CLOCK,
]


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
    "award: unit": (AWARD, replace(AWARD, lines=(Line("a", 5, unit=Unit.STAMPS),))),
    "award: pending": (AWARD, replace(AWARD, lines=(Line("a", 5, available_from=1),))),
    "award: campaign": (AWARD, replace(AWARD, lines=(Line("a", 5, campaign="spring"),))),
    "hold: unit": (HOLD, replace(HOLD, unit=Unit.STAMPS)),
    "hold: the receipt's worth": (HOLD, replace(HOLD, receipt_points=9)),
    "hold: wallet": (HOLD, replace(HOLD, wallet=UUID(int=3))),
    "hold: partner": (HOLD, replace(HOLD, partner="b")),
    "hold: time": (HOLD, replace(HOLD, occurred_at=1)),
    "redeem: unit": (REDEEM, replace(REDEEM, unit=Unit.STAMPS)),
    "redeem: the receipt's worth": (REDEEM, replace(REDEEM, receipt_points=9)),
    "redeem: wallet": (REDEEM, replace(REDEEM, wallet=UUID(int=3))),
    "redeem: partner": (REDEEM, replace(REDEEM, partner="b")),
    "redeem: time": (REDEEM, replace(REDEEM, occurred_at=1)),
    "capture: the rest stays": (CAPTURE, replace(CAPTURE, keep_open=True)),
    "capture: partner": (CAPTURE, replace(CAPTURE, partner="b")),
    "capture: receipt": (CAPTURE, replace(CAPTURE, receipt=RECEIPT)),
    "capture: time": (CAPTURE, replace(CAPTURE, occurred_at=1)),
    "release: a part": (RELEASE, replace(RELEASE, points=2)),
    "release: partner": (RELEASE, replace(RELEASE, partner="b")),
    "release: time": (RELEASE, replace(RELEASE, occurred_at=1)),
    "reverse: unit": (
        replace(REVERSE, lines=(Line("a", 5),)),
        replace(REVERSE, lines=(Line("a", 5, unit=Unit.STAMPS),)),
    ),
    "reverse: points": (replace(REVERSE, lines=(Line("a", 5),)), replace(REVERSE, lines=(Line("a", 6),))),
    "reverse: issuer": (replace(REVERSE, lines=(Line("a", 5),)), replace(REVERSE, lines=(Line("b", 5),))),
    "reverse: award": (REVERSE, replace(REVERSE, original=4)),
    "reverse: partner": (REVERSE, replace(REVERSE, partner="b")),
    "refund: redemption": (REFUND, replace(REFUND, original=4)),
    "refund: partner": (REFUND, replace(REFUND, partner="b")),
    "extend: time to live": (EXTEND, replace(EXTEND, ttl=61)),
    "extend: hold": (EXTEND, replace(EXTEND, original=4)),
    "extend: partner": (EXTEND, replace(EXTEND, partner="b")),
    "release pending: award": (READY, replace(READY, original=4)),
    "release pending: partner": (READY, replace(READY, partner="b")),
    "transfer: points": (TRANSFER, replace(TRANSFER, points=6)),
    "transfer: unit": (TRANSFER, replace(TRANSFER, unit=Unit.STAMPS)),
    "transfer: from": (TRANSFER, replace(TRANSFER, wallet=UUID(int=3))),
    "transfer: to": (TRANSFER, replace(TRANSFER, to=Counterpart(2, UUID(int=5)))),
    "transfer: partner": (TRANSFER, replace(TRANSFER, partner="b")),
    "merge: from": (MERGE, replace(MERGE, wallet=UUID(int=3))),
    "merge: to": (MERGE, replace(MERGE, to=Counterpart(2, UUID(int=5)))),
    "adjust: wallet": (ADJUST, replace(ADJUST, wallet=UUID(int=3))),
    "adjust: issuer": (ADJUST, replace(ADJUST, issuer="b")),
    "adjust: points": (ADJUST, replace(ADJUST, points=6)),
    "adjust: direction": (ADJUST, replace(ADJUST, taking=True)),
    "adjust: unit": (ADJUST, replace(ADJUST, unit=Unit.STAMPS)),
    "adjust: reason": (ADJUST, replace(ADJUST, reason="CORRECTION")),
    "adjust: proposer": (ADJUST, replace(ADJUST, proposed_by="users/three")),
    "adjust: expiry": (ADJUST, replace(ADJUST, expires_on=date(2027, 1, 1))),
}


@pytest.mark.parametrize("case", OTHER)
def test_another_meaning_has_another_hash(case: str) -> None:
    one, other = OTHER[case]
    assert one.request_hash != other.request_hash


def test_store_and_terminal_cannot_be_shifted_into_each_other() -> None:
    one, other = replace(HOLD, store="S", terminal="1T"), replace(HOLD, store="S1", terminal="T")
    assert one.request_hash != other.request_hash


def test_a_dry_run_means_the_same_as_the_real_one() -> None:
    for wish in WISHES:
        assert replace(wish, dry=True).request_hash == wish.request_hash


def test_what_a_plain_request_means_never_changes() -> None:
    """Hashes of the first release are in the journal: a repeat of then has to find its entry."""
    assert AWARD.meaning() == [str(WALLET), "a", [["a", 5, None]], ["S1", "T1", "2026-05-04", "1001"], None]
    assert HOLD.meaning() == [str(WALLET), "a", 5, 60, None, None, None]
    assert REDEEM.meaning() == [str(WALLET), "a", 5, None, None]
    assert CAPTURE.meaning() == [3, "a", 5, None, None]
    assert RELEASE.meaning() == [3, "a", None]
    assert replace(REVERSE, lines=(Line("a", 5),)).meaning() == [3, "a", [["a", 5]], None]
    assert REFUND.meaning() == [3, "a", 5, None]
    assert REFUND.request_hash == sha256(b'["RefundWish",3,"a",5,null]').digest()


def test_what_is_rare_is_named() -> None:
    line = Line("a", 5, unit=Unit.STAMPS, available_from=7, campaign="spring")
    rare = {"unit": "STAMPS", "available_from": 7, "campaign": "spring"}
    assert replace(AWARD, lines=(line,), receipt=None).meaning()[2] == [["a", 5, None, rare]]
    assert replace(REVERSE, lines=(line,)).meaning()[2] == [["a", 5, rare]]
    assert replace(HOLD, unit=Unit.STAMPS, receipt_points=9).meaning()[-1] == {"unit": "STAMPS", "receipt_points": 9}
    assert replace(CAPTURE, keep_open=True).meaning()[-1] == {"keep_open": True}
    assert replace(RELEASE, points=2).meaning()[-1] == {"points": 2}
    assert [wish.meaning() for wish in CLOCK] == [[str(WALLET)], [str(WALLET)], [str(WALLET)], [3]]
