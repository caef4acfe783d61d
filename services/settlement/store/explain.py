"""From an entry of the journal to the bank line and back: each link is a row; one that is not there yet is named."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, text

from services.settlement.domain.contract import PriceBook, VersionId
from services.settlement.domain.legs import OPERATOR, Leg
from services.settlement.domain.lines import Line, LineKey, entry_shares, key_of
from services.settlement.domain.refusals import EntryNotCounted
from services.settlement.domain.window import Window
from services.settlement.store import books, windows
from services.settlement.store.contracts import price_book, versions_known

MOST_SHARED = 200_000
"""A line of more entries is not spread over them for one question: its exact part is told, its booked part is not."""

_OWED = text("""
SELECT leg, partner, version, counterparty, rate_class, points, window_number FROM settlement.obligations
WHERE bucket = :bucket AND seq = :seq ORDER BY line
""")
_WINDOW = text("""
SELECT number FROM settlement.windows
WHERE :seq > coalesce(from_seqs[CAST(:bucket AS int) + 1], 0)
    AND (to_seqs IS NULL OR :seq <= to_seqs[CAST(:bucket AS int) + 1])
ORDER BY number LIMIT 1
""")
_READ = text("SELECT seq FROM settlement.buckets WHERE bucket = :bucket")
_SUSPENDED = text("SELECT reason FROM settlement.suspense WHERE bucket = :bucket AND seq = :seq AND waived = ''")
_BATCH = text("""
SELECT b.name, b.number, b.state FROM settlement.batch_slices s JOIN settlement.batches b ON b.number = s.batch
WHERE s.window_number = :number AND s.currency IN (:currency, '') AND s.freed_at IS NULL
""")
_PAYMENTS = text("""
SELECT i.name, i.partner, i.currency, i.kind, i.amount_minor, i.state, coalesce(i.msg_id, '') AS msg_id,
    (SELECT 'bankLines/' || m.line FROM settlement.bank_matches m
     WHERE m.instruction = i.name ORDER BY m.stated DESC, m.verdict DESC, m.line LIMIT 1) AS bank_line
FROM settlement.instructions i
WHERE i.batch = :batch AND i.partner = ANY(:partners) AND i.state <> 'CANCELLED' ORDER BY i.partner, i.name
""")
_MATCHED = text("""
SELECT i.name, i.partner, i.currency, i.batch FROM settlement.bank_matches m
JOIN settlement.instructions i ON i.name = m.instruction WHERE m.line = :line ORDER BY i.name
""")
_SLICES = text("""
SELECT window_number FROM settlement.batch_slices WHERE batch = :batch AND freed_at IS NULL ORDER BY window_number
""")
_STATEMENT_LINES = text("""
SELECT window_number FROM settlement.statements WHERE partner = :partner AND window_number = ANY(:windows)
ORDER BY window_number
""")


class Payment(NamedTuple):
    """What moves the money: the instruction, its file, and the line of the bank, as far as they are there."""

    name: str
    partner: str
    currency: str
    kind: str
    amount_minor: int
    state: str
    file: str
    bank_line: str


class Owed(NamedTuple):
    """One obligation of an entry, and the line it counts in. `line` is counted from 1 in the statement of each side.

    `exact` is its price in major units; `share_minor` what it has of the booked line, None where the window is open
    or the line has more than 200,000 entries.
    """

    leg: Leg
    debtor: str
    creditor: str
    version: VersionId
    points: int
    currency: str
    exact: Decimal
    share_minor: int | None
    statements: tuple[tuple[str, int], ...]


class Explanation(NamedTuple):
    """The chain from an entry on. `waits_for` names the first link that is not there yet; empty when all are."""

    window: str
    owed: tuple[Owed, ...]
    batches: tuple[str, ...]
    payments: tuple[Payment, ...]
    waits_for: str


class BackwardExplanation(NamedTuple):
    """The chain from a bank line back: its payments, their batch, and the statements that they settle."""

    payments: tuple[Payment, ...]
    batches: tuple[str, ...]
    statements: tuple[str, ...]
    waits_for: str


def entry(connection: Connection, bucket: int, seq: int) -> Explanation:
    """Raises EntryNotCounted: the journal was not read so far."""
    read = connection.execute(_READ, {"bucket": bucket}).scalar()
    if read is None or not 0 < seq <= read:
        raise EntryNotCounted(entry=f"{bucket}-{seq}")
    number = int(connection.execute(_WINDOW, {"bucket": bucket, "seq": seq}).scalar_one())
    window = windows.found(connection, f"windows/{number}")
    suspended = connection.execute(_SUSPENDED, {"bucket": bucket, "seq": seq}).scalar()
    if suspended:
        return Explanation(f"windows/{number}", (), (), (), f"SUSPENSE: {suspended}")
    book = price_book(connection, _versions(connection, window))
    lines = books.lines_of_window(connection, number)
    rows = connection.execute(_OWED, {"bucket": bucket, "seq": seq}).all()
    owed = tuple(
        _owed(connection, window, (bucket, seq), lines, book, row.points, _key(row, book), _version(row))
        for row in rows
    )
    if not lines and window.to is None:
        return Explanation(f"windows/{number}", owed, (), (), "WINDOW: it is open")
    return _settled(connection, f"windows/{number}", number, owed)


def bank_line(connection: Connection, line: int) -> BackwardExplanation:
    """The way back from money to points. A line without a match waits for one."""
    matched = connection.execute(_MATCHED, {"line": line}).all()
    if not matched:
        return BackwardExplanation((), (), (), "MATCH: nobody knows what it is")
    payments: list[Payment] = []
    statements: set[tuple[int, str]] = set()
    for row in matched:
        payments += [one for one in _payments(connection, row.batch, [row.partner]) if one.name == row.name]
        numbers = list(connection.execute(_SLICES, {"batch": row.batch}).scalars())
        for window in connection.execute(_STATEMENT_LINES, {"partner": row.partner, "windows": numbers}).scalars():
            statements.add((window, f"partners/{row.partner}/statements/{window}"))
    batches = sorted({row.batch for row in matched})
    return BackwardExplanation(
        tuple(payments), tuple(f"batches/{one}" for one in batches), tuple(name for _, name in sorted(statements)), ""
    )


def _settled(connection: Connection, window: str, number: int, owed: tuple[Owed, ...]) -> Explanation:
    if not owed:
        return Explanation(window, (), (), (), "")  # it moves no money
    batches, payments, waits = [], list[Payment](), ""
    for currency in sorted({one.currency for one in owed}):
        row = connection.execute(_BATCH, {"number": number, "currency": currency}).first()
        if row is None:
            waits = waits or f"BATCH: none has {window} in {currency}"
            continue
        batches.append(row.name)
        sides = {side for one in owed for side in (one.debtor, one.creditor)} - {OPERATOR}
        found = _payments(connection, row.number, sorted(sides))
        payments += [one for one in found if one not in payments]
        if row.state != "SETTLED":
            waits = waits or _waits(row.name, row.state, found)
    return Explanation(window, owed, tuple(batches), tuple(payments), waits)


def _waits(batch: str, state: str, payments: Sequence[Payment]) -> str:
    for one in payments:
        if not one.bank_line:
            return f"PAYMENT: {one.name} is {one.state}"
    return f"BATCH: {batch} is {state}"


def _payments(connection: Connection, batch: int, partners: Sequence[str]) -> list[Payment]:
    rows = connection.execute(_PAYMENTS, {"batch": batch, "partners": list(partners)})
    return [
        Payment(
            row.name,
            row.partner,
            row.currency,
            row.kind,
            row.amount_minor,
            row.state,
            f"files/{row.msg_id}" if row.msg_id else "",
            row.bank_line or "",
        )
        for row in rows
    ]


def _versions(connection: Connection, window: Window) -> int:
    return window.versions_known or versions_known(connection)


def _version(row: Row[Any]) -> VersionId:
    return VersionId(row.partner, row.version)


def _key(row: Row[Any], book: PriceBook) -> LineKey:
    return key_of(Leg(row.leg), _version(row), book, row.counterparty, row.rate_class)


def _owed(
    connection: Connection,
    window: Window,
    place: tuple[int, int],
    lines: Sequence[Line],
    book: PriceBook,
    points: int,
    key: LineKey,
    version: VersionId,
) -> Owed:
    line = next((one for one in lines if one.key == key), None)
    share = None
    if line is not None and line.items <= MOST_SHARED:
        share = entry_shares(line, _points(connection, window, key, book)).get(place)
    exact = Line(key, points, 1, 0, 0, 0).exact
    at = tuple((side, _number(lines, key, side)) for side in sorted({key.debtor, key.creditor} - {OPERATOR}))
    statements = at if line is not None else ()
    return Owed(key.leg, key.debtor, key.creditor, version, points, key.currency, exact, share, statements)


def _points(connection: Connection, window: Window, key: LineKey, book: PriceBook) -> dict[tuple[int, int], int]:
    """The points of each entry behind a line."""
    found: dict[tuple[int, int], int] = {}
    for bucket in range(len(window.to.seqs) if window.to else 0):
        for other, leaf in books.leaves_of(connection, window, bucket, book):
            if other == key:
                place = (leaf.bucket, leaf.seq)
                found[place] = found.get(place, 0) + leaf.points
    return found


def _number(lines: Sequence[Line], key: LineKey, side: str) -> int:
    own = [line.key for line in lines if side in {line.key.debtor, line.key.creditor}]
    return own.index(key) + 1 if key in own else 0
