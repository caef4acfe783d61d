"""Stored tables beside what the journal gives: the first row that differs, is missing or is too much is named."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from sqlalchemy import Connection, text

from services.settlement.domain.legs import OPERATOR
from services.settlement.domain.lines import Line, LineKey, Rollup
from services.settlement.domain.nets import Net
from services.settlement.domain.obligations import RollupKey
from services.settlement.domain.statement import EntriesTree, statements_root
from services.settlement.domain.window import Window
from services.settlement.store import books
from shared.instants import micros
from shared.verifying import Differs, compare

_ROLLUPS = text("""
SELECT window_number, leg, partner, version, counterparty, rate_class, month, subject, sum(points)::text AS points,
    sum(items)::bigint AS items, sum(late_items)::bigint AS late_items, max(latest_at) AS latest_at
FROM settlement.all_rollups GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
""")
_COUNTS = text("""
SELECT window_number, bucket, entries, late_entries, points::text AS points FROM settlement.window_counts
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
UNION ALL SELECT 'seal', window_number, '' FROM settlement.seals WHERE window_number <> ALL(:closed)
LIMIT 1
""")

RollupId = tuple[int, RollupKey, str]
"""Window, key, and the correction that it is of."""


@dataclass(slots=True)
class Again:
    """What the journal gives."""

    rollups: dict[RollupId, list[int]] = field(default_factory=dict)
    counts: dict[tuple[int, int], list[int]] = field(default_factory=dict)
    trees: dict[int, dict[LineKey, EntriesTree]] = field(default_factory=dict)
    lines: dict[RollupKey, LineKey] = field(default_factory=dict)

    def roll_up(
        self, window: int, key: RollupKey, points: int, late: bool, occurred_at: int, subject: str = ""
    ) -> None:
        """Count points of an obligation."""
        sums = self.rollups.setdefault((window, key, subject), [0, 0, 0, occurred_at])
        sums[0] += points
        sums[1] += 1
        sums[2] += late
        sums[3] = max(sums[3], occurred_at)

    def rollups_of(self, window: Window) -> tuple[list[Rollup], list[Rollup]]:
        """The rollups of a window, and those of all windows before it."""
        found: tuple[list[Rollup], list[Rollup]] = ([], [])
        for (number, key, subject), (points, items, late, _) in self.rollups.items():
            if number <= window.number:
                counts = (points, items, late)
                one = Rollup(key.leg, key.version, *counts, key.counterparty, key.rate_class, key.month, subject)
                found[number < window.number].append(one)
        return found


def check_strays(connection: Connection, buckets: Iterable[int], all_windows: Sequence[Window]) -> None:
    """Nothing stands in the books for a bucket that is not read or a window that is not closed."""
    if stray := connection.execute(_OF_NO_BUCKET, {"known": list(buckets)}).first():
        raise Differs("entry", f"{stray.bucket}-{stray.seq}", "the books hold an entry of a bucket that nobody reads")
    closed = [window.number for window in all_windows if window.state.is_final]
    if stray := connection.execute(_OF_NO_CLOSED_WINDOW, {"closed": closed}).first():
        name = f"windows/{stray.window_number} {stray.partner}"
        raise Differs(stray.subject, name.strip(), "it is booked for a window that is not closed")


def compare_counts(connection: Connection, again: Again) -> None:
    rows = connection.execute(_COUNTS)
    stored = {(row.window_number, row.bucket): [row.entries, row.late_entries, int(row.points or 0)] for row in rows}
    compare("window", again.counts, stored, lambda key: f"windows/{key[0]} bucket {key[1]}")


def compare_rollups(connection: Connection, again: Again) -> None:
    expected = {
        (number, key.leg.value, *key.version, key.counterparty, key.rate_class, key.month, subject): sums
        for (number, key, subject), sums in again.rollups.items()
    }
    stored = {
        tuple(row[:8]): [int(row.points), row.items, row.late_items, micros(row.latest_at)]
        for row in connection.execute(_ROLLUPS)
    }
    compare("rollup", expected, stored, _rollup_name)


def _rollup_name(key: tuple[object, ...]) -> str:
    number, leg, partner, version, counterparty, rate_class, month, subject = key
    more = [str(one) for one in (rate_class, month, subject) if one]
    if counterparty != OPERATOR:
        more.insert(0, f"with {counterparty}")
    return " ".join([f"windows/{number} {leg} {partner}/{version}", *more])


def compare_lines(connection: Connection, window: Window, made: list[Line]) -> None:
    expected = {line.key: tuple(_facts(line)) for line in made}
    stored = {line.key: tuple(_facts(line)) for line in books.lines_of_window(connection, window.number)}
    compare("line", expected, stored, lambda key: _line_name(window, key))


def compare_roots(connection: Connection, window: Window, roots: dict[LineKey, bytes]) -> None:
    """The first release kept the roots over entries beside its lines."""
    for key, root in books.roots_of_window(connection, window.number).items():
        if root != roots.get(key):
            raise Differs("line", _line_name(window, key), "its root over its entries does not hold")


def _facts(line: Line) -> tuple[int, ...]:
    counts = (line.points, line.items, line.late_items, line.points_before, line.booked_minor)
    return (*counts, line.tax_minor)


def _line_name(window: Window, key: LineKey) -> str:
    more = [key.tax, key.subject]
    if key.counterparty != OPERATOR:
        more.insert(0, f"with {key.counterparty}")
    name = f"{window.name} {key.leg.value} of {key.partner} at {key.rate.value} {key.currency}"
    return " ".join([name, *[one for one in more if one]])


def compare_nets(connection: Connection, window: Window, made: list[Net]) -> None:
    expected = {(net.partner, net.currency): tuple(net[2:]) for net in made}
    stored = {(net.partner, net.currency): tuple(net[2:]) for net in books.nets(connection, window.number)}
    compare("net", expected, stored, lambda key: f"windows/{window.number} {key[0]} {key[1]}")
    for currency in {net.currency for net in made}:
        total = sum(net.net_minor for net in made if net.currency == currency)
        if total:
            raise Differs("conservation", f"windows/{window.number} {currency}", f"the nets add up to {total}")


def compare_statements(connection: Connection, window: Window, made: dict[str, bytes], nets: list[Net]) -> int:
    rows = connection.execute(_STATEMENTS, {"number": window.number}).all()
    if not rows and not window.statements_root:
        return 0  # they are being signed
    stored = {row.partner: (bytes(row.document), bytes(row.sha256)) for row in rows}
    paid = {(net.partner, net.currency): net.net_minor for net in nets}
    for partner in sorted({*made, *stored}):
        name = f"partners/{partner}/statements/{window.number}"
        document, digest = stored.get(partner, (b"", b""))
        if document != made.get(partner):
            raise Differs("statement", name, "its bytes are not the ones that the journal gives")
        if digest != sha256(document).digest():
            raise Differs("statement", name, "its stored SHA-256 is not that of its bytes")
    for row in rows:
        if paid.get((row.partner, row.currency)) != row.net_minor:
            name = f"partners/{row.partner}/statements/{window.number}"
            raise Differs("statement", name, "the net that is shown with it is not its net")
    if statements_root(made[partner] for partner in sorted(made)) != window.statements_root:
        raise Differs("window", f"windows/{window.number}", "its root over all statements does not hold")
    return len(stored)
