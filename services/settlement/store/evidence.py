"""Evidence as rows, and the states that follow from it: recorded in one transaction with whatever it came from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, text

from services.settlement.domain.breaks import BreakReason, Found
from services.settlement.domain.evidence import Evidence, Rank, Verdict, contradicts, standing, steps
from services.settlement.domain.machines import INSTRUCTION
from services.settlement.store import breaks, transitions
from shared.db.columns import Bools, Instants, Int2s, Texts
from shared.db.sessions import cursor_of
from shared.instants import micros

_TABLE = "instructions"
_RECORD = """
INSERT INTO settlement.evidence (instruction, rank, verdict, said_at, source, code, decided, about, recorded_by,
    recorded_at)
SELECT n.*, %s, %s FROM unnest(%b, %b, %b, %b, %b, %b, %b, %b) AS n ON CONFLICT DO NOTHING
"""
_KNOWN = text("""
SELECT e.instruction, e.rank, e.verdict, e.said_at, e.source, e.code, e.decided, e.about, i.msg_id
FROM settlement.evidence e JOIN settlement.instructions i ON i.name = e.instruction
WHERE e.instruction = ANY(:names)
""")
_STATES = text("""
SELECT name, state, batch, currency, amount_minor FROM settlement.instructions
WHERE name = ANY(:names) ORDER BY name FOR UPDATE
""")
# What evidence for a payment means that evidence can no longer move.
_TOO_LATE = {
    "FINAL": BreakReason.RETURN_AFTER_FINAL,
    "CANCELLED": BreakReason.EVIDENCE_FOR_CANCELLED,
    "SUPERSEDED": BreakReason.DOUBLE_BOOKED,
    "CARRIED": BreakReason.DOUBLE_BOOKED,
    "PENDING": BreakReason.EVIDENCE_FOR_UNSENT,
    "FROZEN": BreakReason.EVIDENCE_FOR_UNSENT,
}
_MONEY = {Verdict.BOOKED, Verdict.RETURNED}


def record(connection: Connection, said: Sequence[tuple[str, Evidence]], by: str, at: datetime) -> list[int]:
    """Add evidence, each with the name of its instruction, and move each to what is now known of it.

    Answers with the numbers of the batches concerned. The same evidence again changes nothing.
    """
    if not said:
        return []
    _insert(connection, said, by, at)
    names = sorted({name for name, _ in said})
    known = evidence_of(connection, names)
    found: list[Found] = []
    moves: dict[tuple[tuple[str, ...], str], list[str]] = defaultdict(list)
    batches: set[int] = set()
    for row in connection.execute(_STATES, {"names": names}):
        now = standing(known[row.name])
        if now is None:
            continue
        batches.add(row.batch)
        way = steps(row.state, now.verdict)
        if way:
            moves[(way, now.source)].append(row.name)
        elif way is None and now.verdict in _MONEY and not _agrees(row.state, now.verdict):
            found.append(_late(row.name, row.batch, row.state, now, row.currency, row.amount_minor))
        if contradicts(known[row.name]):
            found.append(_contradiction(row.name, row.batch, row.currency, row.amount_minor))
    for (way, source), moved in moves.items():
        for to in way:
            transitions.move_all(connection, INSTRUCTION, _TABLE, moved, to, "evidence", by=by, why=source, at=at)
    shown = [name for (way, _), moved in moves.items() if "BOOKED" in way for name in moved]
    breaks.booked_after_all(connection, shown, by, at)
    breaks.open_all(connection, found, by, at)
    return sorted(batches)


def evidence_of(connection: Connection, names: Sequence[str]) -> Mapping[str, list[Evidence]]:
    """All that is known of these instructions, in the files that they are in now."""
    known: dict[str, list[Evidence]] = defaultdict(list)
    for row in connection.execute(_KNOWN, {"names": list(names)}):
        rank, verdict, said_at = Rank(row.rank), Verdict(row.verdict), micros(row.said_at)
        one = Evidence(rank, verdict, said_at, row.source, row.code, row.decided, row.about)
        if one.concerns(row.msg_id or ""):
            known[row.instruction].append(one)
    return known


def _insert(connection: Connection, said: Sequence[tuple[str, Evidence]], by: str, at: datetime) -> None:
    cursor_of(connection).execute(
        _RECORD,
        [
            by,
            at,
            Texts([name for name, _ in said]),
            Int2s([one.rank for _, one in said]),
            Texts([one.verdict.value for _, one in said]),
            Instants([one.said_at for _, one in said]),
            Texts([one.source for _, one in said]),
            Texts([one.code for _, one in said]),
            Bools([one.decided for _, one in said]),
            Texts([one.about for _, one in said]),
        ],
    )


def _agrees(state: str, verdict: Verdict) -> bool:
    """FINAL is a booking that can no longer come back."""
    return state == "FINAL" and verdict is Verdict.BOOKED


def _late(name: str, batch: int, state: str, said: Evidence, currency: str, amount_minor: int) -> Found:
    reason = _TOO_LATE.get(state, BreakReason.EVIDENCE_FOR_CANCELLED)
    return Found(
        reason, name, f"{said.verdict.value} for a payment that is {state}", batch, name, currency, amount_minor
    )


def _contradiction(name: str, batch: int, currency: str, amount_minor: int) -> Found:
    detail = "the bank rejected the payment and booked it"
    return Found(BreakReason.BOOKED_AFTER_REJECTION, name, detail, batch, name, currency, amount_minor)
