"""What the catalogue asks of the ledger, and which of its answers are final.

The ledger is always asked with a grant of our own sealing, for the wallet that the caller's grant named: so the first
attempt, a repeat and the healer take one path, and no grant expires while a purchase is on its way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from coalition.ledger.v1 import ledger_pb2 as pb
from coalition.ledger.v1 import ledger_pb2_grpc as rpc

from services.catalogue.api.wire import entry_name
from services.catalogue.domain.purchase import Entry, Purchase, Refund
from shared.clock import Clock
from shared.credentials.grants import Grant, GrantRing, Scope
from shared.ids import time_ordered
from shared.log import get_logger
from shared.refusal import Kind
from shared.rpc.channel import RemoteRefusal, call
from shared.rpc.remote import refusal_in
from shared.rpc.wire import date_pb, timestamp

log = get_logger()

_FINAL = frozenset({Kind.MALFORMED, Kind.NOT_THERE, Kind.NOT_NOW, Kind.ALREADY, Kind.OUTSIDE})
"""About the purchase itself, and nothing has happened. Every other answer passes, or leaves its fate open."""
_PASSING = ("GRANT_", "BUCKET_FROZEN")
"""Reasons that are about our grant, or about the ledger: a purchase that may have been posted before is still open."""


@dataclass(frozen=True, slots=True)
class Reversal:
    """What the ledger took back, and where it wrote that down."""

    entry: Entry
    recovered: int
    written_off: int


class Ledger:
    """The ledger, as far as the catalogue needs it."""

    def __init__(self, stub: rpc.LedgerServiceStub, grants: GrantRing, clock: Clock, grant_seconds: int) -> None:
        self._stub = stub
        self._grants = grants
        self._clock = clock
        self._grant_life = timedelta(seconds=grant_seconds)

    def award(self, purchases: Sequence[Purchase], timeout: float) -> list[Entry | RemoteRefusal | None]:
        """For each purchase its entry, the ledger's final refusal, or nothing while its fate is open."""
        try:
            answers = self._awarded(purchases, timeout)
        except RemoteRefusal as refusal:
            log.warning("ledger did not answer", reason=refusal.reason, items=len(purchases))
            return [None] * len(purchases)
        return [answer if isinstance(answer, Entry) or is_final(answer) else None for answer in answers]

    def reverse(self, purchase: Purchase, refund: Refund, timeout: float) -> Reversal:
        """Take back what a refund claws back. Raises RemoteRefusal."""
        request = pb.ReverseAwardRequest(
            request_id=str(refund.refund_id),
            entry=entry_name(purchase.partner, purchase.entry),
            lines=[pb.AwardLine(issuer=payer, points=points) for payer, points in sorted(refund.parts.items())],
            occurred_at=timestamp(refund.occurred_at),
        )
        entry = call(self._stub.ReverseAward, request, timeout=timeout)
        return Reversal(Entry(entry.bucket, entry.seq), entry.recovered_points, entry.written_off_points)

    def _awarded(self, purchases: Sequence[Purchase], timeout: float) -> list[Entry | RemoteRefusal]:
        now = self._clock.now()
        items = [self._wish(purchase, now) for purchase in purchases]
        answer = call(self._stub.BatchAwardPoints, pb.BatchAwardPointsRequest(items=items), timeout=timeout)
        return [
            Entry(result.entry.bucket, result.entry.seq) if result.HasField("entry") else refusal_in(result.refusal)
            for result in answer.results
        ]

    def _wish(self, purchase: Purchase, now: datetime) -> pb.AwardPointsRequest:
        receipt = purchase.receipt
        return pb.AwardPointsRequest(
            request_id=str(purchase.purchase_id),
            grant=self._sealed(purchase, now),
            lines=[pb.AwardLine(issuer=payer, points=points) for payer, points in sorted(purchase.parts.items())],
            receipt_ref=pb.ReceiptRef(
                store=receipt.store,
                terminal=receipt.terminal,
                business_date=date_pb(receipt.business_date),
                receipt_no=receipt.receipt_no,
            ),
            occurred_at=timestamp(receipt.occurred_at),
        )

    def _sealed(self, purchase: Purchase, now: datetime) -> str:
        return self._grants.seal(
            Grant(
                wallet_id=purchase.wallet_id,
                partner=purchase.partner,
                scope=Scope.AWARD,
                max_redeem_points=None,
                segments=(),
                issued_at=now,
                expires_at=now + self._grant_life,
                grant_id=time_ordered(now),
            )
        )


def is_final(refusal: RemoteRefusal) -> bool:
    """Whether the ledger has decided, and will answer a repeat of the same the same way as long as nothing changes."""
    return refusal.kind in _FINAL and not refusal.reason.startswith(_PASSING)
