"""The one who moves windows, with those who read the journal beside it: threads that do the next small step.

Everything they know is in the database, so they may die at any instant. Several of them would take turns: each step is
a transaction that looks before it writes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from services.settlement.api.bell import Bell
from services.settlement.api.journal import Journal
from services.settlement.api.lanes import Reader
from services.settlement.domain.calendar import CalendarEnds
from services.settlement.domain.refusals import LedgerMismatch
from services.settlement.store import schedule, suspense, windows
from services.settlement.store.closing import Closing, Waits
from services.settlement.store.contracts import versions_known
from services.settlement.store.ingest import ensure_buckets, start_again
from services.settlement.store.signing import Signing
from services.settlement.store.transitions import ResourceNotFound
from shared.clock import Clock
from shared.db.sessions import Sessions
from shared.ids import derived
from shared.log import get_logger
from shared.refusal import Kind, Refusal
from shared.rpc.remote import RemoteRefusal

log = get_logger()

_SECONDS = 120.0
_PAUSE_SECONDS = 0.5


class Worker:
    """Moves the closing window and signs its statements. `waits` says what the last look at it found.

    `counted` is called after each page of the journal that was counted. `calendar` names the one whose cut-offs close
    windows; without one people do.
    """

    def __init__(
        self,
        sessions: Sessions,
        journal: Journal,
        closing: Closing,
        signing: Signing,
        clock: Clock,
        page_entries: int,
        poll_seconds: int,
        lanes: int = 2,
        counted: Callable[[], None] = lambda: None,
        calendar: str = "",
    ) -> None:
        self._sessions = sessions
        self._journal = journal
        self._closing = closing
        self._signing = signing
        self._clock = clock
        self._poll_seconds = poll_seconds
        self._counted = counted
        self._calendar = calendar
        self._stopping = threading.Event()
        self._bell, self._to_sign = Bell(), Bell()
        self._threads = [
            threading.Thread(target=self._run, name="worker", daemon=True),
            threading.Thread(target=self._sign, name="signing", daemon=True),
        ]
        self._readers = [
            Reader(sessions, journal, number, lanes, page_entries, poll_seconds, self._page_counted)
            for number in range(lanes)
        ]
        self._known = -1
        self._begun = False
        self._buckets = 0
        self._found: Waits | None = None

    @property
    def waits(self) -> Waits | None:
        """What the closing window waits for; where it waits to be read, what keeps a reader from reading."""
        if self._found is not None and self._found.waits_for != "INGEST":
            return self._found
        return next((reader.waits for reader in self._readers if reader.waits), self._found)

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._bell.ring()
        self._to_sign.ring()
        for reader in self._readers:
            reader.stop()
        for thread in self._threads:
            thread.join(timeout=_SECONDS)

    def is_ready(self) -> bool:
        """Whether somebody moves windows, and there is one to count in."""
        return self._begun and all(thread.is_alive() for thread in self._threads)

    def hurry(self) -> None:
        """Somebody waits for a window: look at it now."""
        self._bell.ring()
        self._to_sign.ring()

    def _page_counted(self) -> None:
        if self._found is not None:
            self._bell.ring()  # the closing window may have all of its entries now
        self._counted()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._step()
                self._bell.wait_for(lambda: False, _PAUSE_SECONDS if self._found else self._poll_seconds)
                self._bell.heard()
                continue
            except LedgerMismatch as mismatch:
                self._found = Waits("LEDGER_MISMATCH", str(mismatch))
                log.error("ledger cannot be believed", detail=str(mismatch))
            except RemoteRefusal as refusal:
                name = "LEDGER_MISMATCH" if refusal.kind is Kind.OUTSIDE else "LEDGER_UNREACHABLE"
                self._found = Waits(name, str(refusal))
                log.warning("closing postponed", reason=refusal.reason)
            except Refusal as refusal:
                log.warning("closing postponed", reason=refusal.reason)
            except Exception as error:
                self._found = Waits(
                    "REPAIR", f"a step fails with {type(error).__name__}; the log of settlement has the rest"
                )
                log.exception("closing failed")
            self._stopping.wait(_PAUSE_SECONDS)

    def _step(self) -> None:
        """What can be done with a window now. The edge comes first: until it is fixed nothing may be counted."""
        self._prepare()
        self._close_due()
        asked = self._closing.asked()
        if asked is not None:
            edge = self._journal.checkpoint(derived("window", str(asked.number)))
            self._closing.fix_edge(asked.number, edge)
        self._found = self._closing.finish(self._clock.now())
        self._to_sign.ring()

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
            for reader in self._readers:
                reader.start()
        with self._sessions.reading(_SECONDS) as connection:
            known = versions_known(connection)
            waiting = known != self._known and suspense.count(connection)
        if waiting:
            with self._sessions.writing(_SECONDS) as connection:
                resolved = suspense.resolve(connection)
            log.info("suspense looked at again", resolved=resolved)
        self._known = known

    def _close_due(self) -> None:
        """The calendar's wish is one like any other; that a calendar ends keeps nobody from wishing."""
        if not self._calendar:
            return
        try:
            with self._sessions.writing(_SECONDS) as connection:
                schedule.close_due(connection, self._calendar, self._clock.now())
        except (CalendarEnds, ResourceNotFound) as refusal:
            log.warning("no cut-off", reason=refusal.reason)

    def _sign(self) -> None:
        """Statements, window by window, while everything else goes on."""
        while not self._stopping.is_set():
            try:
                signed = self._signing.sign_next(self._clock.now()) if self._begun else None
                if signed is not None:
                    log.info("statements signed", window=signed)
                    continue
            except Refusal as refusal:
                log.warning("signing postponed", reason=refusal.reason)
            except Exception:
                log.exception("signing failed")
                self._stopping.wait(_PAUSE_SECONDS)
            self._to_sign.wait_for(lambda: False, self._poll_seconds)
            self._to_sign.heard()
