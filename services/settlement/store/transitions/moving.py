"""Moves: a state changes where it is what the table of states expects, and a row says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import Connection, TextClause, text

from services.settlement.domain.machines import NEW, Machine
from services.settlement.store.transitions.chain import BEGINNING, Row
from shared.db.columns import Hashes, Int4s, Texts
from shared.db.sessions import cursor_of
from shared.refusal import Kind, Refusal

_LAST = text("""
SELECT DISTINCT ON (name) name, step, hash FROM settlement.transitions
WHERE name = ANY(:names) ORDER BY name, step DESC
""")
_APPEND = """
INSERT INTO settlement.transitions (name, step, resource, frm, state, act, by, why, evidence, at, prev, hash)
SELECT n.name, n.step, %s, n.frm, %s, %s, %s, %s, %s, %s, n.prev, n.hash
FROM unnest(%b, %b, %b, %b, %b) AS n (name, step, frm, prev, hash)
"""


class EtagMismatch(Refusal):
    """The caller decided by what it read before."""

    kind = Kind.CHANGED
    message = "{name} was changed meanwhile: it has the etag {etag}."
    remedy = "Read it again and decide again."


class ResourceNotFound(Refusal):
    """Nothing has that name."""

    kind = Kind.NOT_THERE
    message = "There is no {name}."
    remedy = "List what there is."


def begin(
    connection: Connection,
    machine: Machine,
    name: str,
    state: str,
    act: str,
    *,
    by: str,
    why: str = "",
    evidence: bytes = b"",
    at: datetime,
) -> None:
    """Write down that a resource begins; whoever calls this inserts its row. Raises TransitionRefused."""
    begin_all(connection, machine, [name], state, act, by=by, why=why, evidence=evidence, at=at)


def begin_all(
    connection: Connection,
    machine: Machine,
    names: Sequence[str],
    state: str,
    act: str,
    *,
    by: str,
    why: str = "",
    evidence: bytes = b"",
    at: datetime,
) -> None:
    """`begin` for many at once."""
    for name in names:
        machine.check(name, NEW, state, act)
    _append(connection, machine, dict.fromkeys(names, NEW), state, act, by, why, evidence, at)


def move(
    connection: Connection,
    machine: Machine,
    table: str,
    name: str,
    to: str,
    act: str,
    *,
    by: str,
    why: str = "",
    evidence: bytes = b"",
    at: datetime,
    etag: int | None = None,
) -> str:
    """Move one resource; answers with the state that it leaves.

    `table` is its table in the schema, with the columns name, state and etag; `etag` is the one that the caller has
    seen. Raises ResourceNotFound, TransitionRefused, EtagMismatch.
    """
    found = move_all(connection, machine, table, [name], to, act, by=by, why=why, evidence=evidence, at=at, etag=etag)
    return found[name]


def move_all(
    connection: Connection,
    machine: Machine,
    table: str,
    names: Sequence[str],
    to: str,
    act: str,
    *,
    by: str,
    why: str = "",
    evidence: bytes = b"",
    at: datetime,
    etag: int | None = None,
) -> dict[str, str]:
    """`move` for many at once, all or none: the state that each leaves."""
    left = _locked(connection, machine, table, names, to, act, etag)
    if left:
        _append(connection, machine, left, to, act, by, why, evidence, at)
        connection.execute(_statements(table).change, {"names": list(left), "to": to})
    return left


def _locked(
    connection: Connection, machine: Machine, table: str, names: Sequence[str], to: str, act: str, etag: int | None
) -> dict[str, str]:
    """The states of these rows, which from here on nobody else can move; locked in one order by everybody."""
    rows = {row.name: row for row in connection.execute(_statements(table).lock, {"names": list(names)})}
    for name in names:
        if name not in rows:
            raise ResourceNotFound(name=name)
        if etag is not None and rows[name].etag != etag:
            raise EtagMismatch(name=name, etag=rows[name].etag)
        machine.check(name, rows[name].state, to, act)
    return {name: rows[name].state for name in names}


def _append(
    connection: Connection,
    machine: Machine,
    left: Mapping[str, str],
    to: str,
    act: str,
    by: str,
    why: str,
    evidence: bytes,
    at: datetime,
) -> None:
    last = {row.name: (row.step, bytes(row.hash)) for row in connection.execute(_LAST, {"names": list(left)})}
    rows = []
    for name, frm in left.items():
        step, prev = last.get(name, (0, BEGINNING))
        row = Row(name, step + 1, machine.resource, frm, to, act, by, why, evidence, at, prev, b"")
        rows.append(row._replace(hash=row.hashed()))
    cursor_of(connection).execute(
        _APPEND,
        [
            machine.resource, to, act, by, why, evidence, at,
            Texts([row.name for row in rows]),
            Int4s([row.step for row in rows]),
            Texts([row.frm for row in rows]),
            Hashes([row.prev for row in rows]),
            Hashes([row.hash for row in rows]),
        ],
    )  # fmt: skip


class _Statements(NamedTuple):
    lock: TextClause
    change: TextClause


@lru_cache(maxsize=64)
def _statements(table: str) -> _Statements:
    """Tables are named by code, never by a caller from outside."""
    return _Statements(
        text(f"SELECT name, state, etag FROM settlement.{table} WHERE name = ANY(:names) ORDER BY name FOR UPDATE"),
        text(f"UPDATE settlement.{table} SET state = :to, etag = etag + 1 WHERE name = ANY(:names)"),
    )
