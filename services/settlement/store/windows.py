"""Windows as rows: which is open, which is closing, and the steps between."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, RowMapping, text

from services.settlement.domain.machines import WINDOW
from services.settlement.domain.refusals import (
    EarlierWindowClosing,
    RequestIdReused,
    WindowClosedByAnother,
    WindowNotFound,
    WindowNotOpen,
)
from services.settlement.domain.window import Edge, Window, WindowState
from services.settlement.store import transitions
from shared.instants import instant, micros
from shared.money import edition_in_force

SETTLEMENT = "service/settlement"
"""Who does what nobody asked for."""

_FIRST = text("""
INSERT INTO settlement.windows (number, state, opened_at, from_seqs) VALUES (1, 'OPEN', :at, '{}')
ON CONFLICT DO NOTHING
""")
_LOCK = text("SELECT pg_advisory_xact_lock(1)")
_SHARE = text("SELECT pg_advisory_xact_lock_shared(1)")
_LIVE = text("SELECT * FROM settlement.windows WHERE state IN ('OPEN', 'CLOSING') ORDER BY number")
_UNSIGNED = text("""
SELECT * FROM settlement.windows WHERE state IN ('CLOSED', 'SETTLED') AND statements_root IS NULL
ORDER BY number LIMIT 1
""")
_LAST_EDGE = text("SELECT max(to_created_at) FROM settlement.windows")
_CLOSING = text("SELECT number FROM settlement.windows WHERE state = 'CLOSING'")
_OPEN = text("SELECT * FROM settlement.windows WHERE state = 'OPEN'")
_AWAITS_EDGE = text("SELECT 1 FROM settlement.windows WHERE state = 'OPEN' AND close_request_id IS NOT NULL")
_BY_NUMBER = text("SELECT * FROM settlement.windows WHERE number = :number")
_PAGE = text("SELECT * FROM settlement.windows WHERE number > :after ORDER BY number LIMIT :limit")
_ASK = text("""
UPDATE settlement.windows SET close_request_id = :request_id, asked_by = :by WHERE number = :number
""")
_BY_REQUEST = text("SELECT number FROM settlement.windows WHERE close_request_id = :request_id")
_FIX_EDGE = text("""
UPDATE settlement.windows SET to_checkpoint = :checkpoint, to_seqs = :seqs, to_hashes = :hashes,
    to_root = :root, to_created_at = :created_at, to_signature = :signature, to_key_id = :key_id,
    to_tree_root = :tree_root, to_tree_signature = :tree_signature, own_to = :own
WHERE number = :number AND state = 'OPEN'
""")
_NEXT = text("""
INSERT INTO settlement.windows (number, state, opened_at, from_checkpoint, from_seqs, own_from)
VALUES (:number, 'OPEN', :created_at, :checkpoint, :seqs, :own)
""")
_CLOSE = text("""
UPDATE settlement.windows SET closed_at = :at, versions_known = :known, currency_edition = :edition
WHERE number = :number AND state = 'CLOSING'
""")
_SIGN = text("""
UPDATE settlement.windows SET statements_root = :root WHERE number = :number AND statements_root IS NULL
""")
_HAS_CHAIN = text("SELECT 1 FROM settlement.transitions WHERE name = :name")
_OWN = text("SELECT coalesce(max(seq), 0) FROM settlement.own_entries")
_COUNTS = text("""
SELECT window_number, sum(entries)::bigint AS entries, sum(late_entries)::bigint AS late
FROM settlement.window_counts WHERE window_number = ANY(:numbers) GROUP BY window_number
""")


def ensure_first(connection: Connection, at: datetime) -> None:
    """Window 1 is there from the first start on."""
    if connection.execute(_FIRST, {"at": at}).rowcount:
        transitions.begin(connection, WINDOW, "windows/1", "OPEN", "predecessor", by=SETTLEMENT, at=at)


def lock(connection: Connection) -> None:
    """One at a time: who counts, publishes or moves a window. What is read from here on is what the one before left.

    A lock of its own, not rows: what was counted, its price and the next window are rows that are not there yet.
    """
    connection.execute(_LOCK)


def share(connection: Connection) -> None:
    """Many at a time: who counts. While one of them does, nobody publishes and no window moves."""
    connection.execute(_SHARE)


def live(connection: Connection) -> list[Window]:
    """The windows that are not closed yet, oldest first, under a lock: at most one closing and one open."""
    return [window_of(row) for row in connection.execute(_LIVE).mappings()]


def unsigned(connection: Connection) -> Window | None:
    """The oldest closed window whose statements are not signed yet."""
    row = connection.execute(_UNSIGNED).mappings().first()
    return None if row is None else window_of(row)


def last_edge(connection: Connection) -> datetime | None:
    """When the newest checkpoint was taken that a window ends at."""
    edge: datetime | None = connection.execute(_LAST_EDGE).scalar()
    return edge


def found(connection: Connection, name: str) -> Window:
    """`windows/7` or `windows/open`. Raises WindowNotFound."""
    wanted = name.removeprefix("windows/")
    query = connection.execute(_OPEN) if wanted == "open" else connection.execute(_BY_NUMBER, {"number": int(wanted)})
    row = query.mappings().first()
    if row is None:
        raise WindowNotFound(window=name)
    return window_of(row)


def page(connection: Connection, after: int, limit: int) -> list[Window]:
    """Windows by number."""
    return [window_of(row) for row in connection.execute(_PAGE, {"after": after, "limit": limit}).mappings()]


def ask_to_close(connection: Connection, number: int, request_id: UUID, by: str = SETTLEMENT) -> bool:
    """Note that a window is to be closed: from here on nothing more is counted until its edge is fixed.

    The same request may ask again; answers whether it did. Raises WindowNotFound, WindowNotOpen,
    WindowClosedByAnother, RequestIdReused, EarlierWindowClosing.
    """
    lock(connection)
    window = connection.execute(_BY_NUMBER, {"number": number}).mappings().first()
    if window is None:
        raise WindowNotFound(window=f"windows/{number}")
    if window["close_request_id"] == request_id:
        return True
    used = connection.execute(_BY_REQUEST, {"request_id": request_id}).scalar()
    if used is not None:
        raise RequestIdReused(request_id=request_id, first=f"windows/{used}")
    if window["state"] in {WindowState.CLOSED.value, WindowState.SETTLED.value}:
        raise WindowNotOpen(window=f"windows/{number}", state=window["state"].lower())
    if window["close_request_id"] is not None:
        raise WindowClosedByAnother(window=f"windows/{number}", by=window["asked_by"] or SETTLEMENT)
    if (earlier := connection.execute(_CLOSING).scalar()) is not None:
        raise EarlierWindowClosing(window=f"windows/{number}", earlier=f"windows/{earlier}")
    connection.execute(_ASK, {"request_id": request_id, "number": number, "by": by})
    return False


def is_closing(connection: Connection) -> bool:
    """Whether an earlier window is still on its way."""
    return connection.execute(_CLOSING).first() is not None


def awaits_edge(connection: Connection) -> bool:
    """Whether the open window is to be closed and nobody knows yet where it ends: until then nothing is counted."""
    return connection.execute(_AWAITS_EDGE).first() is not None


def fix_edge(connection: Connection, window: Window, edge: Edge) -> None:
    """OPEN becomes CLOSING at the checkpoint, and the next window begins there."""
    act = "calendar" if window.asked_by == SETTLEMENT else "CloseWindow"
    values = {
        "checkpoint": edge.checkpoint,
        "seqs": list(edge.seqs),
        "hashes": list(edge.hashes),
        "root": edge.root,
        "created_at": instant(edge.created_at),
        "signature": edge.signature,
        "key_id": edge.key_id,
        "tree_root": edge.tree_root or None,
        "tree_signature": edge.tree_signature or None,
        "own": int(connection.execute(_OWN).scalar_one()),
    }
    at = instant(edge.created_at)
    connection.execute(_FIX_EDGE, {**values, "number": window.number})
    _move(connection, window.number, "CLOSING", act, window.asked_by or SETTLEMENT, at, evidence=edge.root)
    connection.execute(_NEXT, {**values, "number": window.number + 1})
    following = f"windows/{window.number + 1}"
    transitions.begin(connection, WINDOW, following, "OPEN", "predecessor", by=SETTLEMENT, at=at)


def close(connection: Connection, number: int, at: datetime, known: int, seal: bytes) -> None:
    """CLOSING becomes CLOSED; nothing of it changes any more. `known` is the state of the book it was booked with."""
    connection.execute(_CLOSE, {"number": number, "at": at, "known": known, "edition": edition_in_force()})
    _move(connection, number, "CLOSED", "ingest", SETTLEMENT, at, evidence=seal)


def sign(connection: Connection, number: int, statements_root: bytes) -> bool:
    """The statements of a closed window are signed; answers whether that is news."""
    return bool(connection.execute(_SIGN, {"number": number, "root": statements_root}).rowcount)


def settle(connection: Connection, number: int, at: datetime, by: str = SETTLEMENT) -> None:
    """CLOSED becomes SETTLED, when its last slice is."""
    _move(connection, number, "SETTLED", "settled", by, at)


def _move(connection: Connection, number: int, to: str, act: str, by: str, at: datetime, evidence: bytes = b"") -> None:
    name = f"windows/{number}"
    if connection.execute(_HAS_CHAIN, {"name": name}).first() is None:  # opened before there were chains
        transitions.begin(connection, WINDOW, name, "OPEN", "predecessor", by=SETTLEMENT, at=at)
    transitions.move(connection, WINDOW, "windows", name, to, act, by=by, evidence=evidence, at=at)


def counts(connection: Connection, numbers: Sequence[int]) -> dict[int, tuple[int, int]]:
    """Entries and late entries of these windows."""
    rows = connection.execute(_COUNTS, {"numbers": list(numbers)})
    return {row.window_number: (row.entries, row.late) for row in rows}


def window_of(row: RowMapping) -> Window:
    """A row of windows."""
    return Window(
        number=row["number"],
        state=WindowState(row["state"]),
        opened_at=micros(row["opened_at"]),
        from_checkpoint=row["from_checkpoint"],
        from_seqs=tuple(row["from_seqs"]),
        to=_edge_of(row),
        asked_to_close=row["close_request_id"] is not None,
        closed_at=micros(row["closed_at"]) if row["closed_at"] else None,
        statements_root=bytes(row["statements_root"] or b""),
        versions_known=row["versions_known"] or 0,
        currency_edition=row["currency_edition"],
        asked_by=row["asked_by"],
        own_from=row["own_from"],
        own_to=row["own_to"] or 0,
    )


def _edge_of(row: RowMapping) -> Edge | None:
    if row["to_checkpoint"] is None:
        return None
    return Edge(
        checkpoint=row["to_checkpoint"],
        seqs=tuple(row["to_seqs"]),
        hashes=tuple(bytes(hash_) for hash_ in row["to_hashes"]),
        root=bytes(row["to_root"]),
        created_at=micros(row["to_created_at"]),
        signature=bytes(row["to_signature"]),
        key_id=row["to_key_id"],
        tree_root=bytes(row["to_tree_root"] or b""),
        tree_signature=bytes(row["to_tree_signature"] or b""),
    )
