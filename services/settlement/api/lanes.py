"""Those who read the journal: each has some of the buckets, and while one waits for the database the other prices.

All that they know is in the database, so they may die at any instant. A bucket that stopped is tried again from time to
time: what was wrong may have been mended.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from services.settlement.api.bell import Bell
from services.settlement.api.journal import Journal
from services.settlement.domain.refusals import LedgerMismatch
from services.settlement.store import windows
from services.settlement.store.closing import Waits
from services.settlement.store.ingest import Lane, positions, take_in
from shared.db.sessions import Sessions
from shared.log import get_logger
from shared.refusal import Kind, Refusal
from shared.rpc.remote import RemoteRefusal

log = get_logger()

_SECONDS = 120.0
_PAUSE_SECONDS = 0.5
_FENCE_SECONDS = 0.02
_GATHER_SECONDS = 0.05
"""After the last page there is: a trickle of entries costs tills twenty commits a second, not one for each entry."""
_RETRY_SECONDS = 10.0


class Reader:
    """Reads the buckets whose number leaves `number` when divided by `of`. `waits`: why it cannot go on just now."""

    def __init__(
        self,
        sessions: Sessions,
        journal: Journal,
        number: int,
        of: int,
        page_entries: int,
        poll_seconds: int,
        counted: Callable[[], None],
    ) -> None:
        self._sessions = sessions
        self._journal = journal
        self._number, self._of = number, of
        self._page_entries, self._poll_seconds = page_entries, poll_seconds
        self._counted = counted
        self._lane = Lane(number)
        self._bell = Bell()
        self._stopping = threading.Event()
        self._tried_at = time.monotonic()
        self._thread = threading.Thread(target=self._run, name=f"reader-{number}", daemon=True)
        self.waits: Waits | None = None

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._bell.ring()
        if self._thread.is_alive():
            self._thread.join(timeout=_SECONDS)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._step()
                self.waits = None
                continue
            except LedgerMismatch as mismatch:
                self.waits = Waits("LEDGER_MISMATCH", str(mismatch))
                log.error("ledger cannot be believed", detail=str(mismatch))
            except RemoteRefusal as refusal:
                # OUTSIDE: we have counted entries that the ledger does not have.
                name = "LEDGER_MISMATCH" if refusal.kind is Kind.OUTSIDE else "LEDGER_UNREACHABLE"
                self.waits = Waits(name, str(refusal))
                log.warning("ingest postponed", reason=refusal.reason)
            except Refusal as refusal:
                log.warning("ingest postponed", reason=refusal.reason)
            except Exception as error:
                self.waits = Waits(
                    "REPAIR", f"a step fails with {type(error).__name__}; the log of settlement has the rest"
                )
                log.exception("ingest failed")
            self._stopping.wait(_PAUSE_SECONDS)

    def _step(self) -> None:
        with self._sessions.reading(_SECONDS) as connection:
            fenced = windows.awaits_edge(connection)
            reached = {at: row for at, row in positions(connection).items() if at % self._of == self._number}
        if fenced:  # what we read now we could not count: the ledger has better things to do just then
            self._stopping.wait(_FENCE_SECONDS)
            return
        stopped = {bucket: position.seq for bucket, (position, why) in reached.items() if why}
        if stopped and time.monotonic() - self._tried_at > _RETRY_SECONDS:
            self._tried_at = time.monotonic()
            self._read(stopped, wait_seconds=0, stopped_too=True)
        following = {bucket: position.seq for bucket, (position, why) in reached.items() if not why}
        if following:
            self._read(following, wait_seconds=self._poll_seconds)
        else:
            self._stopping.wait(_PAUSE_SECONDS)

    def _read(self, cursor: dict[int, int], *, wait_seconds: int, stopped_too: bool = False) -> None:
        page = self._journal.page(cursor, self._page_entries, wait_seconds, self._bell)
        if not page.entries:
            return
        with self._sessions.writing(_SECONDS) as connection:
            taken = take_in(connection, page.entries, self._lane, stopped_too=stopped_too)
        if taken:
            self._counted()
            if not page.more:
                self._stopping.wait(_GATHER_SECONDS)
        else:
            self._stopping.wait(_FENCE_SECONDS)  # a window waits for its edge, or a bucket stopped
