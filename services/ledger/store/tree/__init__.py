"""The Merkle tree of each bucket: stored as far as it is complete, asked for roots and proofs at any size.

What is stored is filled in outside of the posting transaction: by a thread, and by whoever needs it first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import psycopg
from sqlalchemy import Engine

from services.ledger.domain.apply import Head
from services.ledger.store.rows import Row
from services.ledger.store.session import reading, writing
from services.ledger.store.tree.checking import Look, Roots, TreeCheck
from services.ledger.store.tree.nodes import TILE, TILE_LEVEL, tiles, tops
from shared.db.columns import Blobs, Int2s, Int8s
from shared.merkle import Growing, complete_nodes, consistency_ranges, inclusion_ranges

__all__ = ["TILE", "Look", "Roots", "Tree", "TreeCheck", "roots"]

_TILES_AT_ONCE = 64
"""16,384 entries: a tenth of a second or so."""
_BUCKETS_AT_ONCE = 8
"""Up to 2,000 entries below tiles: a millisecond or two in which nobody else has the interpreter."""

_STORED = "SELECT coalesce(max(position) + 1, 0) FROM ledger.tree_nodes WHERE bucket = %s AND level = %s"
_BEHIND = """
SELECT h.bucket, h.seq FROM ledger.heads h
WHERE (h.seq >> %s) > (
    SELECT coalesce(max(n.position) + 1, 0) FROM ledger.tree_nodes n WHERE n.bucket = h.bucket AND n.level = %s
)
ORDER BY h.bucket
"""
_INSERT = """
INSERT INTO ledger.tree_nodes (bucket, level, position, hash)
SELECT %s, level, position, hash FROM unnest(%b, %b, %b) AS n (level, position, hash)
ON CONFLICT DO NOTHING
"""


class Tree:
    """Every method raises JournalCorrupt where an entry is missing, and DatabaseUnavailable."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def behind(self) -> list[tuple[int, int]]:
        """Bucket and seq of the heads that lie a tile or more beyond what is stored."""
        with reading(self._engine) as cursor:
            return [(bucket, seq) for bucket, seq in cursor.execute(_BEHIND, [TILE_LEVEL, TILE_LEVEL])]

    def catch_up(self) -> None:
        """Store what is complete in every bucket."""
        for bucket, seq in self.behind():
            self.extend(bucket, seq)

    def extend(self, bucket: int, seq: int) -> None:
        """Store what is complete up to this seq."""
        while self.extend_a_little(bucket, seq):
            pass

    def extend_a_little(self, bucket: int, seq: int) -> bool:
        """Store the next nodes up to this seq; answers whether there may be more.

        Others may do the same at the same time: nodes go in in the order of their tiles, so nobody leaves a hole and
        no two wait for each other.
        """
        with writing(self._engine) as cursor:
            (count,) = cursor.execute(_STORED, [bucket, TILE_LEVEL]).fetchone() or (0,)
            until = min(seq >> TILE_LEVEL, count + _TILES_AT_ONCE)
            if until <= count:
                return False
            begun = range(count * TILE)
            peaks = tops(cursor, [(bucket, node.leaves) for node in complete_nodes(begun)])
            growing = Growing(TILE_LEVEL, count, peaks)
            added = [
                one for tile in tiles(cursor, bucket, range(begun.stop, until * TILE)) for one in growing.add(tile)
            ]
            levels, positions = [node.level for node, _ in added], [node.position for node, _ in added]
            hashes = [hash_ for _, hash_ in added]
            cursor.execute(_INSERT, [bucket, Int2s(levels), Int8s(positions), Blobs(hashes)])
        return True

    def inclusion(self, bucket: int, index: int, size: int) -> list[bytes]:
        """The path from leaf `index` to the root over the first `size` leaves."""
        self.extend(bucket, size)
        with reading(self._engine) as cursor:
            return tops(cursor, [(bucket, part) for part in inclusion_ranges(index, size)])

    def consistency(self, sizes: Sequence[tuple[int, int]]) -> list[list[bytes]]:
        """For each bucket the path from its root at the first size to that at the second."""
        self.catch_up()
        with reading(self._engine) as cursor:
            return [
                tops(cursor, [(bucket, part) for part in consistency_ranges(*pair)])
                for bucket, pair in enumerate(sizes)
            ]


def roots(cursor: psycopg.Cursor[Row], heads: Sequence[Head]) -> Iterator[bytes]:
    """The roots of the buckets' trees as these heads end them, some buckets at a time."""
    for start in range(0, len(heads), _BUCKETS_AT_ONCE):
        some = heads[start : start + _BUCKETS_AT_ONCE]
        yield from tops(cursor, [(head.bucket, range(head.seq)) for head in some])
