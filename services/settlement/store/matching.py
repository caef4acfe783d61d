"""Matching in sets: one question finds what each new line may be, the domain judges, three statements write it down."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, Row, text

from services.settlement.domain.breaks import Found
from services.settlement.domain.evidence import Evidence, Rank, Verdict
from services.settlement.domain.matching import Booked, Match, Payment, judged, one_sum, unexpected
from services.settlement.store import breaks, evidence
from shared.db.columns import Bools, Days, Int8s, Names, Texts
from shared.db.sessions import cursor_of
from shared.instants import micros

_NEW = text("""
SELECT l.id, l.is_credit, l.amount_minor, l.currency, l.counterparty_account, l.booked_on, l.return_code, l.stated,
    l.end_to_end_id, l.message_id, l.said_at, 'bankFiles/' || encode(l.sha256, 'hex') || '/' || l.part AS source,
    coalesce(e.name, r.name) AS payment, (e.name IS NOT NULL) AS by_id
FROM settlement.bank_lines l
LEFT JOIN settlement.instructions e ON l.end_to_end_id <> '' AND e.end_to_end_id = l.end_to_end_id
LEFT JOIN settlement.instructions r
    ON e.name IS NULL AND l.reference <> '' AND r.reference = replace(l.reference, ' ', '')
WHERE l.outcome IN ('NEW', 'PROPOSED') ORDER BY l.id
""")
_PAYMENTS = text("""
SELECT i.name, i.batch, i.kind, i.amount_minor, i.currency, i.account, i.state,
    coalesce(array_agg(m.verdict || ' ' || m.stated) FILTER (WHERE m.line IS NOT NULL), '{}') AS taken
FROM settlement.instructions i LEFT JOIN settlement.bank_matches m ON m.instruction = i.name
WHERE i.name = ANY(:names) GROUP BY i.name
""")
_OF_FILES = text("""
SELECT f.msg_id, f.instruction AS name FROM settlement.file_payments f
WHERE f.msg_id = ANY(:ids) ORDER BY f.msg_id, f.line
""")
_PROPOSALS = text("""
SELECT l.id, i.name FROM settlement.bank_lines l JOIN settlement.instructions i
    ON i.amount_minor = l.amount_minor AND i.currency = l.currency AND i.account = l.counterparty_account
    AND (i.kind = 'COLLECT') = l.is_credit AND i.state IN ('SENT', 'UNKNOWN', 'ACCEPTED')
    AND l.booked_on BETWEEN i.due_on - 5 AND i.due_on + 30
WHERE l.id = ANY(:ids) AND l.counterparty_account <> '' ORDER BY l.id, i.name
""")
_MATCHED = """
INSERT INTO settlement.bank_matches (line, instruction, verdict, stated, by, at)
SELECT n.*, %s, %s FROM unnest(%b, %b, %b, %b) AS n
"""
_STATED_ON = """
UPDATE settlement.instructions i SET stated_on = n.day FROM unnest(%b, %b) AS n (name, day)
WHERE i.name = n.name AND i.stated_on IS NULL
"""
_OUTCOME = text("UPDATE settlement.bank_lines SET outcome = :outcome WHERE id = ANY(:ids)")


class Outcome(NamedTuple):
    """What matching made of the lines that were new. `batches` are those whose payments moved."""

    matched: int
    proposed: int
    broken: int
    batches: tuple[int, ...]


class _Line(NamedTuple):
    booked: Booked
    payment: str | None
    by_id: bool
    message_id: str
    evidence: Evidence


def run(connection: Connection, by: str, at: datetime) -> Outcome:
    """Match every line that nobody has matched yet. Running it again changes nothing."""
    lines = [_line(row) for row in connection.execute(_NEW)]
    if not lines:
        return Outcome(0, 0, 0, ())
    files = _files(connection, lines)
    names = {line.payment for line in lines if line.payment} | {name for group in files.values() for name in group}
    payments = _payments(connection, sorted(names))
    matches: list[tuple[Match, _Line]] = []
    found: list[Found] = []
    unknown: list[_Line] = []
    for line in lines:
        one = _judged(line, payments, files)
        if isinstance(one, Match):
            _take(payments, one, stated=line.booked.stated)
            matches.append((one, line))
        elif one is not None:
            found.append(one)
        else:
            unknown.append(line)
    proposed = {row.id for row in connection.execute(_PROPOSALS, {"ids": [line.booked.id for line in unknown]})}
    found += [unexpected(line.booked) for line in unknown if line.booked.id not in proposed and line.booked.stated]
    _save(connection, matches, found, unknown, proposed, by, at)
    batches = evidence.record(connection, _evidence(matches), by, at)
    return Outcome(len(matches), len(proposed), len(found), tuple(batches))


def proposals(connection: Connection, line: int) -> list[str]:
    """The payments that a line may be: same amount, counterparty and about the day."""
    return [str(row.name) for row in connection.execute(_PROPOSALS, {"ids": [line]})]


def _judged(
    line: _Line, payments: Mapping[str, tuple[Payment, Payment]], files: Mapping[str, Sequence[str]]
) -> Match | Found | None:
    stated = line.booked.stated
    if line.payment is None and line.message_id in files:
        return one_sum(line.booked, [payments[name][stated] for name in files[line.message_id]])
    payment = payments[line.payment][stated] if line.payment else None
    one = judged(line.booked, payment if line.by_id else None, None if line.by_id else payment)
    if isinstance(one, Found) and not stated:
        return None  # an announcement is not on the books yet: the statement will say it again
    return one


def _take(payments: dict[str, tuple[Payment, Payment]], match: Match, *, stated: bool) -> None:
    """A second line for the same payment must find it taken."""
    for name in match.payments:
        pair = list(payments[name])
        pair[stated] = pair[stated]._replace(taken=pair[stated].taken | {match.verdict})
        payments[name] = (pair[0], pair[1])


def _files(connection: Connection, lines: Sequence[_Line]) -> Mapping[str, list[str]]:
    """The payments of the files that lines without a payment's id name."""
    wanted = sorted({line.message_id for line in lines if line.payment is None and line.message_id})
    found: dict[str, list[str]] = defaultdict(list)
    for row in connection.execute(_OF_FILES, {"ids": wanted}):
        found[row.msg_id].append(row.name)
    return found


def _payments(connection: Connection, names: Sequence[str]) -> dict[str, tuple[Payment, Payment]]:
    """Each payment twice: as announcements see it, as statements see it. A booking is announced once, stated once."""
    found = {}
    for row in connection.execute(_PAYMENTS, {"names": list(names)}):
        taken = [word.split() for word in row.taken]
        payment = Payment(
            row.name, row.batch, row.kind == "PAY", int(row.amount_minor), row.currency, row.account, row.state
        )
        found[row.name] = (
            payment._replace(taken=frozenset(Verdict(verdict) for verdict, stated in taken if stated == "false")),
            payment._replace(taken=frozenset(Verdict(verdict) for verdict, stated in taken if stated == "true")),
        )
    return found


def _line(row: Row[tuple[object, ...]]) -> _Line:
    rank = Rank.STATED if row.stated else Rank.ANNOUNCED
    if row.return_code:
        rank = Rank.RETURNED
    verdict = Verdict.RETURNED if row.return_code else Verdict.BOOKED
    booked = Booked(
        row.id,
        row.is_credit,
        row.amount_minor,
        row.currency,
        row.counterparty_account,
        row.booked_on,
        bool(row.return_code),
        row.stated,
    )
    said = Evidence(rank, verdict, micros(row.said_at), row.source, row.return_code)
    return _Line(booked, row.payment, row.by_id, row.message_id, said)


def _evidence(matches: Sequence[tuple[Match, _Line]]) -> list[tuple[str, Evidence]]:
    return [(name, line.evidence) for match, line in matches for name in match.payments]


def _save(
    connection: Connection,
    matches: Sequence[tuple[Match, _Line]],
    found: Sequence[Found],
    unknown: Sequence[_Line],
    proposed: set[int],
    by: str,
    at: datetime,
) -> None:
    rows = [(match, name) for match, _ in matches for name in match.payments]
    if rows:
        cursor_of(connection).execute(
            _MATCHED,
            [
                by,
                at,
                Int8s([match.line.id for match, _ in rows]),
                Texts([name for _, name in rows]),
                Names([match.verdict.value for match, _ in rows]),
                Bools([match.line.stated for match, _ in rows]),
            ],
        )
    days = [(name, match.line.booked_on) for match, name in rows if match.line.stated and not match.line.is_return]
    if days:
        columns = [Texts([name for name, _ in days]), Days([day for _, day in days])]
        cursor_of(connection).execute(_STATED_ON, columns)
    breaks.open_all(connection, found, by, at)
    broken = {int(one.subject.partition("/")[2]) for one in found}
    noted = {line.booked.id for line in unknown} - proposed - broken  # announced; its statement will say it again
    for outcome, ids in (
        ("MATCHED", [match.line.id for match, _ in matches]),
        ("PROPOSED", sorted(proposed)),
        ("BROKEN", sorted(broken)),
        ("NOTED", sorted(noted)),
    ):
        if ids:
            connection.execute(_OUTCOME, {"outcome": outcome, "ids": ids})
