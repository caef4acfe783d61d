"""What becomes of a released batch as its payments move, and of its windows when it is settled."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, text

from services.settlement.domain.breaks import BreakReason
from services.settlement.domain.clearing import subject_of, unbalanced
from services.settlement.domain.machines import BATCH
from services.settlement.store import breaks, stops, transitions, windows
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
SELECT currency, sum(open)::bigint AS expected_minor, sum(moved)::bigint AS found_minor FROM (
    SELECT currency, 0::numeric AS open,
        CASE kind WHEN 'COLLECT' THEN amount_minor ELSE -amount_minor END::numeric AS moved
        FROM settlement.instructions WHERE batch = :batch AND state = 'FINAL'
    UNION ALL SELECT currency, -minor, 0 FROM settlement.openings WHERE taken_by = :batch
    UNION ALL SELECT currency, minor, 0 FROM settlement.openings WHERE batch = :batch
) AS moves GROUP BY currency HAVING sum(open) <> sum(moved) ORDER BY currency
""")
_CURRENCIES = text("SELECT DISTINCT currency FROM settlement.instructions WHERE batch = :batch")


def follow(connection: Connection, number: int, at: datetime) -> None:
    """Move a batch, and its windows, to where its files, payments and breaks have come. Again changes nothing."""
    batch = rows.locked(connection, f"batches/{number}")
    openings.carry_over(connection, number, at)
    state = batch.state
    while (step := _next(connection, batch, state, at)) is not None:
        state, act = step
        transitions.move(connection, BATCH, rows.TABLE, batch.name, state, act, by=SELF, at=at)
    if state == "SETTLED" and batch.state != "SETTLED":
        settle_windows(connection, batch, at)


def settle_windows(connection: Connection, batch: Batch, at: datetime) -> None:
    """A window is settled when all its slices are."""
    for number in sorted({one.window for one in slices.of_batch(connection, batch.number)}):
        if slices.window_is_settled(connection, number):
            windows.settle(connection, number, at, SELF)


def _next(connection: Connection, batch: Batch, state: str, at: datetime) -> tuple[str, str] | None:
    which = {"batch": batch.number}
    if state == "RELEASING":
        waiting = connection.execute(_UNRELEASED, which).scalar_one()
        return None if waiting else ("IN_PAYMENT", "released")
    if state not in {"IN_PAYMENT", "PARTIALLY_SETTLED"}:
        return None
    live = {row.state for row in connection.execute(_STATES, which)}
    if live <= {"FINAL"} and _is_right(connection, batch, at):
        return "SETTLED", "settled"
    failed = bool(live & {"REJECTED", "RETURNED"}) or bool(connection.execute(_UNRELEASED, which).scalar_one())
    if failed and state == "IN_PAYMENT":
        return "PARTIALLY_SETTLED", "rejected"
    if not failed and state == "PARTIALLY_SETTLED" and not live & {"PENDING", "FROZEN"}:
        return "IN_PAYMENT", "repaired"
    return None


def _is_right(connection: Connection, batch: Batch, at: datetime) -> bool:
    """P9: whether its payments moved what it carried and held, and no break says otherwise.

    Where they did not (F03), that is a break, found once: when persons have ended it, the batch is settled.
    """
    which = {"batch": batch.number}
    unbalanced_in = {row.currency: row for row in connection.execute(_UNBALANCED, which)}
    currencies = set(connection.execute(_CURRENCIES, which).scalars())
    balanced = [subject_of(batch.number, currency) for currency in sorted(currencies - unbalanced_in.keys())]
    breaks.resolve_about(connection, balanced, SELF, at)
    found = [
        unbalanced(batch.number, one.currency, one.expected_minor, one.found_minor) for one in unbalanced_in.values()
    ]
    breaks.open_all(connection, found, SELF, at)
    if breaks.unresolved(connection, batch.number):
        return False
    return all(stop.reason is not BreakReason.CLEARING_MISMATCH for stop in stops.of(connection, currencies))
