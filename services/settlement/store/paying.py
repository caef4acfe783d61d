"""The steps of paying, one small part each: release what is covered, send, wait for the answer, become final."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TypeAlias

from sqlalchemy import Connection, text

from services.settlement.domain.breaks import BreakReason, Found
from services.settlement.domain.clearing import ClearingMismatch, ClearingOverdrawn
from services.settlement.domain.instruction import DEAD
from services.settlement.domain.machines import INSTRUCTION
from services.settlement.domain.refusals import MoneyMayHaveMoved, PaymentFileChanged
from services.settlement.domain.sending import Outcome, Receipt, SendUnclear, Transport
from services.settlement.store import breaks, files, instructions, sending, transitions
from services.settlement.store.archive import Archive, ArchiveDiffers
from services.settlement.store.instructions import SELF
from services.settlement.store.stepper import Blocked, Done, GoOn, Handler
from services.settlement.store.steps import Step

Follow: TypeAlias = "Callable[[Connection, int, datetime], None]"
"""What a batch does when its instructions have moved: (connection, batch, at)."""

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_OVER = text("""
SELECT name FROM settlement.instructions WHERE batch = :batch AND state = 'BOOKED'
    AND stated_on + CASE method WHEN 'DIRECT_DEBIT' THEN CAST(:collected AS int) WHEN 'PAY_IN' THEN 0
        ELSE CAST(:paid AS int) END <= :today
ORDER BY name
""")
# Accepted, executed on a weekday, and not on the statement of the weekday after it.
_NOT_BOOKED = text("""
SELECT name, batch, currency, amount_minor FROM settlement.instructions
WHERE batch = :batch AND state = 'ACCEPTED' AND method <> 'PAY_IN'
    AND due_on + (CASE extract(isodow FROM due_on) WHEN 5 THEN 3 WHEN 6 THEN 2 ELSE 1 END) < :today
ORDER BY name
""")
_OPEN = text("SELECT count(*) FROM settlement.instructions WHERE batch = :batch AND state <> ALL(:ended)")
_UNSHOWN = "it was accepted, and no statement shows it"
_ENDED = sorted({state.value for state in DEAD} | {"FINAL"})


class Paying:
    """The handlers of the stepper. Without a transport files wait for a person, who says when they were carried."""

    def __init__(
        self,
        transport: Transport | None,
        archive: Archive,
        follow: Follow,
        answer_within: timedelta,
        return_days: int,
        collection_return_days: int,
    ) -> None:
        self._transport = transport
        self._archive = archive
        self._follow = follow
        self._answer_within = answer_within
        self._return_days = return_days
        self._collection_return_days = collection_return_days

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """Each for its kind of steps."""
        return {
            sending.SEND: self.send,
            sending.FUND: self.fund,
            sending.SILENCE: self.silence,
            sending.FINAL: self.final,
        }

    def send(self, connection: Connection, step: Step, at: datetime) -> Done | GoOn:
        """Write down that a send begins; then, in a transaction of its own, send and write down what came of it."""
        if self._transport is None:
            return Done()
        try:
            number = sending.begun(connection, step.subject)
            if number is None:
                begun = sending.begin(connection, step, self._transport, at)
                return GoOn(at, 1, 2) if begun is not None else Done()
            receipt = self._receipt(connection, step, number, self._transport)
        except (ClearingMismatch, ClearingOverdrawn):
            return GoOn(at + _MINUTE, 0, 2)  # what stops the currency may be over by then; nothing was begun
        except (PaymentFileChanged, MoneyMayHaveMoved, ArchiveDiffers) as refusal:
            raise Blocked(f"{refusal.reason}: {refusal}") from refusal
        sending.end(connection, step.subject, number, receipt, self._answer_within, at)
        self._follow(connection, files.found(connection, f"files/{step.subject}").batch, at)
        return GoOn(at + _MINUTE, 0, 2) if receipt.outcome is Outcome.REFUSED else Done()

    def fund(self, connection: Connection, step: Step, at: datetime) -> Done | GoOn:
        """Release the pay files that are covered by now."""
        batch = int(step.subject.removeprefix("batches/"))
        waiting = sending.release(connection, batch, SELF, at)
        self._follow(connection, batch, at)
        return GoOn(at + _MINUTE) if waiting else Done()

    def silence(self, connection: Connection, step: Step, at: datetime) -> Done:
        """The bank had its time to answer."""
        sending.fell_silent(connection, step.subject, at)
        self._follow(connection, files.found(connection, f"files/{step.subject}").batch, at)
        return Done()

    def final(self, connection: Connection, step: Step, at: datetime) -> Done | GoOn:
        """What stood on a statement long enough can no longer come back. Looked at every day until all is over.

        Payments become final in one part, what follows for their batch in the next: they stay final where that fails.
        """
        batch = int(step.subject.removeprefix("batches/"))
        days = {"paid": self._return_days, "collected": self._collection_return_days}
        over = connection.execute(_OVER, {"batch": batch, "today": at.date(), **days}).scalars().all()
        if over:
            transitions.move_all(connection, INSTRUCTION, instructions.TABLE, over, "FINAL", "period", by=SELF, at=at)
            return GoOn(at)
        missing = [
            Found(BreakReason.NOT_BOOKED, name, _UNSHOWN, number, name, currency, minor)
            for name, number, currency, minor in connection.execute(_NOT_BOOKED, {"batch": batch, "today": at.date()})
        ]
        breaks.open_all(connection, missing, SELF, at)
        self._follow(connection, batch, at)
        left = int(connection.execute(_OPEN, {"batch": batch, "ended": _ENDED}).scalar_one())
        return GoOn(at + _DAY) if left else Done()

    def _receipt(self, connection: Connection, step: Step, number: int, transport: Transport) -> Receipt:
        """Send, unless an earlier try may have arrived at a bank that would pay a second time (lock 4).

        An earlier try shows in the step, or, where the rows have forgotten it, in the archive.
        """
        file = files.found(connection, f"files/{step.subject}")
        if file.state != "RELEASED":
            return Receipt(Outcome.TAKEN, "the bank has answered it meanwhile")
        content = files.approved_content(connection, file)
        forgotten = number == 1 and self._archive.found(file.msg_id) is not None
        if (step.attempts > 1 or forgotten) and not transport.checks_duplicates:
            return Receipt(Outcome.UNCLEAR, "an earlier try was begun and never ended; this bank knows no MsgIds")
        self._archive.keep(file.msg_id, content)
        receipt = transport.send(file.msg_id, content)
        if receipt.outcome is Outcome.UNCLEAR and transport.checks_duplicates:
            raise SendUnclear(detail=receipt.detail)
        return receipt
