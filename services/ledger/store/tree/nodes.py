"""The nodes of a bucket's tree: read where they are stored, computed from the entries where they are not.

Leaf `seq - 1` is the hash of the entry with that seq. Stored are complete subtrees from a tile of 256 entries up: what
lies below is one range scan away, and a row for each entry would double the journal's index. Such a node never changes,
so that it does not matter who stores it, or when, or how many do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import psycopg

from services.ledger.domain.entry import Place
from services.ledger.domain.refusals import JournalCorrupt
from services.ledger.store.rows import Row
from shared.db.columns import Int2s, Int8s
from shared.merkle import Growing, Node, complete_nodes, folded, leaf_hash, root

TILE_LEVEL = 8
TILE = 1 << TILE_LEVEL

_PAGE = 16 * TILE

_LEAVES = "SELECT seq, hash FROM ledger.entries WHERE bucket = %s AND seq > %s AND seq <= %s ORDER BY seq"
_NODES = """
SELECT n.level, n.position, n.hash
FROM unnest(%b, %b) AS asked (level, position)
JOIN ledger.tree_nodes n ON n.bucket = %s AND n.level = asked.level AND n.position = asked.position
"""


def tops(cursor: psycopg.Cursor[Row], bucket: int, parts: Sequence[range]) -> list[bytes]:
    """The root over each of these ranges of leaves, all of them in two or three questions. Raises JournalCorrupt."""
    nodes = [complete_nodes(part) for part in parts]
    needed = {node for some in nodes for node in some}
    found = stored(cursor, bucket, [node for node in needed if node.level >= TILE_LEVEL])
    found |= _below_tiles(cursor, bucket, [node for node in needed if node.level < TILE_LEVEL])
    for node in needed - found.keys():
        found[node] = _computed(cursor, bucket, node)
    return [folded([found[node] for node in some]) for some in nodes]


def stored(cursor: psycopg.Cursor[Row], bucket: int, nodes: Sequence[Node]) -> dict[Node, bytes]:
    """Those of the nodes that are stored."""
    if not nodes:
        return {}
    levels, positions = Int2s([node.level for node in nodes]), Int8s([node.position for node in nodes])
    rows = cursor.execute(_NODES, [levels, positions, bucket]).fetchall()
    return {Node(level, position): hash_ for level, position, hash_ in rows}


def leaves(cursor: psycopg.Cursor[Row], bucket: int, part: range) -> list[bytes]:
    """The hashes of these leaves. Raises JournalCorrupt for an entry that is not there."""
    rows = cursor.execute(_LEAVES, [bucket, part.start, part.stop]).fetchall()
    if len(rows) != len(part) or any(row[0] != seq for seq, row in enumerate(rows, start=part.start + 1)):
        missing = min({index + 1 for index in part} - {row[0] for row in rows}, default=part.stop + 1)
        raise JournalCorrupt(entry=Place(bucket, missing), detail="it is not there, or twice")
    return [leaf_hash(hash_) for _, hash_ in rows]


def tiles(cursor: psycopg.Cursor[Row], bucket: int, part: range) -> Iterator[bytes]:
    """The roots of the tiles in a range that begins and ends with one, in order, some at a time."""
    for start in range(part.start, part.stop, _PAGE):
        page = leaves(cursor, bucket, range(start, min(start + _PAGE, part.stop)))
        for offset in range(0, len(page), TILE):
            yield root(page[offset : offset + TILE])


def _computed(cursor: psycopg.Cursor[Row], bucket: int, node: Node) -> bytes:
    """A node that nobody has stored yet, from its entries."""
    growing = Growing(TILE_LEVEL)
    for tile in tiles(cursor, bucket, node.leaves):
        growing.add(tile)
    return growing.root()


def _below_tiles(cursor: psycopg.Cursor[Row], bucket: int, nodes: Iterable[Node]) -> dict[Node, bytes]:
    """Nodes inside of tiles: the entries of each such tile are read at once."""
    by_tile: dict[int, list[Node]] = {}
    for node in nodes:
        by_tile.setdefault(node.leaves.start // TILE, []).append(node)
    found: dict[Node, bytes] = {}
    for some in by_tile.values():
        first = min(node.leaves.start for node in some)
        hashes = leaves(cursor, bucket, range(first, max(node.leaves.stop for node in some)))
        found |= {node: root(hashes[node.leaves.start - first : node.leaves.stop - first]) for node in some}
    return found
