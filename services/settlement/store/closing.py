"""The steps of closing a window, each one transaction. Any of them may be repeated after a crash.

What closing costs depends on buckets and rollups, never on entries: those were counted when they came.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, text

from services.settlement.domain.bill import bill
from services.settlement.domain.documents import Signer
from services.settlement.domain.journal import BrokenFeed
from services.settlement.domain.nets import nets_of
from services.settlement.domain.prepaid import Span
from services.settlement.domain.window import Edge, Window, WindowState
from services.settlement.store import books, seals, windows
from services.settlement.store.contracts import price_book, versions_known
from services.settlement.store.ingest import check_against, positions, stop
from shared.db.sessions import Sessions

_SUSPENDED = text("SELECT count(*) FROM settlement.suspense WHERE window_number = :number AND waived = ''")
_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Waits:
    """What a window waits for: INGEST, GAP, SUSPENSE, SEAL, LEDGER_MISMATCH, LEDGER_UNREACHABLE."""

    waits_for: str
    detail: str


class Closing:
    """Moves windows forward."""

    def __init__(self, sessions: Sessions, signer: Signer) -> None:
        self._sessions = sessions
        self._signer = signer

    def asked(self) -> Window | None:
        """The open window that somebody asked to close and that has no edge yet."""
        with self._sessions.reading(_SECONDS) as connection:
            window = windows.found(connection, "windows/open")
        return window if window.asked_to_close else None

    def fix_edge(self, number: int, edge: Edge) -> None:
        """OPEN to CLOSING at this checkpoint, unless that was done before."""
        with self._sessions.writing(_SECONDS) as connection:
            windows.lock(connection)
            for window in windows.live(connection):
                if window.number == number and window.state is WindowState.OPEN:
                    windows.fix_edge(connection, window, edge)
            self._check_hashes(connection, edge)

    def finish(self, at: datetime) -> Waits | None:
        """CLOSING to CLOSED when everything up to the edge is counted and priced; else what it waits for."""
        with self._sessions.writing(_SECONDS) as connection:
            windows.lock(connection)
            closing = next((w for w in windows.live(connection) if w.state is WindowState.CLOSING), None)
            if closing is None or closing.to is None:
                return None
            waits = self._waits(connection, closing, closing.to)
            if waits is None:
                self._book(connection, closing, closing.to, at)
            return waits

    def _book(self, connection: Connection, window: Window, edge: Edge, at: datetime) -> None:
        known = versions_known(connection)
        book = price_book(connection, known)
        opening = opening_edge(connection, window)
        span = Span(opening.created_at if opening else None, edge.created_at)
        rollups = books.rollups(connection, window.number)
        lines = bill(rollups, books.rollups_before(connection, window.number), span, book)
        books.save(connection, window.number, lines, nets_of(lines, books.participants(edge.created_at, book)))
        sealed = replace(window, versions_known=known)
        seal = seals.make(connection, sealed, opening, edge, rollups, self._signer)
        windows.close(connection, window.number, at, known, seal)

    def _waits(self, connection: Connection, window: Window, edge: Edge) -> Waits | None:
        reached = positions(connection)
        for bucket, seq in enumerate(edge.seqs):
            position, why = reached[bucket]
            if position.seq < seq:
                name = "INGEST" if not why else "LEDGER_MISMATCH" if "checkpoint" in why else "GAP"
                return Waits(name, why or f"bucket {bucket} is read up to {position.seq} of {seq}")
            try:
                check_against(edge, bucket, position)
            except BrokenFeed as broken:
                return Waits("LEDGER_MISMATCH", str(broken))
        suspended = int(connection.execute(_SUSPENDED, {"number": window.number}).scalar_one())
        if suspended:
            detail = f"{suspended} entries have no price: publish the contracts they need, or waive them"
            return Waits("SUSPENSE", detail)
        counted = {count.bucket: count.entries for count in seals.counts(connection, window.number)}
        for bucket, seq in enumerate(edge.seqs):
            if counted.get(bucket, 0) != seq - window.from_seq(bucket):
                detail = (
                    f"bucket {bucket} has {seq - window.from_seq(bucket)} entries, {counted.get(bucket, 0)} counted"
                )
                return Waits("LEDGER_MISMATCH", detail)
        broken_seal = seals.broken(connection, window.number - 1, self._signer)
        return Waits("SEAL", broken_seal) if broken_seal else None

    def _check_hashes(self, connection: Connection, edge: Edge) -> None:
        """Where we stand exactly at the edge, the checkpoint must hold the hash that we read."""
        for bucket, (position, why) in positions(connection).items():
            try:
                check_against(edge, bucket, position)
            except BrokenFeed as broken:
                if not why:
                    stop(connection, bucket, str(broken))


def opening_edge(connection: Connection, window: Window) -> Edge | None:
    """The edge of the window before."""
    return windows.found(connection, f"windows/{window.number - 1}").to if window.number > 1 else None
