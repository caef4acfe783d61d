"""Entries of which nothing but their hashes counts, as many as a test of trees wants: no writer, no wallets.

forest = Forest(databases)
forest.grow(bucket=2, size=1000)             # entries 1 to 1000 of bucket 2
forest.leaves[2]                             # the hashes of its leaves
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID, uuid4

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.ledger.domain.checkpoint import Checkpoint
from services.ledger.store.checkpoints import Checkpoints, checked_checkpoints
from services.ledger.store.deployment import prepare
from services.ledger.store.rows import Row
from services.ledger.store.session import reading
from services.ledger.store.tree import Tree, TreeCheck
from shared.db.engine import make_engine
from shared.merkle import leaf_hash
from shared.verifying import Difference, Differs
from tests.support.databases import Databases

BUCKETS = 4
KEY_ID = "key-1"
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)

_ENTRIES = """
INSERT INTO ledger.entries (bucket, seq, kind, wallet_id, partner, request_id, request_hash, points,
    available, pending, held, debt, occurred_at, posted_at, hash)
SELECT %(bucket)s, seq, 1, %(id)s, 'grocer', %(id)s, sha256(''), 1, 1, 0, 0, 0, 'epoch', 'epoch',
    sha256(format('entry %%s-%%s', %(bucket)s::int, seq)::bytea)
FROM generate_series(%(after)s + 1, %(upto)s) AS seq
"""
_HEAD = """
UPDATE ledger.heads SET seq = %(upto)s, hash = sha256(format('entry %%s-%%s', %(bucket)s::int, %(upto)s::bigint)::bytea)
WHERE bucket = %(bucket)s
"""


class Forest:
    """A ledger's database with nothing in it but the hashes of entries, and the trees over them."""

    def __init__(self, databases: Databases) -> None:
        self._databases = databases
        self._settings = databases.fresh("ledger")
        self._address = databases.cluster.address(str(self._settings["database_name"]))
        self.engine = make_engine(databases.service_settings(self._settings))
        prepare(self.engine, BUCKETS)
        self.tree = Tree(self.engine)
        self.key = Ed25519PrivateKey.generate()
        self.checkpoints = Checkpoints(self.engine, self.tree, self.key.sign, KEY_ID)
        self.leaves: list[list[bytes]] = [[] for _ in range(BUCKETS)]

    def grow(self, bucket: int, size: int) -> None:
        """Entries up to this seq."""
        after = len(self.leaves[bucket])
        with self.tampering() as connection:
            values = {"bucket": bucket, "after": after, "upto": size, "id": UUID(int=bucket)}
            connection.execute(_ENTRIES, values)
            connection.execute(_HEAD, values)
        self.leaves[bucket] += [leaf_hash(entry_hash(bucket, seq)) for seq in range(after + 1, size + 1)]

    def taken(self) -> Checkpoint:
        """A new checkpoint."""
        return self.checkpoints.taken(uuid4(), AT)[0]

    def look(self) -> AbstractContextManager[psycopg.Cursor[Row]]:
        return reading(self.engine)

    def difference(self) -> Difference | None:
        """The first thing that the checks of checkpoints and trees find."""
        try:
            self._check()
        except Differs as differs:
            return differs.difference
        return None

    def _check(self) -> None:
        roots: dict[int, dict[int, list[tuple[int, bytes]]]] = {bucket: {} for bucket in range(BUCKETS)}
        with self.look() as cursor:
            for checkpoint in checked_checkpoints(cursor, self.holds):
                for head, root in zip(checkpoint.heads, checkpoint.tree_roots, strict=False):
                    roots[head.bucket].setdefault(head.seq, []).append((checkpoint.number, root))
        for bucket in range(BUCKETS):
            check = TreeCheck(self.look, bucket, roots[bucket])
            with self.look() as cursor:
                rows = cursor.execute("SELECT hash FROM ledger.entries WHERE bucket = %s ORDER BY seq", [bucket])
                hashes = [hash_ for (hash_,) in rows]
            for hash_ in hashes:
                check.add(hash_)
            check.done()

    def holds(self, key_id: str, form: bytes, signature: bytes) -> bool:
        return key_id == KEY_ID and self.key.sign(form) == signature

    def stored(self) -> dict[tuple[int, int, int], bytes]:
        """Every stored node by bucket, level and position."""
        with self.look() as cursor:
            rows = cursor.execute("SELECT bucket, level, position, hash FROM ledger.tree_nodes").fetchall()
        return {(bucket, level, position): hash_ for bucket, level, position, hash_ in rows}

    @contextmanager
    def tampering(self) -> Iterator[psycopg.Connection]:
        """The database as its superuser."""
        with psycopg.connect(self._address, autocommit=True) as connection:
            yield connection

    def close(self) -> None:
        self.engine.dispose()
        self._databases.drop(self._settings)


def entry_hash(bucket: int, seq: int) -> bytes:
    """What stands in an entry's row."""
    return sha256(f"entry {bucket}-{seq}".encode()).digest()
