"""Recording purchases: keep them, tell the ledger, write down what it said.

Two transactions with the ledger's between them. A crash anywhere leaves either nothing or a purchase that is RATED,
and whoever comes next, a repeat of the request or the healer, asks the ledger again under the same id: it is posted
once. What the ledger refuses for good is taken out again, as if it had never been asked; so a repeat meets the same
refusal as long as its reason lasts.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection

from services.catalogue.api.ledger import Ledger
from services.catalogue.api.patience import Patience
from services.catalogue.domain.purchase import Entry, Purchase, Standing, purchase_name
from services.catalogue.domain.refusals import PostingPending, ReceiptAlreadyUsed, RequestIdReused
from services.catalogue.store import purchases as table
from shared.db.errors import Contention
from shared.db.sessions import Sessions
from shared.log import get_logger
from shared.refusal import Refusal

log = get_logger()

_SHARE_OF_LEDGER = 0.8
"""Of the time that is left; the rest is for writing down what it said."""
_LEAST_TO_WRITE_SECONDS = 1.0
_RETRY_MS = 500


@dataclass(frozen=True, slots=True)
class Recorded:
    """A purchase that stands, and whether it did before."""

    purchase: Purchase
    replay: bool


Outcome = Recorded | Refusal


class Recorder:
    """Turns rated purchases into recorded ones, any number at once."""

    def __init__(self, sessions: Sessions, ledger: Ledger) -> None:
        self._sessions = sessions
        self._ledger = ledger

    def record(self, wishes: Sequence[Purchase], left: Patience) -> list[Outcome]:
        """What became of each. All wishes are of one partner."""
        with self._sessions.writing(left()) as connection:
            kept = _keep(connection, wishes)
        owed = {
            outcome.purchase.purchase_id: outcome.purchase
            for outcome in kept
            if isinstance(outcome, Recorded) and outcome.purchase.standing is Standing.RATED
        }
        finished = self.finish(list(owed.values()), left)
        return [_after(outcome, finished) for outcome in kept]

    def finish(self, owed: Sequence[Purchase], left: Patience) -> dict[UUID, Purchase | Refusal]:
        """Bring purchases to the ledger. Those whose fate stays open are still RATED and have no answer."""
        if not owed:
            return {}
        answers = self._ledger.award(owed, left() * _SHARE_OF_LEDGER)
        finished: dict[UUID, Purchase | Refusal] = {}
        for purchase, answer in zip(owed, answers, strict=True):
            if isinstance(answer, Entry):
                finished[purchase.purchase_id] = purchase.posted(answer)
            elif answer is not None:
                finished[purchase.purchase_id] = answer
        try:
            self._write_down(finished, max(left(), _LEAST_TO_WRITE_SECONDS))
        except Refusal as trouble:
            log.warning("posted but not written down yet", reason=trouble.reason, items=len(finished))
            return {}
        return finished

    def _write_down(self, finished: dict[UUID, Purchase | Refusal], within: float) -> None:
        posted = [answer for answer in finished.values() if isinstance(answer, Purchase)]
        refused = {key: answer for key, answer in finished.items() if isinstance(answer, Refusal)}
        for purchase_id, refusal in refused.items():
            log.info("ledger refused a purchase", purchase=str(purchase_id), reason=refusal.reason)
        if finished:
            with self._sessions.writing(within) as connection:
                table.mark_posted(connection, posted)
                table.take_out(connection, refused.keys())


def pending(name: str) -> PostingPending:
    """Recorded, but the ledger has not said yes or no."""
    return PostingPending(resource=name, retry_after_ms=_RETRY_MS)


def _after(outcome: Outcome, finished: dict[UUID, Purchase | Refusal]) -> Outcome:
    if isinstance(outcome, Refusal) or outcome.purchase.standing is Standing.POSTED:
        return outcome
    answer = finished.get(outcome.purchase.purchase_id)
    if isinstance(answer, Purchase):
        return Recorded(answer, outcome.replay)
    return answer or pending(outcome.purchase.name)


def _keep(connection: Connection, wishes: Sequence[Purchase]) -> list[Outcome]:
    """Write what is new, in one statement; see what stands in the way of the rest.

    Rows go in in the order of their receipts, so that two batches with the same receipts do not wait for each other.
    Whatever repeats an id or a receipt of the same batch comes after, in its own order: the first one wins.
    """
    first, again = _first_of_each(wishes)
    new = table.add(connection, sorted(first, key=lambda wish: table.receipt_key(wish.receipt)))
    if again:
        new |= table.add(connection, again)
    if len(new) == len(wishes):
        return [Recorded(wish, replay=False) for wish in wishes]
    known = table.of_ids(connection, {wish.purchase_id for wish in wishes})
    strangers = [wish.receipt for wish in wishes if wish.purchase_id not in known]
    used = table.of_receipts(connection, wishes[0].partner, strangers) if strangers else {}
    unclaimed = set(new)
    return [_standing(wish, known, used, unclaimed) for wish in wishes]


def _standing(
    wish: Purchase, known: dict[UUID, Purchase], used: dict[table.ReceiptKey, UUID], unclaimed: set[UUID]
) -> Outcome:
    """Each new purchase is claimed by the first wish of the batch that means it; the others repeat it."""
    purchase = known.get(wish.purchase_id)
    if purchase is None:
        other = used.get(table.receipt_key(wish.receipt))
        # What stood in the way may be gone by now: the ledger had refused it.
        return ReceiptAlreadyUsed(purchase=purchase_name(wish.partner, other)) if other else Contention()
    if purchase.request_hash != wish.request_hash:
        return RequestIdReused(request_id=wish.request_id, first=purchase.name)
    replay = wish.purchase_id not in unclaimed
    unclaimed.discard(wish.purchase_id)
    return Recorded(purchase, replay)


def _first_of_each(wishes: Collection[Purchase]) -> tuple[list[Purchase], list[Purchase]]:
    first: list[Purchase] = []
    again: list[Purchase] = []
    ids: set[UUID] = set()
    receipts: set[table.ReceiptKey] = set()
    for wish in wishes:
        key = table.receipt_key(wish.receipt)
        (again if wish.purchase_id in ids or key in receipts else first).append(wish)
        ids.add(wish.purchase_id)
        receipts.add(key)
    return first, again
