"""What signed checkpoints say about the entries of one bucket."""

from __future__ import annotations

from dataclasses import dataclass, field

from services.ledger.domain.entry import Entry, Place
from services.ledger.store.verifier.look import Look
from shared.verifying import Differs

_MARKS = """
SELECT c.number, c.seqs[%s], c.hashes[%s], c.tree_roots[%s] FROM ledger.checkpoints c WHERE c.seqs[%s] > 0
"""


@dataclass(slots=True)
class Marks:
    """By seq: the hashes that checkpoints expect, struck off when the walk meets them, and the roots they signed."""

    bucket: int
    hashes: dict[int, set[bytes]] = field(default_factory=dict)
    roots: dict[int, list[tuple[int, bytes]]] = field(default_factory=dict)

    def compare(self, entry: Entry) -> None:
        for expected in self.hashes.pop(entry.seq, ()):
            if expected != entry.hash:
                raise Differs("entry", str(entry.place), "a signed checkpoint holds another hash for it")

    def end(self) -> None:
        """The walk is over: nothing may be left."""
        for seq in sorted(self.hashes):
            name = str(Place(self.bucket, seq))
            raise Differs("checkpoint", name, "a checkpoint names this entry, the journal does not reach it")


def marks_of(look: Look, bucket: int) -> Marks:
    """Read before the head is: so that the head is never behind a checkpoint that is taken meanwhile."""
    marks = Marks(bucket)
    with look() as cursor:
        for number, seq, hash_, root in cursor.execute(_MARKS, [bucket + 1] * 4):
            marks.hashes.setdefault(seq, set()).add(hash_)
            if root is not None:
                marks.roots.setdefault(seq, []).append((number, root))
    return marks
