"""That a line stands in a statement, and an entry in a line: paths to the roots that were signed."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import Connection

from services.settlement.domain.adjustment import LineNotFound
from services.settlement.domain.refusals import EntryNotInLine
from services.settlement.store import books, statements, windows
from services.settlement.store.contracts import price_book
from shared.canonical import canonical
from shared.merkle import inclusion_path, leaf_hash


@dataclass(frozen=True, slots=True)
class Proof:
    """A leaf's bytes, its place among so many, the hashes beside the way up, and the root."""

    leaf: bytes
    index: int
    size: int
    path: list[bytes]
    root: bytes


def proof(connection: Connection, partner: str, number: int, line: int, place: tuple[int, int] | None) -> Proof:
    """Of a line (counted from 1) in a statement; with a place, of that entry in the line.

    Raises StatementNotFound, LineNotFound, EntryNotInLine.
    """
    name = f"partners/{partner}/statements/{number}"
    document = json.loads(statements.found(connection, partner, number).document)
    rows = document["lines"]
    if not 0 < line <= len(rows):
        raise LineNotFound(statement=name, line=line)
    if place is None:
        return _proof([canonical(row) for row in rows], line - 1, bytes.fromhex(document["lines_root"]))
    window = windows.found(connection, f"windows/{number}")
    book = price_book(connection, window.versions_known)
    own = [
        one.key for one in books.lines_of_window(connection, number) if partner in {one.key.debtor, one.key.creditor}
    ]
    leaves, index = list[bytes](), None
    for bucket in range(len(window.to.seqs) if window.to else 0):
        for key, leaf in books.leaves_of(connection, window, bucket, book):
            if key == own[line - 1]:
                index = len(leaves) if (leaf.bucket, leaf.seq) == place and index is None else index
                leaves.append(leaf.leaf)
    if index is None:
        raise EntryNotInLine(entry=f"{place[0]}-{place[1]}", statement=name, line=line)
    return _proof(leaves, index, bytes.fromhex(rows[line - 1]["entries_root"]))


def _proof(leaves: list[bytes], index: int, root: bytes) -> Proof:
    hashes = [leaf_hash(leaf) for leaf in leaves]
    return Proof(leaves[index], index, len(leaves), inclusion_path(hashes, index), root)
