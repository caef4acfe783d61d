"""Stored tables beside what the journal gives: the first row that differs, is missing or is too much is named."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from sqlalchemy import Connection, text

from services.settlement.domain.lines import LineKey
from services.settlement.domain.statement import EntryLeaf
from services.settlement.domain.window import Window, WindowState
from services.settlement.store import books
from services.settlement.store.contracts import version_of
from shared.instants import micros
from shared.verifying import Differs, compare

_ROLLUPS = text("""
SELECT window_number, leg, partner, version, points::text AS points, items, late_items, latest_at
FROM settlement.rollups
""")
_COUNTS = text("SELECT window_number, bucket, entries, late_entries FROM settlement.window_counts")
_VERSIONS = text("SELECT * FROM settlement.contract_versions ORDER BY ordinal")
_LINES = text("""
SELECT partner, leg, currency, rate, rounding, points::text AS points, items, late_items,
    points_before::text AS before, booked_minor, entries_root
FROM settlement.lines WHERE window_number = :number
""")
_STATEMENTS = text("""
SELECT partner, document, sha256, currency, net_minor FROM settlement.statements
WHERE window_number = :number ORDER BY partner
""")
_OF_NO_BUCKET = text("""
SELECT bucket, seq FROM settlement.obligations WHERE bucket <> ALL(:known)
UNION ALL SELECT bucket, seq FROM settlement.suspense WHERE bucket <> ALL(:known) LIMIT 1
""")
_OF_NO_CLOSED_WINDOW = text("""
SELECT 'line' AS subject, window_number, partner FROM settlement.lines WHERE window_number <> ALL(:closed)
UNION ALL SELECT 'net', window_number, partner FROM settlement.nets WHERE window_number <> ALL(:closed)
UNION ALL SELECT 'statement', window_number, partner FROM settlement.statements WHERE window_number <> ALL(:closed)
LIMIT 1
""")

RollupId = tuple[int, str, str, int]


@dataclass(slots=True)
class Again:
    """What the journal gives."""

    rollups: dict[RollupId, list[int]] = field(default_factory=dict)
    counts: dict[tuple[int, int], list[int]] = field(default_factory=dict)
    leaves: dict[int, dict[LineKey, list[EntryLeaf]]] = field(default_factory=dict)


def check_versions(connection: Connection) -> None:
    """Each version is what was hashed when it was published, and none is missing."""
    for ordinal, row in enumerate(connection.execute(_VERSIONS).mappings(), start=1):
        name = f"partners/{row['partner']}/contract/versions/{row['number']}"
        try:
            unchanged = version_of(row).sha256 == bytes(row["sha256"])
        except ValueError:
            unchanged = False
        if not unchanged:
            raise Differs("contract", name, "its terms are not the ones that were published")
        if row["ordinal"] != ordinal:
            raise Differs("contract", name, f"it is version {row['ordinal']} of all, and {ordinal - 1} came before it")


def check_strays(connection: Connection, buckets: Iterable[int], all_windows: Sequence[Window]) -> None:
    """Nothing stands in the books for a bucket that is not read or a window that is not closed."""
    if stray := connection.execute(_OF_NO_BUCKET, {"known": list(buckets)}).first():
        raise Differs("entry", f"{stray.bucket}-{stray.seq}", "the books hold an entry of a bucket that nobody reads")
    closed = [window.number for window in all_windows if window.state is WindowState.CLOSED]
    if stray := connection.execute(_OF_NO_CLOSED_WINDOW, {"closed": closed}).first():
        name = f"windows/{stray.window_number} {stray.partner}"
        raise Differs(stray.subject, name, "it is booked for a window that is not closed")


def compare_counts(connection: Connection, again: Again) -> None:
    stored = {(row.window_number, row.bucket): [row.entries, row.late_entries] for row in connection.execute(_COUNTS)}
    compare("window", again.counts, stored, lambda key: f"windows/{key[0]} bucket {key[1]}")


def compare_rollups(connection: Connection, again: Again) -> None:
    stored = {
        (row.window_number, row.leg, row.partner, row.version): [
            int(row.points),
            row.items,
            row.late_items,
            micros(row.latest_at),
        ]
        for row in connection.execute(_ROLLUPS)
    }
    compare("rollup", again.rollups, stored, lambda key: f"windows/{key[0]} {key[1]} {key[2]}/{key[3]}")


def compare_lines(connection: Connection, window: Window, made: books.Books) -> None:
    expected = {
        (line.key.partner, line.key.leg.value, line.key.currency, line.key.rate.value, line.key.rounding.value): (
            line.points,
            line.items,
            line.late_items,
            line.points_before,
            line.booked_minor,
            root.hex(),
        )
        for line, root in made.lines
    }
    stored = {
        (row.partner, row.leg, row.currency, row.rate, row.rounding): (
            int(row.points),
            row.items,
            row.late_items,
            int(row.before),
            int(row.booked_minor),
            bytes(row.entries_root).hex(),
        )
        for row in connection.execute(_LINES, {"number": window.number})
    }
    compare("line", expected, stored, lambda key: f"windows/{window.number} {key[1]} of {key[0]} at {key[3]} {key[2]}")


def compare_nets(connection: Connection, window: Window, made: books.Books) -> None:
    expected = {(net.partner, net.currency): tuple(net[2:]) for net in made.nets}
    stored = {(net.partner, net.currency): tuple(net[2:]) for net in books.nets(connection, window.number)}
    compare("net", expected, stored, lambda key: f"windows/{window.number} {key[0]} {key[1]}")
    for currency in {net.currency for net in made.nets}:
        total = sum(net.net_minor for net in made.nets if net.currency == currency)
        if total:
            raise Differs("conservation", f"windows/{window.number} {currency}", f"the nets add up to {total}")


def compare_statements(connection: Connection, window: Window, made: books.Books) -> int:
    rows = connection.execute(_STATEMENTS, {"number": window.number}).all()
    stored = {row.partner: (bytes(row.document), bytes(row.sha256)) for row in rows}
    nets = {(net.partner, net.currency): net.net_minor for net in made.nets}
    for partner in sorted({*made.statements, *stored}):
        name = f"partners/{partner}/statements/{window.number}"
        document, digest = stored.get(partner, (b"", b""))
        if document != made.statements.get(partner):
            raise Differs("statement", name, "its bytes are not the ones that the journal gives")
        if digest != sha256(document).digest():
            raise Differs("statement", name, "its stored SHA-256 is not that of its bytes")
    for row in rows:
        if nets.get((row.partner, row.currency)) != row.net_minor:
            name = f"partners/{row.partner}/statements/{window.number}"
            raise Differs("statement", name, "the net that is shown with it is not its net")
    if made.statements_root != window.statements_root:
        raise Differs("window", f"windows/{window.number}", "its root over all statements does not hold")
    return len(stored)
