"""The books of a window: rollups in; lines, nets and signed statements out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection, text

from services.settlement.domain.contract import OPERATOR, PriceBook, VersionId
from services.settlement.domain.lines import Line, LineKey, Rollup, key_of, lines_of
from services.settlement.domain.nets import Net, nets_of
from services.settlement.domain.obligations import Leg
from services.settlement.domain.statement import EntryLeaf, entries_root, signed, statements_root, unsigned
from services.settlement.domain.window import Edge, Window
from shared.canonical import canonical

_ROLLUPS = text("""
SELECT leg, partner, version, points::text AS points, items, late_items
FROM settlement.rollups WHERE window_number = :number
""")
_BEFORE = text("""
SELECT leg, partner, version, sum(points)::text AS points
FROM settlement.rollups WHERE window_number < :number GROUP BY leg, partner, version
""")
_LEAVES = text("""
SELECT partner, leg, version, bucket, seq, points, entry_hash FROM settlement.obligations
WHERE window_number = :number ORDER BY bucket, seq, line
""")
_INSERT_LINE = text("""
INSERT INTO settlement.lines (window_number, partner, leg, currency, rate, rounding, points, items, late_items,
    points_before, booked_minor, entries_root)
VALUES (:window_number, :partner, :leg, :currency, :rate, :rounding, :points, :items, :late_items,
    :points_before, :booked_minor, :entries_root)
""")
_INSERT_NET = text("""
INSERT INTO settlement.nets (window_number, partner, currency, billed_minor, reimbursed_minor, net_minor)
VALUES (:window_number, :partner, :currency, :billed_minor, :reimbursed_minor, :net_minor)
""")
_INSERT_STATEMENT = text("""
INSERT INTO settlement.statements (window_number, partner, document, sha256, currency, net_minor, created_at)
VALUES (:window_number, :partner, :document, :sha256, :currency, :net_minor, :created_at)
""")
_NETS = text("""
SELECT partner, currency, billed_minor, reimbursed_minor, net_minor FROM settlement.nets
WHERE window_number = :number ORDER BY partner = 'operator', partner, currency
""")
_OPEN_POINTS = text("""
SELECT r.leg, r.version, r.points::text AS points FROM settlement.rollups r
JOIN settlement.windows w ON w.number = r.window_number
WHERE r.partner = :partner AND w.state <> 'CLOSED'
""")

Sign = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Signer:
    """The key that statements are signed with."""

    key_id: str
    sign: Sign


@dataclass(frozen=True, slots=True)
class Books:
    """All that a window's closing books. Statements are by partner."""

    lines: list[tuple[Line, bytes]]
    nets: list[Net]
    statements: dict[str, bytes]

    @property
    def statements_root(self) -> bytes:
        return statements_root(self.statements[partner] for partner in sorted(self.statements))


def made(
    window: Window,
    opening: Edge | None,
    closing: Edge,
    rollups: Iterable[Rollup],
    before: Mapping[LineKey, int],
    leaves: Mapping[LineKey, Sequence[EntryLeaf]],
    book: PriceBook,
    signer: Signer,
) -> Books:
    """The books that follow from a window's rollups and entries. Ed25519 signs the same bytes the same way always."""
    lines = [(line, entries_root(leaves.get(line.key, ()))) for line in lines_of(rollups, before, book)]
    participants = _participants(closing, book)
    nets = nets_of([line for line, _ in lines], participants)
    partners = sorted({partner for partner, _ in participants} | {line.key.partner for line, _ in lines})
    statements = {}
    for partner in partners:
        own = [(line, entries) for line, entries in lines if line.key.partner == partner]
        own_nets = [net for net in nets if net.partner == partner]
        document = unsigned(partner, window.number, opening, closing, own, own_nets)
        statements[partner] = signed(document, signer.key_id, signer.sign(canonical(document)))
    return Books(lines, nets, statements)


def rollups(connection: Connection, number: int) -> list[Rollup]:
    """The rollups of one window."""
    rows = connection.execute(_ROLLUPS, {"number": number})
    return [
        Rollup(Leg(row.leg), VersionId(row.partner, row.version), int(row.points), row.items, row.late_items)
        for row in rows
    ]


def points_before(connection: Connection, number: int, book: PriceBook) -> dict[LineKey, int]:
    """Each line's points over all windows before this one."""
    sums: dict[LineKey, int] = {}
    for row in connection.execute(_BEFORE, {"number": number}):
        key = key_of(Leg(row.leg), VersionId(row.partner, row.version), book)
        sums[key] = sums.get(key, 0) + int(row.points)
    return sums


def leaves(connection: Connection, number: int, book: PriceBook) -> dict[LineKey, list[EntryLeaf]]:
    """The entries behind each line of a window, in (bucket, seq) order."""
    found: dict[LineKey, list[EntryLeaf]] = {}
    keys: dict[tuple[str, str, int], LineKey] = {}
    for partner, leg, version, bucket, seq, points, entry_hash in connection.execute(_LEAVES, {"number": number}):
        named = (leg, partner, version)
        if named not in keys:
            keys[named] = key_of(Leg(leg), VersionId(partner, version), book)
        found.setdefault(keys[named], []).append(EntryLeaf(bucket, seq, points, entry_hash))
    return found


def save(connection: Connection, number: int, books: Books, at: datetime) -> None:
    """Book it all, in the transaction that closes the window."""
    if books.lines:
        connection.execute(_INSERT_LINE, [_line_row(number, line, root) for line, root in books.lines])
    if books.nets:
        connection.execute(_INSERT_NET, [{"window_number": number, **net._asdict()} for net in books.nets])
    nets = {net.partner: net for net in books.nets}
    rows = [
        {
            "window_number": number,
            "partner": partner,
            "document": document,
            "sha256": sha256(document).digest(),
            "currency": nets[partner].currency,
            "net_minor": nets[partner].net_minor,
            "created_at": at,
        }
        for partner, document in books.statements.items()
    ]
    if rows:
        connection.execute(_INSERT_STATEMENT, rows)


def nets(connection: Connection, number: int) -> list[Net]:
    """The nets of a closed window, the operator's last."""
    rows = connection.execute(_NETS, {"number": number})
    return [Net(partner, currency, *map(int, minor)) for partner, currency, *minor in rows]


def open_points(connection: Connection, partner: str) -> list[tuple[Leg, VersionId, int]]:
    """What a partner's obligations outside closed windows add up to."""
    rows = connection.execute(_OPEN_POINTS, {"partner": partner})
    return [(Leg(row.leg), VersionId(partner, row.version), int(row.points)) for row in rows]


def _participants(closing: Edge, book: PriceBook) -> list[tuple[str, str]]:
    """Partners with terms in force at the window's edge, with the currency of these terms. Not the operator."""
    found = []
    for partner in book.partners(closing.created_at + 1):
        version = book.in_force(partner, closing.created_at)
        if partner != OPERATOR and version is not None:
            found.append((partner, book.terms(version).currency))
    return found


def _line_row(number: int, line: Line, entries: bytes) -> dict[str, object]:
    return {
        "window_number": number,
        "partner": line.key.partner,
        "leg": line.key.leg.value,
        "currency": line.key.currency,
        "rate": line.key.rate.value,
        "rounding": line.key.rounding.value,
        "points": line.points,
        "items": line.items,
        "late_items": line.late_items,
        "points_before": line.points_before,
        "booked_minor": line.booked_minor,
        "entries_root": entries,
    }
