"""Adjustments that wait for a second person. Proposed once for each request id, decided once, posted by the writer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import IntEnum
from uuid import UUID

from sqlalchemy import Engine

from services.ledger.domain.entry import OPERATOR, Unit
from services.ledger.domain.refusals.adjustments import AdjustmentDecided, AdjustmentNotFound
from services.ledger.domain.refusals.requests import RequestIdReused
from services.ledger.domain.wish import AdjustWish
from services.ledger.store.rows import Row
from services.ledger.store.session import reading, writing
from shared.db.errors import OutcomeUnknown
from shared.refusal import Refusal

_COLUMNS = """bucket, id, wallet_id, unit, issuer, points, taking, reason, expires_on, proposed_by, proposed_at, state,
    decided_by, decided_at, entry_seq"""
_PROPOSE = """
INSERT INTO ledger.adjustments (bucket, id, wallet_id, unit, issuer, points, taking, reason, expires_on, proposed_by,
    proposed_at, state)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 1)
ON CONFLICT (bucket, id) DO NOTHING
"""
_ONE = f"SELECT {_COLUMNS} FROM ledger.adjustments WHERE bucket = %s AND id = %s"
_PAGE = f"""
SELECT {_COLUMNS} FROM ledger.adjustments WHERE (bucket, id) > (%s, %s) AND (%s = 0 OR state = %s)
ORDER BY bucket, id LIMIT %s
"""
_DECIDE = """
UPDATE ledger.adjustments SET state = %s, decided_by = %s, decided_at = %s WHERE bucket = %s AND id = %s AND state = 1
"""
# The journal has the last word, also where a colleague whom the ledger had refused opened it again meanwhile.
_POSTED = """
UPDATE ledger.adjustments
SET state = 2, decided_by = %s, decided_at = coalesce(decided_at, %s), entry_seq = %s WHERE bucket = %s AND id = %s
"""
_REOPEN = """
UPDATE ledger.adjustments SET state = 1, decided_by = NULL, decided_at = NULL
WHERE bucket = %s AND id = %s AND state = 2 AND entry_seq IS NULL
"""


class AdjustmentState(IntEnum):
    """Where an adjustment stands. The numbers are those of the contract and of the database."""

    PROPOSED = 1
    APPROVED = 2
    REJECTED = 3


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A correction by hand, as proposed and as decided."""

    bucket: int
    id: UUID
    wallet: UUID
    unit: Unit
    issuer: str
    points: int
    taking: bool
    reason: str
    expires_on: date | None
    proposed_by: str
    proposed_at: datetime
    state: AdjustmentState = AdjustmentState.PROPOSED
    decided_by: str | None = None
    decided_at: datetime | None = None
    entry_seq: int | None = None

    @property
    def name(self) -> str:
        return f"{self.bucket}-{self.id}"

    @classmethod
    def proposed(cls, wish: AdjustWish, at: datetime) -> Adjustment:
        return cls(
            wish.bucket,
            wish.request_id,
            wish.wallet,
            wish.unit,
            wish.issuer,
            wish.points,
            wish.taking,
            wish.reason,
            wish.expires_on,
            wish.proposed_by,
            at,
        )

    def wish(self, approved_by: str, *, dry: bool = False) -> AdjustWish:
        """What the writer has to post. Its request id is the adjustment's: approving twice posts once."""
        return AdjustWish(
            bucket=self.bucket,
            wallet=self.wallet,
            partner=OPERATOR,
            request_id=self.id,
            dry=dry,
            issuer=self.issuer,
            points=self.points,
            taking=self.taking,
            reason=self.reason,
            proposed_by=self.proposed_by,
            approved_by=approved_by,
            unit=self.unit,
            expires_on=self.expires_on,
        )


class Adjustments:
    """The proposals of all buckets."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def propose(self, wish: AdjustWish, at: datetime) -> tuple[Adjustment, bool]:
        """The proposal of this request id, and whether it was there before. Raises RequestIdReused for another one."""
        with writing(self._engine) as cursor:
            cursor.execute(_PROPOSE, _row(Adjustment.proposed(wish, at)))
            new = cursor.rowcount == 1
            row = cursor.execute(_ONE, [wish.bucket, wish.request_id]).fetchone()
        if row is None:
            raise AdjustmentNotFound(adjustment=f"{wish.bucket}-{wish.request_id}")
        found = _adjustment(row)
        if found.wish("").meaning() != wish.meaning():
            raise RequestIdReused(request_id=wish.request_id, entry=f"adjustments/{found.name}")
        return found, not new

    def found(self, bucket: int, id_: UUID) -> Adjustment:
        """Raises AdjustmentNotFound."""
        with reading(self._engine) as cursor:
            row = cursor.execute(_ONE, [bucket, id_]).fetchone()
        if row is None:
            raise AdjustmentNotFound(adjustment=f"{bucket}-{id_}")
        return _adjustment(row)

    def decide(self, adjustment: Adjustment, state: AdjustmentState, by: str, at: datetime) -> Adjustment:
        """Claim the decision; the same one again changes nothing. Raises AdjustmentDecided for the other one.

        An approval is noted before it is posted, so that nobody can reject meanwhile; after a crash in between it is
        approved again, or opened again when the ledger refuses it.
        """
        with writing(self._engine) as cursor:
            cursor.execute(_DECIDE, [state, by, at, adjustment.bucket, adjustment.id])
        found = self.found(adjustment.bucket, adjustment.id)
        if found.state is not state:
            raise AdjustmentDecided(adjustment=found.name, state=found.state.name.lower(), decided_by=found.decided_by)
        return found

    def posted(self, adjustment: Adjustment, entry_seq: int) -> Adjustment:
        """Note which entry an approved adjustment became.

        Raises OutcomeUnknown when it cannot be noted: the entry is there, and nobody may be told that nothing happened.
        Whoever approves again notes it.
        """
        decided = [adjustment.decided_by, adjustment.decided_at]
        try:
            with writing(self._engine) as cursor:
                cursor.execute(_POSTED, [*decided, entry_seq, adjustment.bucket, adjustment.id])
        except Refusal as refusal:
            raise OutcomeUnknown from refusal
        return replace(adjustment, entry_seq=entry_seq)

    def reopen(self, adjustment: Adjustment) -> None:
        """Back to where it was: the ledger refused to post it."""
        with writing(self._engine) as cursor:
            cursor.execute(_REOPEN, [adjustment.bucket, adjustment.id])

    def page(self, state: int, after: tuple[int, UUID], limit: int) -> list[Adjustment]:
        """By bucket, then id; of every state when `state` is 0."""
        with reading(self._engine) as cursor:
            rows = cursor.execute(_PAGE, [*after, state, state, limit]).fetchall()
        return [_adjustment(row) for row in rows]


def _row(new: Adjustment) -> list[object]:
    what = [new.bucket, new.id, new.wallet, new.unit, new.issuer, new.points, new.taking, new.reason, new.expires_on]
    return [*what, new.proposed_by, new.proposed_at]


def _adjustment(row: Row) -> Adjustment:
    bucket, id_, wallet, unit, issuer, points, taking, reason, expires_on, proposed_by, proposed_at, state, *rest = row
    return Adjustment(
        bucket,
        id_,
        wallet,
        Unit(unit),
        issuer,
        points,
        taking,
        reason,
        expires_on,
        proposed_by,
        proposed_at,
        AdjustmentState(state),
        *rest,
    )
