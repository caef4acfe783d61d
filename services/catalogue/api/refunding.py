"""Refunding purchases: lock, take the difference, tell the ledger, write down what it said.

The refunds of a purchase follow each other: one that has not reached the ledger is finished before the next is worked
out. So whatever the ledger refuses is always the last, and taking it out leaves the purchase as it was before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from services.catalogue.api.ledger import Ledger, is_final
from services.catalogue.api.patience import Patience
from services.catalogue.api.recording import Recorder, pending
from services.catalogue.api.rulebook import RuleBook
from services.catalogue.domain.meaning import meaning_of_refund
from services.catalogue.domain.purchase import Purchase, Refund, Standing, purchase_name
from services.catalogue.domain.refusals import PurchaseNotFound, RequestIdReused
from services.catalogue.domain.returns import Returned, clawback
from services.catalogue.domain.rules import EarnRules
from services.catalogue.store import purchases, refunds
from shared.db.errors import Contention
from shared.db.sessions import Sessions
from shared.ids import derived
from shared.log import get_logger
from shared.refusal import Refusal
from shared.rpc.channel import RemoteRefusal

log = get_logger()

_SHARE_OF_LEDGER = 0.8
_LEAST_TO_WRITE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class RefundWish:
    """What a partner asks for. The lines are read once the purchase says which currency they are in."""

    partner: str
    purchase_id: UUID
    request_id: UUID
    returns: Callable[[str], tuple[Returned, ...]]
    given_at: datetime | None
    now: datetime

    @property
    def refund_id(self) -> UUID:
        """The refund is named after its request."""
        return derived("refund", self.partner, str(self.request_id))


@dataclass(frozen=True, slots=True)
class Refunded:
    """A refund that stands, and whether it did before."""

    refund: Refund
    replay: bool


class Refunder:
    """Takes goods back."""

    def __init__(self, sessions: Sessions, ledger: Ledger, recorder: Recorder, rulebook: RuleBook) -> None:
        self._sessions = sessions
        self._ledger = ledger
        self._recorder = recorder
        self._rulebook = rulebook

    def refund(self, wish: RefundWish, left: Patience) -> Refunded:
        """The refund, new or found again. Whatever stands before it is finished first, then we look again.

        Each look either ends or has brought somebody's refund to the ledger; so it is the time that ends it.
        """
        while left() > 0:
            purchase = self._posted(wish, left)
            rules = self._rulebook.version(wish.partner, purchase.rules_version, left)
            with self._sessions.writing(left()) as connection:
                found = _begun(connection, wish, rules)
            if found is None:
                continue
            if found.refund.standing is Standing.POSTED:
                return found
            finished = self.finish(purchase, found.refund, left)
            if finished.refund_id == wish.refund_id:
                return Refunded(finished, found.replay)
        raise Contention

    def finish(self, purchase: Purchase, refund: Refund, left: Patience) -> Refund:
        """Bring a refund to the ledger. Raises the ledger's final refusal, or PostingPending."""
        try:
            reversal = self._ledger.reverse(purchase, refund, left() * _SHARE_OF_LEDGER)
        except RemoteRefusal as refusal:
            log.info("ledger refused a refund", purchase=purchase.name, reason=refusal.reason)
            if not is_final(refusal):
                raise pending(refund.name) from refusal
            with self._sessions.writing(max(left(), _LEAST_TO_WRITE_SECONDS)) as connection:
                refunds.take_out(connection, refund)
            raise
        done = replace(
            refund,
            standing=Standing.POSTED,
            entry=reversal.entry,
            recovered=reversal.recovered,
            written_off=reversal.written_off,
        )
        try:
            with self._sessions.writing(max(left(), _LEAST_TO_WRITE_SECONDS)) as connection:
                refunds.mark_posted(connection, done)
        except Refusal as trouble:
            raise pending(refund.name) from trouble
        return done

    def _posted(self, wish: RefundWish, left: Patience) -> Purchase:
        """The purchase, brought to the ledger first if it is not there yet."""
        name = purchase_name(wish.partner, wish.purchase_id)
        with self._sessions.reading(left()) as connection:
            purchase = purchases.find(connection, wish.partner, wish.purchase_id)
        if purchase is None:
            raise PurchaseNotFound(purchase=name)
        if purchase.standing is Standing.POSTED:
            return purchase
        answer = self._recorder.finish([purchase], left).get(wish.purchase_id, pending(name))
        if isinstance(answer, Refusal):
            raise answer
        return answer


def _begun(connection: Connection, wish: RefundWish, rules: EarnRules) -> Refunded | None:
    """Under the lock of the purchase: the refund that was there already, one that must end before, or the new one.

    None when the request wrote another refund meanwhile, under another purchase's lock.
    """
    purchase = purchases.find(connection, wish.partner, wish.purchase_id, lock=True)
    if purchase is None:
        raise PurchaseNotFound(purchase=purchase_name(wish.partner, wish.purchase_id))
    returns = wish.returns(rules.currency)
    meaning = meaning_of_refund(wish.partner, wish.purchase_id, returns, wish.given_at)
    before = refunds.find(connection, wish.refund_id)
    if before and before.request_hash != meaning:
        raise RequestIdReused(request_id=wish.request_id, first=before.name)
    if before:
        return Refunded(before, replay=True)
    others = refunds.of_purchase(connection, wish.purchase_id)
    for other in others:
        if other.standing is Standing.RATED:
            return Refunded(other, replay=False)
    kept = purchase.kept(others)
    taken = clawback(kept, returns, rules)
    if isinstance(taken, Refusal):
        raise taken
    refund = Refund(
        refund_id=wish.refund_id,
        partner=wish.partner,
        request_id=wish.request_id,
        request_hash=meaning,
        purchase_id=wish.purchase_id,
        occurred_at=wish.given_at or wish.now,
        created_at=wish.now,
        amounts=taken.amounts,
        parts=taken.parts,
        points=taken.points,
        remaining=kept.points - taken.points,
        standing=Standing.RATED if taken.points else Standing.POSTED,
    )
    return Refunded(refund, replay=False) if refunds.add(connection, refund) else None
