"""What the clients of a crash run ask for: a row for each verb, and how to make a request that may be refused.

To add a verb: a function that fills a request and says what the journal must show of it, and a row in VERBS.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias
from uuid import UUID

from coalition.ledger.v1 import ledger_pb2 as pb
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.type.date_pb2 import Date

from shared.clock import SystemClock
from shared.rpc.wire import timestamp
from tests.faults.record import Asked
from tests.faults.shop import CATALOGUE, OPERATOR, OWN, PARTNERS, SECOND, Made, Memory, Shop

Request: TypeAlias = (
    pb.AwardPointsRequest
    | pb.HoldPointsRequest
    | pb.CaptureHoldRequest
    | pb.ReleaseHoldRequest
    | pb.RedeemPointsRequest
    | pb.ReverseAwardRequest
    | pb.RefundRedemptionRequest
    | pb.ExtendHoldRequest
    | pb.ReleasePendingRequest
    | pb.TransferPointsRequest
    | pb.MergeWalletsRequest
    | pb.ProposeAdjustmentRequest
)


@dataclass(frozen=True)
class Wish:
    """A request without its id, and what it must become."""

    request: Request
    asked: Asked


def _award(shop: Shop) -> Wish:
    wallet, points = shop.wallet(), shop.luck.randint(10, 100)
    request = pb.AwardPointsRequest(grant=shop.grant(wallet), lines=[pb.AwardLine(points=points)])
    receipt = None
    if shop.luck.random() < 0.5:
        request.receipt_ref.CopyFrom(_receipt(shop))
        receipt = _as_hashed(request.receipt_ref)
    asked = Asked("AWARD", str(wallet), points, receipt=receipt, issuers={shop.partner: points})
    return Wish(request, asked)


def _award_pending(shop: Shop) -> Wish:
    """Some for soon, some for never: only `release pending` clears those."""
    wallet, points = shop.wallet(), shop.luck.randint(10, 100)
    available_from = timestamp(SystemClock().now() + timedelta(seconds=shop.luck.choice([1, 3, 3600])))
    lines = [pb.AwardLine(points=points, available_from=available_from)]
    request = pb.AwardPointsRequest(grant=shop.grant(wallet), lines=lines)
    return Wish(request, Asked("AWARD", str(wallet), points, issuers={shop.partner: points}))


def _release_pending(shop: Shop) -> Wish | None:
    if (award := shop.pick(shop.memory.pending)) is None:
        return None
    return Wish(pb.ReleasePendingRequest(entry=award.name), Asked("PENDING_RELEASE", award.wallet, None, award.place))


def _transfer(shop: Shop) -> Wish:
    wallet, to, points = shop.wallet(), shop.wallet(), shop.luck.randint(1, 60)
    request = pb.TransferPointsRequest(from_grant=shop.grant(wallet), to_grant=shop.grant(to), points=points)
    return Wish(request, Asked("TRANSFER_OUT", str(wallet), points, to=str(to)))


def _merge(shop: Shop) -> Wish:
    """One of the last tenth of the wallets goes into one of the others; some of them twice."""
    first = len(shop.wallets) * 9 // 10
    wallet, to = shop.luck.choice(shop.wallets[first:]), shop.luck.choice(shop.wallets[:first])
    request = pb.MergeWalletsRequest(from_grant=shop.grant(wallet, OPERATOR), to_grant=shop.grant(to, OPERATOR))
    return Wish(request, Asked("MERGE_OUT", str(wallet), to=str(to)))


def _adjust(shop: Shop) -> Wish:
    wallet, points = shop.wallet(), shop.luck.randint(1, 50)
    request = pb.ProposeAdjustmentRequest(
        grant=shop.grant(wallet, OPERATOR),
        issuer=shop.luck.choice(PARTNERS),
        points=points,
        taking=shop.luck.random() < 0.5,
        reason="GOODWILL",
    )
    return Wish(request, Asked("ADJUSTMENT", str(wallet), points, issuer=request.issuer))


def _approved(adjustment: pb.Adjustment) -> pb.DecideAdjustmentRequest:
    return pb.DecideAdjustmentRequest(name=adjustment.name, approve=True)


def _receipt(shop: Shop) -> pb.ReceiptRef:
    """Mostly a new one; sometimes one that was sent before, for whatever wallet."""
    receipts = shop.memory.receipts
    if receipts and shop.luck.random() < 0.1:
        terminal, number = shop.luck.choice(receipts)
    else:
        terminal, number = f"T{shop.luck.randint(1, 9)}", str(UUID(int=shop.luck.getrandbits(128), version=4))
        receipts.append((terminal, number))
    day = Date(year=2026, month=1, day=15)
    return pb.ReceiptRef(store="S1", terminal=terminal, business_date=day, receipt_no=number)


def _as_hashed(receipt: pb.ReceiptRef) -> str:
    day = receipt.business_date
    form = {
        "business_date": f"{day.year:04}-{day.month:02}-{day.day:02}",
        "receipt_no": receipt.receipt_no,
        "store": receipt.store,
        "terminal": receipt.terminal,
    }
    return json.dumps(form, sort_keys=True)


def _award_for_several(shop: Shop) -> Wish:
    wallet = shop.wallet()
    issuers = {partner: shop.luck.randint(1, 40) for partner in shop.luck.sample(PARTNERS, 2)}
    lines = [pb.AwardLine(issuer=issuer, points=points) for issuer, points in issuers.items()]
    request = pb.AwardPointsRequest(grant=shop.grant(wallet), lines=lines)
    return Wish(request, Asked("AWARD", str(wallet), sum(issuers.values()), issuers=issuers))


def _hold(shop: Shop) -> Wish:
    wallet, points = shop.wallet(), shop.luck.randint(1, 150)
    life = Duration(seconds=1 if shop.luck.random() < 0.2 else 600)
    request = pb.HoldPointsRequest(grant=shop.grant(wallet), points=points, ttl=life)
    return Wish(request, Asked("HOLD", str(wallet), points))


def _redeem(shop: Shop) -> Wish:
    wallet, points = shop.wallet(), shop.luck.randint(1, 200)
    request = pb.RedeemPointsRequest(grant=shop.grant(wallet), points=points)
    return Wish(request, Asked("REDEMPTION", str(wallet), points))


def _capture(shop: Shop) -> Wish | None:
    if (hold := shop.pick(shop.memory.holds)) is None:
        return None
    points = shop.luck.choice([None, shop.luck.randint(1, hold.points + 2)])
    request = pb.CaptureHoldRequest(name=hold.name, points=points, keep_open=shop.luck.random() < 0.4)
    return Wish(request, Asked("CAPTURE", hold.wallet, points, hold.place))


def _release(shop: Shop) -> Wish | None:
    if (hold := shop.pick(shop.memory.holds)) is None:
        return None
    points = shop.luck.choice([None, shop.luck.randint(1, hold.points)])
    request = pb.ReleaseHoldRequest(name=hold.name, points=points)
    return Wish(request, Asked("RELEASE", hold.wallet, points, hold.place))


def _extend(shop: Shop) -> Wish | None:
    if (hold := shop.pick(shop.memory.holds)) is None:
        return None
    request = pb.ExtendHoldRequest(name=hold.name, ttl=Duration(seconds=shop.luck.choice([2, 900])))
    return Wish(request, Asked("EXTENSION", hold.wallet, None, hold.place))


def _reverse(shop: Shop) -> Wish | None:
    if (award := shop.pick(shop.memory.awards)) is None:
        return None
    points = shop.luck.choice([None, shop.luck.randint(1, award.points)])
    lines = [pb.AwardLine(points=points)] if points else []
    request = pb.ReverseAwardRequest(entry=award.name, lines=lines)
    return Wish(request, Asked("REVERSAL", award.wallet, points, award.place))


def _refund(shop: Shop) -> Wish | None:
    if (spent := shop.pick(shop.memory.spent)) is None:
        return None
    points = shop.luck.choice([None, shop.luck.randint(1, spent.points)])
    request = pb.RefundRedemptionRequest(entry=spent.name, points=points)
    return Wish(request, Asked("REFUND", spent.wallet, points, spent.place))


@dataclass(frozen=True)
class Verb:
    """`weight`: how often it is chosen. `method`: of the stub of the `caller`.

    `then`: another caller's method and request that follow from the answer; the last answer counts.
    """

    name: str
    weight: int
    method: str
    wish: Callable[[Shop], Wish | None]
    caller: str = OWN
    then: tuple[str, str, Callable[..., Message]] | None = None


VERBS = (
    Verb("award", 20, "AwardPoints", _award),
    Verb("award for several", 4, "AwardPoints", _award_for_several, caller=CATALOGUE),
    Verb("award pending", 4, "AwardPoints", _award_pending),
    Verb("release pending", 2, "ReleasePending", _release_pending),
    Verb("hold", 12, "HoldPoints", _hold),
    Verb("capture", 8, "CaptureHold", _capture),
    Verb("release", 4, "ReleaseHold", _release),
    Verb("extend", 3, "ExtendHold", _extend),
    Verb("redeem", 12, "RedeemPoints", _redeem),
    Verb("reverse", 6, "ReverseAward", _reverse),
    Verb("refund", 5, "RefundRedemption", _refund),
    Verb("transfer", 6, "TransferPoints", _transfer),
    Verb("merge", 1, "MergeWallets", _merge, caller=OPERATOR),
    Verb("adjust", 3, "ProposeAdjustment", _adjust, OPERATOR, (SECOND, "DecideAdjustment", _approved)),
)


def remember(memory: Memory, verb: str, made: Made) -> None:
    """Keep what later verbs may name."""
    match verb:
        case "award" | "award for several":
            memory.awards.append(made)
        case "award pending":
            memory.awards.append(made)
            memory.pending.append(made)
        case "hold":
            memory.holds.append(made)
        case "redeem" | "capture":
            memory.spent.append(made)
