"""Signed checkpoints: taken once for each request id, kept for ever."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import psycopg
import psycopg.errors
from sqlalchemy import Engine

from services.ledger.domain.apply import Head
from services.ledger.domain.checkpoint import Checkpoint, heads_root, signed_form
from services.ledger.domain.refusals import CheckpointNotFound
from services.ledger.store.rows import Row
from services.ledger.store.session import reading, writing
from shared.db.errors import Contention
from shared.instants import instant, micros

_COLUMNS = "number, seqs, hashes, root, entry_count, created_at, signature, key_id"
_BY_NUMBER = f"SELECT {_COLUMNS} FROM ledger.checkpoints WHERE number = %s"
_LATEST = f"SELECT {_COLUMNS} FROM ledger.checkpoints ORDER BY number DESC LIMIT 1"
_BY_REQUEST = f"SELECT {_COLUMNS} FROM ledger.checkpoints WHERE request_id = %s"
_ALL = f"SELECT {_COLUMNS} FROM ledger.checkpoints WHERE number > %s ORDER BY number LIMIT 100"
_HEADS = "SELECT bucket, seq, hash FROM ledger.heads ORDER BY bucket"
_NEXT = "SELECT coalesce(max(number), 0) + 1 FROM ledger.checkpoints"
_INSERT = """
INSERT INTO ledger.checkpoints (number, request_id, seqs, hashes, root, entry_count, created_at, signature, key_id)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""

_TRIES = 5

Sign = Callable[[bytes], bytes]


class Checkpoints:
    """Takes and finds checkpoints. `sign` is Ed25519 under the key that `key_id` names."""

    def __init__(self, engine: Engine, sign: Sign, key_id: str) -> None:
        self._engine = engine
        self._sign = sign
        self._key_id = key_id

    def taken(self, request_id: UUID, at: datetime) -> tuple[Checkpoint, bool]:
        """The checkpoint of this request, and whether it had been taken before.

        The heads are read as committed, without a lock on them: in a bucket seq order is commit order, so a posting
        in flight falls wholly after the checkpoint. Two callers may want the same number: one of them tries again.
        """
        for _ in range(_TRIES):
            try:
                return self._taken(request_id, at)
            except psycopg.errors.UniqueViolation:
                continue
        raise Contention

    def _taken(self, request_id: UUID, at: datetime) -> tuple[Checkpoint, bool]:
        with writing(self._engine) as cursor:
            if row := cursor.execute(_BY_REQUEST, [request_id]).fetchone():
                return _checkpoint(row), True
            heads = [Head(bucket, seq, hash_) for bucket, seq, hash_ in cursor.execute(_HEADS)]
            (number,) = cursor.execute(_NEXT).fetchone() or (1,)
            checkpoint = self._signed(number, heads, micros(at))
            cursor.execute(_INSERT, _row(checkpoint, request_id))
            return checkpoint, False

    def found(self, name: str) -> Checkpoint:
        """The checkpoint of that number, or the latest. Raises CheckpointNotFound."""
        with reading(self._engine) as cursor:
            query = cursor.execute(_LATEST) if name == "latest" else cursor.execute(_BY_NUMBER, [int(name)])
            row = query.fetchone()
        if row is None:
            raise CheckpointNotFound(checkpoint=name)
        return _checkpoint(row)

    def _signed(self, number: int, heads: list[Head], at: int) -> Checkpoint:
        root, count = heads_root(heads), sum(head.seq for head in heads)
        signature = self._sign(signed_form(number, root, count, at))
        return Checkpoint(number, tuple(heads), root, count, at, signature, self._key_id)


def all_checkpoints(cursor: psycopg.Cursor[Row]) -> list[Checkpoint]:
    """Every checkpoint, oldest first."""
    found: list[Checkpoint] = []
    while rows := cursor.execute(_ALL, [found[-1].number if found else 0]).fetchall():
        found += [_checkpoint(row) for row in rows]
    return found


def _row(checkpoint: Checkpoint, request_id: UUID) -> list[object]:
    return [
        checkpoint.number,
        request_id,
        [head.seq for head in checkpoint.heads],
        [head.hash for head in checkpoint.heads],
        checkpoint.root,
        checkpoint.entry_count,
        instant(checkpoint.created_at),
        checkpoint.signature,
        checkpoint.key_id,
    ]


def _checkpoint(row: Row) -> Checkpoint:
    number, seqs, hashes, root, entry_count, created_at, signature, key_id = row
    heads = tuple(Head(bucket, seq, hash_) for bucket, (seq, hash_) in enumerate(zip(seqs, hashes, strict=False)))
    return Checkpoint(number, heads, root, entry_count, micros(created_at), signature, key_id)
