"""What becomes of a released batch as its payments move, and of its windows when it is settled."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, text

from services.settlement.domain.machines import BATCH
from services.settlement.store import transitions, windows
from services.settlement.store.batches import openings, rows, slices
from services.settlement.store.batches.rows import Batch

SELF = "service/settlement"

_UNRELEASED = text("""
SELECT count(*) FROM settlement.payment_files WHERE batch = :batch AND state IN ('BUILT', 'APPROVED')
""")
_STATES = text("""
SELECT state, count(*) AS instructions FROM settlement.instructions
WHERE batch = :batch AND state NOT IN ('CANCELLED', 'SUPERSEDED', 'CARRIED') GROUP BY state
""")
# P9 of one batch: what came in, less what went out, is what it left open, less what it took in.
_UNBALANCED = text("""
SELECT currency FROM (
    SELECT currency, CASE kind WHEN 'COLLECT' THEN amount_minor ELSE -amount_minor END::numeric AS minor
        FROM settlement.instructions WHERE batch = :batch AND state = 'FINAL'
    UNION ALL SELECT currency, minor FROM settlement.openings WHERE taken_by = :batch
    UNION ALL SELECT currency, -minor FROM settlement.openings WHERE batch = :batch
) AS moves GROUP BY currency HAVING sum(minor) <> 0
""")
_OPEN_BREAKS = text("""
SELECT count(*) FROM settlement.breaks WHERE batch = :batch AND state IN ('OPEN', 'EXPLAINED')
""")


def follow(connection: Connection, number: int, at: datetime) -> None:
    """Move a batch, and its windows, to where its files, payments and breaks have come. Again changes nothing."""
    batch = rows.locked(connection, f"batches/{number}")
    openings.carry_over(connection, number, at)
    state = batch.state
    while (step := _next(connection, batch, state)) is not None:
        state, act = step
        transitions.move(connection, BATCH, rows.TABLE, batch.name, state, act, by=SELF, at=at)
    if state == "SETTLED" and batch.state != "SETTLED":
        settle_windows(connection, batch, at)


def settle_windows(connection: Connection, batch: Batch, at: datetime) -> None:
    """A window is settled when all its slices are."""
    for number in sorted({one.window for one in slices.of_batch(connection, batch.number)}):
        if slices.window_is_settled(connection, number):
            windows.settle(connection, number, at, SELF)


def _next(connection: Connection, batch: Batch, state: str) -> tuple[str, str] | None:
    which = {"batch": batch.number}
    if state == "RELEASING":
        waiting = connection.execute(_UNRELEASED, which).scalar_one()
        return None if waiting else ("IN_PAYMENT", "released")
    if state not in {"IN_PAYMENT", "PARTIALLY_SETTLED"}:
        return None
    live = {row.state for row in connection.execute(_STATES, which)}
    if live <= {"FINAL"} and connection.execute(_OPEN_BREAKS, which).scalar_one() == 0:
        # F03: every payment is final and they are not what was calculated. It stays where it is until somebody looks.
        return None if connection.execute(_UNBALANCED, which).first() else ("SETTLED", "settled")
    failed = bool(live & {"REJECTED", "RETURNED"})
    if failed and state == "IN_PAYMENT":
        return "PARTIALLY_SETTLED", "rejected"
    if not failed and state == "PARTIALLY_SETTLED" and not live & {"PENDING", "FROZEN"}:
        return "IN_PAYMENT", "repaired"
    return None
