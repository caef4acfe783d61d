"""The paying side of settlement with nothing in front of it: accounts, instructions, files, sending.

Batches are numbers here; what they would do when their instructions move is only noted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import psycopg
from sqlalchemy import Connection

from services.settlement.domain.account import Account, Channel
from services.settlement.domain.batch import Disposition, Do
from services.settlement.domain.evidence import Evidence, Rank, Verdict
from services.settlement.domain.proposal import Kind, Proposal
from services.settlement.domain.sending import Outcome, Receipt, Transport
from services.settlement.store import accounts, evidence, files, instructions, prefundings, proposals, repairs, sending
from services.settlement.store.archive import Archive
from services.settlement.store.files import BuiltFile
from services.settlement.store.funding import Shortage
from services.settlement.store.instructions import Obstacle, Stored
from services.settlement.store.paying import Paying
from services.settlement.store.repairs import Repairs
from services.settlement.store.stepper import Stepper
from shared.db.engine import make_engine
from shared.db.sessions import Sessions
from shared.instants import micros
from tests.settlement.accounts import account_of, clearing
from tests.support.databases import Databases

T = TypeVar("T")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ANNA, BEN = "operator/anna", "operator/ben"
COOLING, ANSWER = timedelta(hours=72), timedelta(hours=24)
RETURN_DAYS, COLLECTION_DAYS = 5, 56
PATIENCE = 20.0


class Wall:
    """A clock that a test sets."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def pass_(self, **time: int) -> None:
        self.at += timedelta(**time)


class Noting:
    """A bank's door that keeps what it was given and answers what it was told to."""

    name = "noting"

    def __init__(self, *, checks_duplicates: bool = True) -> None:
        self.checks_duplicates = checks_duplicates
        self.taken: list[tuple[str, bytes]] = []
        self.answers: list[Receipt] = []

    def send(self, message_id: str, content: bytes) -> Receipt:
        receipt = self.answers.pop(0) if self.answers else Receipt(Outcome.TAKEN, "it says so")
        if receipt.outcome is not Outcome.REFUSED:
            self.taken.append((message_id, content))
        return receipt


class Cashier:
    """One settlement database and what pays from it."""

    def __init__(self, databases: Databases, folder: Path, transport: Transport | None = None) -> None:
        self._databases = databases
        self.settings = databases.fresh("settlement")
        self.address = databases.cluster.address(str(self.settings["database_name"]))
        self.engine = make_engine(databases.service_settings(self.settings))
        self.sessions = Sessions(self.engine)
        self.clock = Wall()
        self.archive = Archive(folder / "archive")
        self.noting = Noting()
        self.followed: list[int] = []
        self.use(transport or self.noting)
        self.repairs = Repairs(self.follow)
        self._effects: Mapping[Kind, Callable[[Connection, Proposal, str, datetime], None]] = {
            Kind.BANK_ACCOUNT: accounts.approved,
            Kind.SUPERSEDE: self.repairs.supersede,
            Kind.CARRY_OVER: self.repairs.carry,
            Kind.RESOLVE_UNKNOWN: self.repairs.resolve,
            Kind.PREFUNDING: prefundings.effect,
        }

    def use(self, transport: Transport | None) -> None:
        self.paying = Paying(transport, self.archive, self.follow, ANSWER, RETURN_DAYS, COLLECTION_DAYS)
        self.stepper = Stepper(self.sessions, self.paying.handlers, self.clock)

    def do(self, act: Callable[[Connection], T]) -> T:
        with self.sessions.writing(PATIENCE) as connection:
            return act(connection)

    def has(self, account: Account, *, entered_by: str = ANNA, approved_by: str = BEN) -> accounts.Stored:
        """An account that went the whole way."""
        at = self.clock.now()
        entered = self.do(lambda connection: accounts.enter(connection, account, entered_by, at))
        self.approve(entered.proposal, approved_by)
        return self.do(
            lambda connection: accounts.verify(
                connection, entered.name, Channel.PHONE, "called back", COOLING, approved_by, at
            )
        )

    def ready(self, *partners: str, currency: str = "EUR", mandates: Sequence[str] = ()) -> None:
        """A clearing account, and an account for each partner."""
        self.has(clearing(currency))
        for number, partner in enumerate(partners, start=100):
            self.has(account_of(partner, number, currency, mandate=partner in mandates))

    def carry(self, name: str) -> None:
        """Two people leave a failed payment to a later batch."""
        at = self.clock.now()
        made = self.do(lambda connection: repairs.propose_carrying(connection, name, "next time", ANNA, at))
        self.approve(made.name)

    def approve(self, name: str, by: str = BEN) -> Proposal:
        def act(connection: Connection) -> Proposal:
            wanted = proposals.found(connection, name).sha256
            return proposals.approve(connection, name, wanted, by, self.clock.now(), self._effects)

        return self.do(act)

    def make(self, batch: int, nets: Mapping[str, int], currency: str = "EUR") -> list[Obstacle]:
        """Instructions for these nets: + the partner gets it."""
        wanted = [
            Disposition(partner, currency, net, 0, Do.PAY if net > 0 else Do.COLLECT, abs(net), "")
            for partner, net in nets.items()
        ]
        at = self.clock.now()
        return self.do(lambda connection: instructions.make(connection, batch, 1, wanted, at.date(), at))

    def built(self, batch: int, nets: Mapping[str, int], currency: str = "EUR") -> list[BuiltFile]:
        self.make(batch, nets, currency)
        return self.do(lambda connection: files.build(connection, batch, 1, self.clock.now()))

    def approved(self, batch: int, nets: Mapping[str, int], currency: str = "EUR") -> list[BuiltFile]:
        made = self.built(batch, nets, currency)
        self.do(lambda connection: files.approve(connection, batch, 1, BEN, self.clock.now()))
        return made

    def release(self, batch: int) -> list[Shortage]:
        return self.do(lambda connection: sending.release(connection, batch, ANNA, self.clock.now()))

    def released(self, batch: int, nets: Mapping[str, int], currency: str = "EUR") -> list[BuiltFile]:
        """Approved, prefunded, released, and all due steps done."""
        self.prefund(10**9, currency)
        made = self.approved(batch, nets, currency)
        self.release(batch)
        self.step()
        return made

    def prefund(self, minor: int, currency: str = "EUR") -> None:
        with self.tampering() as connection:
            connection.execute(
                "INSERT INTO settlement.prefundings VALUES (gen_random_uuid()::text, %s, %s, 'a test', %s)",
                (currency, minor, self.clock.now()),
            )

    def step(self) -> int:
        """All that is due; how much that was."""
        done = 0
        while self.stepper.one():
            done += 1
        return done

    def hear(self, name: str, rank: Rank, verdict: Verdict, code: str = "") -> None:
        """Evidence, as the reconciliation would record it."""
        at = self.clock.now()
        said = Evidence(rank, verdict, micros(at), f"{rank.name}-{verdict.value}-{micros(at)}", code)
        self.do(lambda connection: evidence.record(connection, [(name, said)], "service/settlement", at))

    def stated(self, name: str) -> None:
        """Booked, on a statement of today."""
        self.hear(name, Rank.STATED, Verdict.BOOKED)
        self.rows(
            "UPDATE settlement.instructions SET stated_on = %s WHERE name = %s RETURNING 1",
            self.clock.now().date(),
            name,
        )

    def instructions(self, batch: int) -> dict[str, Stored]:
        """By EndToEndId."""
        found = self.do(lambda connection: instructions.of_batch(connection, batch))
        return {one.end_to_end_id: one for one in found}

    def states(self, batch: int) -> dict[str, str]:
        return {name: one.state for name, one in self.instructions(batch).items()}

    def file(self, msg_id: str) -> files.File:
        return self.do(lambda connection: files.found(connection, f"files/{msg_id}"))

    def content(self, msg_id: str) -> bytes:
        return self.do(lambda connection: files.content(connection, files.found(connection, f"files/{msg_id}")))

    def rows(self, question: str, *facts: object) -> list[tuple[object, ...]]:
        with self.tampering() as connection:
            return connection.execute(question.encode(), facts).fetchall()

    @contextmanager
    def tampering(self) -> Iterator[psycopg.Connection]:
        """The database as its superuser."""
        with psycopg.connect(self.address, autocommit=True) as connection:
            yield connection

    def leave(self) -> None:
        self.engine.dispose()
        self._databases.drop(self.settings)

    def follow(self, connection: Connection, batch: int, at: datetime) -> None:
        self.followed.append(batch)
