"""The entries of a window that moved money, by their place: no index by window is needed for that."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, text

from services.settlement.domain.contract import VersionId
from services.settlement.domain.legs import Leg, sides
from services.settlement.domain.window import Window

_PAGE = text("""
SELECT bucket, seq, line, leg, partner, counterparty, version, rate_class, points, original, late, occurred_at,
    entry_hash
FROM settlement.obligations
WHERE bucket = :bucket AND seq > :begins AND (seq, line) > (:seq, :line) AND seq <= :until
ORDER BY seq, line LIMIT :limit
""")
_BUCKETS = text("SELECT bucket, seq FROM settlement.buckets ORDER BY bucket")


class Counted(NamedTuple):
    """What one entry made, one line of it."""

    bucket: int
    seq: int
    line: int
    leg: Leg
    debtor: str
    creditor: str
    version: VersionId
    rate_class: str
    points: int
    original: int | None
    late: bool
    occurred_at: datetime
    hash: bytes


def page(connection: Connection, window: Window, bucket: int, seq: int, line: int, limit: int) -> list[Counted]:
    """The next ones after a place; of an open window, as far as it was counted."""
    found: list[Counted] = []
    for each, reached in connection.execute(_BUCKETS):
        if each < bucket or len(found) >= limit:
            continue
        until = window.to.seqs[each] if window.to else reached
        after = (seq, line) if each == bucket else (0, -1)
        facts = {"bucket": each, "begins": window.from_seq(each), "seq": after[0], "line": after[1], "until": until}
        for row in connection.execute(_PAGE, {**facts, "limit": limit - len(found)}):
            leg, version = Leg(row.leg), VersionId(row.partner, row.version)
            debtor, creditor = sides(leg, row.partner, row.counterparty)
            rest = (row.points, row.original, row.late, row.occurred_at, bytes(row.entry_hash))
            found.append(Counted(each, row.seq, row.line, leg, debtor, creditor, version, row.rate_class, *rest))
    return found
