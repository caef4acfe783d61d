"""Settlement's store with nothing in front of it, on a database of its own, fed from a journal on paper.

Everything connects as the application's role; only `tampering` is the superuser, who can do what nobody should.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

import psycopg
from sqlalchemy import Connection

from services.settlement.domain.journal import FeedEntry
from services.settlement.domain.proposal import Kind
from services.settlement.domain.terms import Terms
from services.settlement.domain.window import Edge, Window
from services.settlement.store import contracts, proposals, statements, suspense, windows
from services.settlement.store.closing import Closing, Waits
from services.settlement.store.contracts import Contracts, Published
from services.settlement.store.ingest import Lane, ensure_buckets, positions, take_in
from services.settlement.store.signing import Signing
from services.settlement.store.verifier import Summary, Verifier
from shared.db.engine import make_engine
from shared.db.sessions import Sessions
from shared.ids import derived
from shared.instants import instant
from shared.verifying import Difference, Progress
from tests.settlement.paper import Journal, day
from tests.settlement.reckoning import SIGNER
from tests.support.databases import Databases

PATIENCE = 20.0
ANNA, BEN = "operator/anna", "operator/ben"
"""Who prepares, and who approves."""
BUCKETS = 2


class Office:
    """One settlement database and what works on it."""

    def __init__(self, databases: Databases, *, buckets: int = BUCKETS) -> None:
        self.settings = databases.fresh("settlement")
        self.address = databases.cluster.address(str(self.settings["database_name"]))
        self._databases = databases
        self.paper = Journal(buckets)
        self.engine = make_engine(databases.service_settings(self.settings))
        self.sessions = Sessions(self.engine)
        self.begin_again()
        with self.sessions.writing(PATIENCE) as connection:
            ensure_buckets(connection, buckets)
            windows.ensure_first(connection, instant(day(0)))

    def begin_again(self, sessions: Sessions | None = None) -> None:
        """As after a restart: nothing is known but what is stored."""
        self.sessions = sessions or Sessions(self.engine)
        self.contracts = Contracts(self.sessions)
        self.closing = Closing(self.sessions, SIGNER)
        self.signing = Signing(self.sessions, SIGNER)

    def publish(self, partner: str, terms: Terms, at: int = day(0)) -> Published:
        """Anna proposes, Ben approves."""
        with self.sessions.writing(PATIENCE) as connection:
            name = contracts.propose(connection, partner, terms, ANNA, instant(at))
            self.approve(connection, name, at)
            return contracts.proposed(connection, name)

    def approve(self, connection: Connection, name: str, at: int = day(0)) -> None:
        effects = {Kind.CONTRACT_VERSION: contracts.publish, Kind.WAIVER: suspense.waive}
        digest = proposals.found(connection, name).sha256
        proposals.approve(connection, name, digest, BEN, instant(at), effects)

    def waive(self, number: int, why: str = "nobody knows") -> None:
        """Both agree to close a window without what waits in it."""
        with self.sessions.writing(PATIENCE) as connection:
            self.approve(connection, suspense.propose_waiver(connection, number, why, ANNA, instant(day(0))))

    def take_in(
        self, page: Sequence[FeedEntry] | None = None, lane: Lane | None = None, *, stopped_too: bool = False
    ) -> int:
        """One page of the journal; without one, all that is not read yet."""
        with self.sessions.writing(PATIENCE) as connection:
            return take_in(connection, self.unread() if page is None else page, lane, stopped_too=stopped_too)

    def unread(self) -> list[FeedEntry]:
        """What ReadJournal would answer: entries after the cursors of the buckets that did not stop."""
        with self.sessions.reading(PATIENCE) as connection:
            reached = positions(connection)
        return [
            entry
            for entry in self.paper.page()
            if not reached[entry.bucket][1] and entry.seq > reached[entry.bucket][0].seq
        ]

    def resolve(self) -> int:
        with self.sessions.writing(PATIENCE) as connection:
            return suspense.resolve(connection)

    def ask(self, number: int, request_id: UUID | None = None) -> bool:
        with self.sessions.writing(PATIENCE) as connection:
            return windows.ask_to_close(connection, number, request_id or derived("asked", str(number)))

    def close(self, number: int, edge: Edge, at: int = day(99)) -> Waits | None:
        """All steps in their order; what it waits for, or None when the window is closed."""
        self.ask(number)
        self.closing.fix_edge(number, edge)
        self.take_in()
        waits = self.closing.finish(instant(at))
        self.sign(at)
        return waits

    def sign(self, at: int = day(99)) -> None:
        """The statements of all closed windows."""
        while self.signing.sign_next(instant(at)) is not None:
            pass

    def closed(self, at: int) -> None:
        """Close the open window with everything that is written so far."""
        number = self.looked(lambda connection: windows.found(connection, "windows/open")).number
        assert self.close(number, self.paper.checkpoint(at), at) is None

    def looked(self, question: Callable[[Connection], Window]) -> Window:
        with self.sessions.reading(PATIENCE) as connection:
            return question(connection)

    def window(self, name: str | int) -> Window:
        return self.looked(lambda connection: windows.found(connection, f"windows/{name}"))

    def counts(self, number: int) -> tuple[int, int]:
        """Entries and late entries of a window."""
        with self.sessions.reading(PATIENCE) as connection:
            return windows.counts(connection, [number]).get(number, (0, 0))

    def statement(self, partner: str, number: int) -> bytes:
        with self.sessions.reading(PATIENCE) as connection:
            return statements.found(connection, partner, number).document

    def suspended(self) -> int:
        with self.sessions.reading(PATIENCE) as connection:
            return suspense.count(connection)

    def reached(self) -> dict[int, tuple[int, str]]:
        """How far each bucket was read, and why it stopped."""
        with self.sessions.reading(PATIENCE) as connection:
            return {bucket: (position.seq, why) for bucket, (position, why) in positions(connection).items()}

    def rows(self, question: str, *facts: object) -> list[tuple[object, ...]]:
        with self.tampering() as connection:
            return connection.execute(question.encode(), facts).fetchall()

    def verified(self) -> Summary | Difference:
        """The verifier's last word."""
        last = list(Verifier(self.sessions, SIGNER, self.paper.after, self.paper.check).run())[-1]
        assert not isinstance(last, Progress)
        return last

    def check(self) -> Summary:
        """All agrees."""
        summary = self.verified()
        assert isinstance(summary, Summary), summary
        return summary

    @contextmanager
    def tampering(self) -> Iterator[psycopg.Connection]:
        """The database as its superuser."""
        with psycopg.connect(self.address, autocommit=True) as connection:
            yield connection

    def leave(self) -> None:
        self.engine.dispose()
        self._databases.drop(self.settings)
