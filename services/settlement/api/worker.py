"""The one who reads the journal and closes windows: a thread that does the next small step, again and again.

Everything it knows is in the database, so it may die at any instant. Several of them would take turns: each step is a
transaction that looks before it writes.
"""

from __future__ import annotations

import structlog

from services.settlement.api.bell import Bell
from services.settlement.api.journal import Journal
from services.settlement.domain.refusals import LedgerMismatch
from services.settlement.store import windows
from services.settlement.store.closing import Closing, Waits
from services.settlement.store.contracts import versions_known
from services.settlement.store.ingest import ensure_buckets, positions, resolve, start_again, suspense_count, take_in
from shared.clock import Clock
from shared.db.sessions import Sessions
from shared.ids import derived
from shared.refusal import Kind, Refusal
from shared.repeating import Repeating
from shared.rpc.remote import RemoteRefusal

log = structlog.get_logger(__name__)

_SECONDS = 120.0
_PAUSE_SECONDS = 0.5


class Worker:
    """Ingests pages and moves the closing window. `waits` says what the last look at it found."""

    def __init__(
        self,
        sessions: Sessions,
        journal: Journal,
        closing: Closing,
        clock: Clock,
        page_entries: int,
        poll_seconds: int,
    ) -> None:
        self._sessions = sessions
        self._journal = journal
        self._closing = closing
        self._clock = clock
        self._page_entries = page_entries
        self._poll_seconds = poll_seconds
        self._bell = Bell()
        self._thread = Repeating("worker", self._turn, 0, work="ingest", pause_after_trouble=_PAUSE_SECONDS)
        self._known = -1
        self._begun = False
        self._buckets = 0
        self.waits: Waits | None = None

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._thread.stop_soon()
        self._bell.ring()
        self._thread.stop(_SECONDS)

    def is_ready(self) -> bool:
        """Whether somebody reads the journal, and there is a window to count it in."""
        return self._begun and self._thread.is_alive

    def hurry(self) -> None:
        """Somebody waits for a window: do not wait for news of the journal first."""
        self._bell.ring()

    def _turn(self) -> None:
        """A step; when it cannot be done, whoever asks for a window learns what it waits for."""
        try:
            self._step()
        except LedgerMismatch as mismatch:
            self.waits = Waits("LEDGER_MISMATCH", str(mismatch))
            log.error("ledger cannot be believed", detail=str(mismatch))
            raise
        except RemoteRefusal as refusal:
            # OUTSIDE: we have counted entries that the ledger does not have.
            self.waits = Waits(
                "LEDGER_MISMATCH" if refusal.kind is Kind.OUTSIDE else "LEDGER_UNREACHABLE", str(refusal)
            )
            raise
        except Refusal:
            raise
        except Exception as error:
            self.waits = Waits(
                "REPAIR", f"a step fails with {type(error).__name__}; the log of settlement has the rest"
            )
            raise

    def _step(self) -> None:
        """What can be done with a window now, then one page of the journal, waited for when there is none.

        The edge comes first: until it is fixed nothing may be counted.
        """
        self._prepare()
        asked = self._closing.asked()
        if asked is not None:
            edge = self._journal.checkpoint(derived("window", str(asked.number)))
            self._closing.fix_edge(asked.number, edge)
        self.waits = self._closing.finish(self._clock.now())
        self._ingest(wait=not self._bell.heard())

    def _prepare(self) -> None:
        """A first window, cursors for all buckets, and a second look at suspense when there are new terms.

        The window is there even while the ledger is not: whoever asks for `windows/open` finds one.
        """
        if not self._begun:
            with self._sessions.writing(_SECONDS) as connection:
                windows.ensure_first(connection, self._clock.now())
                start_again(connection)
            self._begun = True
        if not self._buckets:
            bucket_count = self._journal.bucket_count()
            with self._sessions.writing(_SECONDS) as connection:
                ensure_buckets(connection, bucket_count)
            self._buckets = bucket_count
        with self._sessions.reading(_SECONDS) as connection:
            known = versions_known(connection)
            waiting = known != self._known and suspense_count(connection)
        if waiting:
            with self._sessions.writing(_SECONDS) as connection:
                resolved = resolve(connection)
            log.info("suspense looked at again", resolved=resolved)
        self._known = known

    def _ingest(self, *, wait: bool) -> None:
        with self._sessions.reading(_SECONDS) as connection:
            reached = positions(connection)
        cursor = {bucket: position.seq for bucket, (position, why) in reached.items() if not why}
        if not cursor:
            self._thread.wait(_PAUSE_SECONDS)
            return
        page = self._journal.page(cursor, self._page_entries, self._poll_seconds if wait else 0, self._bell)
        if page.entries:
            with self._sessions.writing(_SECONDS) as connection:
                take_in(connection, page.entries)
