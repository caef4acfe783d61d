"""A thread that stores what has become complete of the trees, so that checkpoints and proofs find it done."""

from __future__ import annotations

from services.ledger.domain.refusals.journal import JournalCorrupt
from services.ledger.store.tree import Tree
from shared.log import get_logger
from shared.repeating import Repeating

log = get_logger()


class TreeKeeper:
    """Looks at all buckets, then pauses for `interval` seconds. Several processes may each have one."""

    def __init__(self, tree: Tree, interval: float) -> None:
        self._tree = tree
        self._thread = Repeating("tree-keeper", self._keep_all, interval, work="trees")

    def start(self) -> None:
        self._thread.start(after_pause=True)

    def stop(self) -> None:
        self._thread.stop()

    def _keep_all(self) -> None:
        for bucket, seq in self._tree.behind():
            self._keep(bucket, seq)

    def _keep(self, bucket: int, seq: int) -> None:
        """Some tiles at a time, so that stopping never waits for all of a long journal."""
        try:
            while not self._thread.is_stopping and self._tree.extend_a_little(bucket, seq):
                pass
        except JournalCorrupt as corrupt:  # an entry is missing, the checker says so too: the other buckets go on
            log.error("tree cannot grow", bucket=bucket, entry=str(corrupt.facts["entry"]))
