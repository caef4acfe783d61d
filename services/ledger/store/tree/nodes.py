"""The nodes of a bucket's tree: read where they are stored, computed from the entries where they are not.

Leaf `seq - 1` is the hash of the entry with that seq. Stored are complete subtrees from a tile of 256 entries up: what
lies below is one range scan away, and a row for each entry would double the journal's index. Such a node never changes,
so that it does not matter who stores it, or when, or how many do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

import psycopg

from services.ledger.domain.entry import Place
from services.ledger.domain.refusals.journal import JournalCorrupt
from services.ledger.store.rows import Row
from shared.db.columns import Int2s, Int4s, Int8s
from shared.merkle import Growing, Node, complete_nodes, folded, root

TILE_LEVEL = 8
TILE = 1 << TILE_LEVEL

_PAGE = 16 * TILE
_SIZE = 32
"""Bytes of a hash."""

Part: TypeAlias = tuple[int, range]
"""Neighbouring leaves of a bucket."""
NodeOf: TypeAlias = tuple[int, Node]
"""A node of a bucket's tree."""

# The database hashes and joins them: thousands of rows would keep everybody else from the interpreter.
_LEAVES = r"""
SELECT l.count, l.distinct_count, l.leaves
FROM unnest(%b, %b, %b, %b) AS asked (place, bucket, after, upto) CROSS JOIN LATERAL (
    SELECT count(*) AS count, count(DISTINCT e.seq) AS distinct_count,
        string_agg(sha256('\x00'::bytea || e.hash), ''::bytea ORDER BY e.seq) AS leaves
    FROM ledger.entries e WHERE e.bucket = asked.bucket AND e.seq > asked.after AND e.seq <= asked.upto
) l ORDER BY asked.place
"""
_SEQS = "SELECT seq FROM ledger.entries WHERE bucket = %s AND seq > %s AND seq <= %s"
_NODES = """
SELECT n.bucket, n.level, n.position, n.hash
FROM unnest(%b, %b, %b) AS asked (bucket, level, position)
JOIN ledger.tree_nodes n ON n.bucket = asked.bucket AND n.level = asked.level AND n.position = asked.position
"""


def tops(cursor: psycopg.Cursor[Row], parts: Sequence[Part]) -> list[bytes]:
    """The root over each of these parts, all of them in two or three questions. Raises JournalCorrupt."""
    nodes = [[(bucket, node) for node in complete_nodes(leaves_)] for bucket, leaves_ in parts]
    needed = {node for some in nodes for node in some}
    found = stored(cursor, [node for node in needed if node[1].level >= TILE_LEVEL])
    found |= _below_tiles(cursor, [node for node in needed if node[1].level < TILE_LEVEL])
    for node in needed - found.keys():
        found[node] = _computed(cursor, *node)
    return [folded([found[node] for node in some]) for some in nodes]


def stored(cursor: psycopg.Cursor[Row], nodes: Sequence[NodeOf]) -> dict[NodeOf, bytes]:
    """Those of the nodes that are stored."""
    if not nodes:
        return {}
    levels, positions = Int2s([node.level for _, node in nodes]), Int8s([node.position for _, node in nodes])
    rows = cursor.execute(_NODES, [Int4s([bucket for bucket, _ in nodes]), levels, positions]).fetchall()
    return {(bucket, Node(level, position)): hash_ for bucket, level, position, hash_ in rows}


def leaves(cursor: psycopg.Cursor[Row], parts: Sequence[Part]) -> list[list[bytes]]:
    """The hashes of the leaves of each part. Raises JournalCorrupt for an entry that is not there."""
    if not parts:
        return []
    columns = [
        Int4s(range(len(parts))),
        Int4s([bucket for bucket, _ in parts]),
        Int8s([part.start for _, part in parts]),
        Int8s([part.stop for _, part in parts]),
    ]
    found = []
    for (bucket, part), row in zip(parts, cursor.execute(_LEAVES, columns).fetchall(), strict=True):
        if row[:2] != (len(part), len(part)):
            raise JournalCorrupt(entry=_missing(cursor, bucket, part), detail="it is not there, or twice")
        joined = row[2] or b""
        found.append([joined[start : start + _SIZE] for start in range(0, len(joined), _SIZE)])
    return found


def _missing(cursor: psycopg.Cursor[Row], bucket: int, part: range) -> Place:
    """The first leaf's entry that is not there; where something else is wrong, the place behind them all."""
    seqs = {seq for (seq,) in cursor.execute(_SEQS, [bucket, part.start, part.stop])}
    return Place(bucket, min({index + 1 for index in part} - seqs, default=part.stop + 1))


def tiles(cursor: psycopg.Cursor[Row], bucket: int, part: range) -> Iterator[bytes]:
    """The roots of the tiles in a range that begins and ends with one, in order, some at a time."""
    for start in range(part.start, part.stop, _PAGE):
        (page,) = leaves(cursor, [(bucket, range(start, min(start + _PAGE, part.stop)))])
        for offset in range(0, len(page), TILE):
            yield root(page[offset : offset + TILE])


def _computed(cursor: psycopg.Cursor[Row], bucket: int, node: Node) -> bytes:
    """A node that nobody has stored yet, from its entries."""
    growing = Growing(TILE_LEVEL)
    for tile in tiles(cursor, bucket, node.leaves):
        growing.add(tile)
    return growing.root()


def _below_tiles(cursor: psycopg.Cursor[Row], nodes: Iterable[NodeOf]) -> dict[NodeOf, bytes]:
    """Nodes inside of tiles: the entries of each such tile are read at once."""
    by_tile: dict[tuple[int, int], list[Node]] = {}
    for bucket, node in nodes:
        by_tile.setdefault((bucket, node.leaves.start // TILE), []).append(node)
    firsts = [min(node.leaves.start for node in some) for some in by_tile.values()]
    lasts = [max(node.leaves.stop for node in some) for some in by_tile.values()]
    parts = [(bucket, range(*ends)) for (bucket, _), *ends in zip(by_tile, firsts, lasts, strict=True)]
    found: dict[NodeOf, bytes] = {}
    for (bucket, part), some, hashes in zip(parts, by_tile.values(), leaves(cursor, parts), strict=True):
        for node in some:
            found[bucket, node] = root(hashes[node.leaves.start - part.start : node.leaves.stop - part.start])
    return found
