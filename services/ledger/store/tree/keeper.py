"""A thread that stores what has become complete of the trees, so that checkpoints and proofs find it done."""

from __future__ import annotations

import threading

import structlog

from services.ledger.domain.refusals import JournalCorrupt
from services.ledger.store.tree import Tree
from shared.refusal import Refusal

log = structlog.get_logger(__name__)


class TreeKeeper:
    """Looks at all buckets, then pauses for `interval` seconds. Several processes may each have one."""

    def __init__(self, tree: Tree, interval: float) -> None:
        self._tree = tree
        self._interval = interval
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tree-keeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(self._interval):
            try:
                for bucket, seq in self._tree.behind():
                    self._keep(bucket, seq)
            except Refusal as refusal:  # the database is away: next time
                log.warning("trees postponed", reason=refusal.reason)
            except Exception:
                log.exception("trees failed")

    def _keep(self, bucket: int, seq: int) -> None:
        """Some tiles at a time, so that stopping never waits for all of a long journal."""
        try:
            while not self._stopping.is_set() and self._tree.extend_a_little(bucket, seq):
                pass
        except JournalCorrupt as corrupt:  # an entry is missing, the checker says so too: the other buckets go on
            log.error("tree cannot grow", bucket=bucket, entry=str(corrupt.facts["entry"]))
