"""A bucket's tree grown again while the journal is replayed: every stored node and signed root must be its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager

import psycopg

from services.ledger.store.rows import Row
from services.ledger.store.tree.nodes import TILE, TILE_LEVEL, stored
from shared.merkle import Growing, Node, leaf_hash, root
from shared.verifying import Differs

_AT_ONCE = 512

_COUNTS = """
SELECT level, count(*), max(position) + 1 FROM ledger.tree_nodes WHERE bucket = %s GROUP BY level ORDER BY level
"""

Look = Callable[[], AbstractContextManager[psycopg.Cursor[Row]]]

Roots = Mapping[int, Sequence[tuple[int, bytes]]]
"""By seq: numbers of checkpoints whose head stands there, and the root that each signed."""


class TreeCheck:
    """Takes the hashes of a bucket's entries one by one. Raises Differs at the first thing that does not agree.

    Make it before the bucket's head is read: nodes go in behind the head while the walk is on, and those are not
    looked at. Its looks may be snapshots of their own, because nodes never change.
    """

    def __init__(self, look: Look, bucket: int, roots: Roots) -> None:
        self._look = look
        self._bucket = bucket
        self._roots = dict(roots)
        self._growing = Growing(TILE_LEVEL)
        self._tile: list[bytes] = []
        self._unchecked: dict[Node, bytes] = {}
        with look() as cursor:
            self._levels = {level: counted for level, *counted in cursor.execute(_COUNTS, [bucket]).fetchall()}
        self._compare_roots()

    def add(self, hash_: bytes) -> None:
        """The next entry's hash."""
        self._tile.append(leaf_hash(hash_))
        if self._seq in self._roots:
            self._compare_roots()
        if len(self._tile) == TILE:
            self._unchecked.update(self._growing.add(root(self._tile)))
            self._tile.clear()
            if len(self._unchecked) >= _AT_ONCE:
                self._compare_nodes()

    def done(self) -> None:
        """After the last entry: no stored node is missing among others, or lies beyond the entries."""
        self._compare_nodes()
        tiles = self._levels.get(TILE_LEVEL, [0, 0])[1]
        if tiles > self._growing.count:
            raise self._differs(Node(TILE_LEVEL, tiles - 1), f"it is stored, the bucket has {self._seq} entries")
        for level in sorted({*self._levels, *range(TILE_LEVEL, TILE_LEVEL + tiles.bit_length())}):
            due = tiles >> (level - TILE_LEVEL) if level >= TILE_LEVEL else 0
            count, end = self._levels.get(level, [0, 0])
            if (count, end) != (due, due):
                detail = f"{due} nodes of this level belong to {tiles} tiles, {count} are stored, up to {end}"
                raise self._differs(Node(level, max(0, end - 1)), detail)
        for seq, held in self._roots.items():
            raise Differs("checkpoint", f"checkpoints/{held[0][0]}", f"bucket {self._bucket} does not reach {seq}")

    @property
    def _seq(self) -> int:
        return self._growing.count * TILE + len(self._tile)

    def _compare_roots(self) -> None:
        for number, expected in self._roots.pop(self._seq, ()):
            if self._growing.root([root(self._tile)] if self._tile else []) != expected:
                detail = f"its root of bucket {self._bucket} does not follow from the entries up to {self._seq}"
                raise Differs("checkpoint", f"checkpoints/{number}", detail)

    def _compare_nodes(self) -> None:
        with self._look() as cursor:
            found = stored(cursor, [(self._bucket, node) for node in self._unchecked])
        for (_, node), hash_ in sorted(found.items()):
            if self._unchecked[node] != hash_:
                detail = f"{hash_.hex()} is stored, the entries give {self._unchecked[node].hex()}"
                raise self._differs(node, detail)
        self._unchecked.clear()

    def _differs(self, node: Node, detail: str) -> Differs:
        return Differs("tree", f"{self._bucket}/{node.level}/{node.position}", detail)
