"""Signed checkpoints: taken once for each request id, kept for ever."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from uuid import UUID

import psycopg
import psycopg.errors
from sqlalchemy import Engine

from services.ledger.domain.apply import Head
from services.ledger.domain.checkpoint import (
    Checkpoint,
    bucket_leaves,
    heads_root,
    signed_form,
    signed_tree_form,
)
from services.ledger.domain.refusals.checkpoints import CheckpointNotFound
from services.ledger.store.rows import Row
from services.ledger.store.session import reading, writing
from services.ledger.store.tree import Tree, roots
from shared.db.errors import Contention
from shared.instants import instant, micros
from shared.merkle import root
from shared.verifying import Differs

_COLUMNS = """number, seqs, hashes, root, entry_count, created_at, signature, key_id,
    tree_roots, tree_root, tree_signature"""
_BY_NUMBER = f"SELECT {_COLUMNS} FROM ledger.checkpoints WHERE number = %s"
_LATEST = f"SELECT {_COLUMNS} FROM ledger.checkpoints ORDER BY number DESC LIMIT 1"
_BY_REQUEST = f"SELECT {_COLUMNS} FROM ledger.checkpoints WHERE request_id = %s"
_PAGE = f"SELECT {_COLUMNS} FROM ledger.checkpoints WHERE number > %s ORDER BY number LIMIT 100"
_HEADS = "SELECT bucket, seq, hash FROM ledger.heads ORDER BY bucket"
_NEXT = "SELECT coalesce(max(number), 0) + 1 FROM ledger.checkpoints"
_INSERT = """
INSERT INTO ledger.checkpoints (number, request_id, seqs, hashes, root, entry_count, created_at, signature, key_id,
    tree_roots, tree_root, tree_signature)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""

_TRIES = 5

Sign = Callable[[bytes], bytes]

Verify = Callable[[str, bytes, bytes], bool]
"""key id, signed bytes, signature -> whether it holds."""


class Checkpoints:
    """Takes and finds checkpoints. `sign` is Ed25519 under the key that `key_id` names."""

    def __init__(self, engine: Engine, tree: Tree, sign: Sign, key_id: str) -> None:
        self._engine = engine
        self._tree = tree
        self._sign = sign
        self._key_id = key_id

    def taken(self, request_id: UUID, at: datetime) -> tuple[Checkpoint, bool]:
        """The checkpoint of this request, and whether it had been taken before.

        The heads are read as committed, without a lock on them: in a bucket seq order is commit order, so a posting
        in flight falls wholly after the checkpoint. Two callers may want the same number: one of them tries again.
        """
        self._tree.catch_up()
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
            # The number first: whoever had the one before had read its heads by then, so no head ever goes back.
            (number,) = cursor.execute(_NEXT).fetchone() or (1,)
            heads = [Head(bucket, seq, hash_) for bucket, seq, hash_ in cursor.execute(_HEADS)]
            checkpoint = self._signed(number, heads, tuple(roots(cursor, heads)), micros(at))
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

    def _signed(self, number: int, heads: list[Head], tree_roots: tuple[bytes, ...], at: int) -> Checkpoint:
        top, count = heads_root(heads), sum(head.seq for head in heads)
        tree_root = root(bucket_leaves(heads, tree_roots))
        return Checkpoint(
            number,
            tuple(heads),
            top,
            count,
            at,
            self._sign(signed_form(number, top, count, at)),
            self._key_id,
            tree_roots,
            tree_root,
            self._sign(signed_tree_form(number, top, tree_root, count, at)),
        )


def checked_checkpoints(cursor: psycopg.Cursor[Row], verify: Verify) -> Iterator[Checkpoint]:
    """Every checkpoint, oldest first, each found sound by itself and beside the one before. Raises Differs.

    One that was tampered with must not convict an honest entry, so this comes before any comparison with the journal.
    """
    previous = Checkpoint(0, (), b"", 0, 0)
    for checkpoint in _all(cursor):
        name = f"checkpoints/{checkpoint.number}"
        if checkpoint.number != previous.number + 1:
            missing = f"checkpoints/{previous.number + 1}"
            raise Differs("checkpoint", missing, f"it is missing: the next one is {name}")
        if why := _fault(checkpoint, verify) or _fault_after(previous, checkpoint):
            raise Differs("checkpoint", name, why)
        yield checkpoint
        previous = checkpoint


def _all(cursor: psycopg.Cursor[Row]) -> Iterator[Checkpoint]:
    number = 0
    while rows := cursor.execute(_PAGE, [number]).fetchall():
        yield from map(_checkpoint, rows)
        number = rows[-1][0]


def _fault(checkpoint: Checkpoint, verify: Verify) -> str:
    """What is wrong with a checkpoint by itself, or nothing."""
    number, top, count, at = checkpoint.number, checkpoint.root, checkpoint.entry_count, checkpoint.created_at
    if heads_root(checkpoint.heads) != top:
        return "its root does not follow from its heads"
    if not verify(checkpoint.key_id, signed_form(number, top, count, at), checkpoint.signature):
        return "its signature does not hold"
    if sum(head.seq for head in checkpoint.heads) != count:
        return "its count of entries is not the sum of its seqs"
    if not checkpoint.tree_root:
        return "it has half of its trees" if checkpoint.tree_roots or checkpoint.tree_signature else ""
    if len(checkpoint.tree_roots) != len(checkpoint.heads):
        return "it has not one tree for each bucket"
    if root(bucket_leaves(checkpoint.heads, checkpoint.tree_roots)) != checkpoint.tree_root:
        return "its tree root does not follow from its buckets' trees"
    form = signed_tree_form(number, top, checkpoint.tree_root, count, at)
    if not verify(checkpoint.key_id, form, checkpoint.tree_signature):
        return "the signature of its trees does not hold"
    return ""


def _fault_after(previous: Checkpoint, checkpoint: Checkpoint) -> str:
    """What is wrong with a checkpoint after the one before, or nothing."""
    if previous.tree_root and not checkpoint.tree_root:
        return "it has lost its trees: the one before has them"
    if any(now.seq < before.seq for before, now in zip(previous.heads, checkpoint.heads, strict=False)):
        return "a bucket is shorter than in the one before"
    return ""


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
        list(checkpoint.tree_roots),
        checkpoint.tree_root,
        checkpoint.tree_signature,
    ]


def _checkpoint(row: Row) -> Checkpoint:
    number, seqs, hashes, root_, entry_count, created_at, signature, key_id, tree_roots, tree_root, tree_signature = row
    heads = tuple(Head(bucket, seq, hash_) for bucket, (seq, hash_) in enumerate(zip(seqs, hashes, strict=False)))
    return Checkpoint(
        number,
        heads,
        root_,
        entry_count,
        micros(created_at),
        signature,
        key_id,
        tuple(tree_roots or ()),
        tree_root or b"",
        tree_signature or b"",
    )
