"""Settlement's own journal: corrections, one after the other, chained like the ledger's buckets.

It is one more gap-free coordinate of each window: a correction counts in the window that is open when it is written,
as a line of its own, at the version that priced what it corrects.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection, text

from services.settlement.domain.journal import START
from services.settlement.domain.obligations import RollupKey
from services.settlement.domain.window import WindowState
from services.settlement.store import windows
from services.settlement.store.tally import OWN_WORKER, Tally
from shared.canonical import canonical
from shared.db.sessions import cursor_of
from shared.instants import micros

_LAST = text("SELECT seq, hash FROM settlement.own_entries ORDER BY seq DESC LIMIT 1")
_HASH = text("SELECT hash FROM settlement.own_entries WHERE seq = :seq")
_INSERT = text("""
INSERT INTO settlement.own_entries (seq, window_number, subject, canonical, prev, hash, at)
VALUES (:seq, :window_number, :subject, :canonical, :prev, :hash, :at)
""")
_ALL = text("SELECT seq, window_number, subject, canonical, prev, hash, at FROM settlement.own_entries ORDER BY seq")


def append(connection: Connection, subject: str, key: RollupKey, points: int, at: datetime) -> tuple[int, int]:
    """Post signed points under a key of the original's; answers with the window and the seq.

    `subject` names the correction, `adjustments/7`; with `AMOUNT ` before it the points are minor units of money.
    """
    windows.lock(connection)
    window = next(one for one in windows.live(connection) if one.state is WindowState.OPEN)
    last = connection.execute(_LAST).first()
    seq, prev = (last.seq + 1, bytes(last.hash)) if last else (1, START)
    body = canonical(
        {
            "at": micros(at),
            "counterparty": key.counterparty,
            "leg": key.leg.value,
            "opened_at": window.opened_at,
            "partner": key.version.partner,
            "points": points,
            "rate_class": key.rate_class,
            "seq": seq,
            "subject": subject,
            "v": 1,
            "version": key.version.number,
            "window": window.number,
        }
    )
    facts = {"seq": seq, "window_number": window.number, "subject": subject, "canonical": body, "prev": prev}
    connection.execute(_INSERT, {**facts, "hash": sha256(prev + body).digest(), "at": at})
    tally = Tally(OWN_WORKER)
    own = key._replace(month=0)
    tally.roll_up(window.number, own, points, late=False, occurred_at=window.opened_at, subject=subject)
    tally.save(cursor_of(connection))
    return window.number, seq


def hash_at(connection: Connection, seq: int) -> bytes:
    """The hash of an entry; of place 0, the beginning."""
    return bytes(connection.execute(_HASH, {"seq": seq}).scalar_one()) if seq else START


def entries(connection: Connection) -> Iterator[tuple[int, int, str, bytes, bytes, bytes, int]]:
    """All of it: seq, window, subject, canonical, hash before, hash, when."""
    for row in connection.execute(_ALL):
        chained = (bytes(row.canonical), bytes(row.prev), bytes(row.hash))
        yield row.seq, row.window_number, row.subject, *chained, micros(row.at)
