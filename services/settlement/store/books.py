"""The books of a window as rows: rollups in; lines and nets out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from services.settlement.domain.contract import PriceBook, VersionId
from services.settlement.domain.legs import OPERATOR, Leg
from services.settlement.domain.lines import Line, LineKey, Rollup, key_of
from services.settlement.domain.nets import Net
from services.settlement.domain.statement import EntryLeaf
from services.settlement.domain.terms import Rounding
from services.settlement.domain.window import Window
from shared.db.columns import Int4s, Int8s
from shared.db.sessions import cursor_of
from shared.money import Rate

_KEY = "leg, partner, version, counterparty, rate_class, month, subject"
_ROLLUPS = text(f"""
SELECT {_KEY}, sum(points)::text AS points, sum(items)::bigint AS items, sum(late_items)::bigint AS late_items
FROM settlement.all_rollups WHERE window_number = :number GROUP BY {_KEY} ORDER BY {_KEY}
""")
_BEFORE = text(f"""
SELECT {_KEY}, sum(points)::text AS points, sum(items)::bigint AS items, sum(late_items)::bigint AS late_items
FROM settlement.all_rollups WHERE window_number < :number GROUP BY {_KEY} ORDER BY {_KEY}
""")
# Each bucket's own order makes it a walk along the key, whatever the statistics say.
_LEAVES = """
SELECT o.partner, o.leg, o.version, o.counterparty, o.rate_class, o.bucket, o.seq, o.points, o.entry_hash
FROM unnest(%b, %b, %b) AS asked (bucket, after, upto) CROSS JOIN LATERAL (
    SELECT * FROM settlement.obligations o
    WHERE o.bucket = asked.bucket AND o.seq > asked.after AND o.seq <= asked.upto ORDER BY o.seq, o.line
) o ORDER BY o.bucket, o.seq, o.line
"""
_INSERT_LINE = text("""
INSERT INTO settlement.lines (window_number, partner, leg, currency, rate, rounding, counterparty, tax, subject, fees,
    points, items, late_items, points_before, booked_minor, tax_minor)
VALUES (:window_number, :partner, :leg, :currency, :rate, :rounding, :counterparty, :tax, :subject, :fees,
    :points, :items, :late_items, :points_before, :booked_minor, :tax_minor)
""")
_INSERT_NET = text("""
INSERT INTO settlement.nets (window_number, partner, currency, billed_minor, reimbursed_minor, net_minor, fees_minor,
    tax_minor)
VALUES (:window_number, :partner, :currency, :billed_minor, :reimbursed_minor, :net_minor, :fees_minor, :tax_minor)
""")
_LINES = text("""
SELECT leg, partner, currency, rate, rounding, counterparty, tax, subject, fees, points::text AS points, items,
    late_items, points_before::text AS before, booked_minor, tax_minor, entries_root
FROM settlement.lines WHERE window_number = :number
""")
_NETS = text("""
SELECT partner, currency, billed_minor, reimbursed_minor, net_minor, fees_minor, tax_minor FROM settlement.nets
WHERE window_number = :number ORDER BY partner = 'operator', partner, currency
""")
_OPEN = text(f"""
SELECT {_KEY}, sum(points)::text AS points, sum(items)::bigint AS items, sum(late_items)::bigint AS late_items
FROM settlement.all_rollups r JOIN settlement.windows w ON w.number = r.window_number
WHERE w.state IN ('OPEN', 'CLOSING') AND (r.partner = :partner OR r.counterparty = :partner) GROUP BY {_KEY}
""")


def rollups(connection: Connection, number: int) -> list[Rollup]:
    """The rollups of one window, whichever worker counted them."""
    return [_rollup(row) for row in connection.execute(_ROLLUPS, {"number": number})]


def rollups_before(connection: Connection, number: int) -> list[Rollup]:
    """What all windows before this one add up to."""
    return [_rollup(row) for row in connection.execute(_BEFORE, {"number": number})]


def open_rollups(connection: Connection, partner: str) -> list[Rollup]:
    """What a partner's obligations outside closed windows add up to, whichever side of them it is."""
    return [_rollup(row) for row in connection.execute(_OPEN, {"partner": partner})]


def leaves_by_line(
    connection: Connection, window: Window, buckets: Iterable[int], book: PriceBook, page_entries: int = 20_000
) -> Iterator[tuple[LineKey, list[EntryLeaf]]]:
    """A window's entries of these buckets: in each page, by line, the leaves by bucket and seq."""
    keys: dict[tuple[object, ...], LineKey] = {}
    cursor = cursor_of(connection)
    for page in _pages(window, buckets, page_entries):
        found: dict[tuple[object, ...], list[EntryLeaf]] = defaultdict(list)
        asked, after, upto = zip(*page, strict=True)
        rows: Iterable[Any] = cursor.execute(_LEAVES, [Int4s(asked), Int8s(after), Int8s(upto)])
        for partner, leg, version, counterparty, rate_class, bucket, seq, points, hash_ in rows:
            found[partner, leg, version, counterparty, rate_class].append(EntryLeaf(bucket, seq, points, hash_))
        for place, leaves in found.items():
            if place not in keys:
                keys[place] = _line_key(place, book)
            yield keys[place], leaves


def leaves_of(
    connection: Connection, window: Window, bucket: int, book: PriceBook
) -> Iterator[tuple[LineKey, EntryLeaf]]:
    """A window's entries of one bucket, each with the line that it counts in; those of one line in their order."""
    for key, leaves in leaves_by_line(connection, window, [bucket], book):
        for leaf in leaves:
            yield key, leaf


def _pages(window: Window, buckets: Iterable[int], most: int) -> Iterator[list[tuple[int, int, int]]]:
    """Bucket, seq before and last seq of what is read at once: many buckets of a short window, of a long one a part."""
    if window.to is None:
        return
    page: list[tuple[int, int, int]] = []
    room = most
    for bucket in buckets:
        seen, until = window.from_seq(bucket), window.to.seqs[bucket]
        while seen < until:
            upto = min(seen + room, until)
            page.append((bucket, seen, upto))
            room -= upto - seen
            seen = upto
            if not room:
                yield page
                page, room = [], most
    if page:
        yield page


def _line_key(place: tuple[object, ...], book: PriceBook) -> LineKey:
    partner, leg, version, counterparty, rate_class = place
    id_ = VersionId(str(partner), int(str(version)))
    return key_of(Leg(leg), id_, book, str(counterparty), str(rate_class))


def save(connection: Connection, number: int, lines: Sequence[Line], nets: Sequence[Net]) -> None:
    """Book it all, in the transaction that closes the window."""
    if lines:
        connection.execute(_INSERT_LINE, [_line_row(number, line) for line in lines])
    if nets:
        connection.execute(_INSERT_NET, [{"window_number": number, **net._asdict()} for net in nets])


def lines_of_window(connection: Connection, number: int) -> list[Line]:
    """The lines of a closed window, in their order."""
    found = [_line(row) for row in connection.execute(_LINES, {"number": number})]
    return sorted(found, key=lambda line: line.key.order)


def roots_of_window(connection: Connection, number: int) -> dict[LineKey, bytes]:
    """The roots over entries that the first release kept beside its lines; of later windows, none."""
    rows = connection.execute(_LINES, {"number": number})
    return {_line(row).key: bytes(row.entries_root) for row in rows if row.entries_root is not None}


def nets(connection: Connection, number: int) -> list[Net]:
    """The nets of a closed window, the operator's last."""
    rows = connection.execute(_NETS, {"number": number})
    return [Net(partner, currency, *map(int, minor)) for partner, currency, *minor in rows]


def participants(ends: int, book: PriceBook) -> list[tuple[str, str]]:
    """Partners with terms in force at a window's edge, with the currency of these terms. Not the operator."""
    found = []
    for partner in book.partners(ends + 1):
        version = book.in_force(partner, ends)
        if partner != OPERATOR and version is not None:
            found.append((partner, book.terms(version).currency))
    return found


def _rollup(row: Row[Any]) -> Rollup:
    version = VersionId(row.partner, row.version)
    counts = (int(row.points), row.items, row.late_items)
    return Rollup(Leg(row.leg), version, *counts, row.counterparty, row.rate_class, row.month, row.subject)


def _line(row: Row[Any]) -> Line:
    facts = (Leg(row.leg), row.partner, row.currency, Rate.of(row.rate), Rounding(row.rounding))
    key = LineKey(*facts, row.counterparty, row.tax, row.subject, row.fees)
    counts = (int(row.points), row.items, row.late_items, int(row.before))
    return Line(key, *counts, int(row.booked_minor), int(row.tax_minor))


def _line_row(number: int, line: Line) -> dict[str, object]:
    key = line.key
    return {
        "window_number": number,
        "partner": key.partner,
        "leg": key.leg.value,
        "currency": key.currency,
        "rate": key.rate.value,
        "rounding": key.rounding.value,
        "counterparty": key.counterparty,
        "tax": key.tax,
        "subject": key.subject,
        "fees": key.fees,
        "points": line.points,
        "items": line.items,
        "late_items": line.late_items,
        "points_before": line.points_before,
        "booked_minor": line.booked_minor,
        "tax_minor": line.tax_minor,
    }
