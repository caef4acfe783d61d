"""The ledger's store with nothing in front of it: writer, readers, sweeper and verifier on a database of their own.

Everything connects as the application's role; only `tampering` is the superuser, who can do what nobody should.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import psycopg
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine

from services.ledger.domain.apply import bucket_of
from services.ledger.domain.entry import Balance, Entry, ReceiptRef, Unit
from services.ledger.domain.programme import Programme
from services.ledger.domain.terms import Policy
from services.ledger.domain.wish import (
    AwardWish,
    CaptureWish,
    HoldWish,
    Line,
    RedeemWish,
    RefundWish,
    ReleaseWish,
    ReverseWish,
    TendWish,
    Wish,
)
from services.ledger.store.balances import Balances
from services.ledger.store.checkpoints import Checkpoints
from services.ledger.store.deployment import prepare
from services.ledger.store.history import History
from services.ledger.store.readers import Readers
from services.ledger.store.sweeper import Sweeper
from services.ledger.store.transfers import Transfers
from services.ledger.store.tree import Tree
from services.ledger.store.verifier import Summary, Verifier
from services.ledger.store.writer import LaneLimits, Outcome, Posted, Writer
from services.ledger.store.writer.transaction import no_policies
from shared.db.engine import make_engine
from shared.refusal import Refusal
from shared.verifying import Difference, Progress
from tests.support.databases import Databases

R = TypeVar("R", bound=Refusal)

BUCKETS = 8
GROCER, FLORIST = "grocer", "florist"
PATIENCE = 20.0
MINUTE = 60_000_000


class SetClock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.instant = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.instant

    def pass_by(self, **units: float) -> None:
        self.instant += timedelta(**units)


class Vault:
    """One ledger database and what works on it."""

    def __init__(
        self,
        databases: Databases,
        *,
        lanes: int = 4,
        limits: LaneLimits | None = None,
        settings: dict[str, object] | None = None,
        key: Ed25519PrivateKey | None = None,
    ) -> None:
        self.settings = settings or databases.fresh("ledger")
        self.address = databases.cluster.address(str(self.settings["database_name"]))
        self._databases = databases
        self.clock = SetClock()
        self.programme = Programme(ZoneInfo("UTC"), lot_days=730, grace_days=30)
        self.engine = make_engine(databases.service_settings(self.settings))
        prepare(self.engine, BUCKETS)
        self._engines = [self.engine]
        self._writers: list[Writer] = []
        self.writer = self.another_writer(lanes=lanes, limits=limits)
        self.readers = Readers(self.engine, BUCKETS)
        self.balances = Balances(self.engine)
        self.history = History(self.engine, BUCKETS)
        key = key or Ed25519PrivateKey.generate()
        self.checkpoints = Checkpoints(self.engine, Tree(self.engine), key.sign, "key-1")
        self._trusted = key.public_key()

    def another_engine(self, pool_size: int = 8, idle_seconds: int = 60) -> Engine:
        settings = self._databases.service_settings(self.settings)
        self._engines.append(make_engine(settings, pool_size=pool_size, idle_seconds=idle_seconds))
        return self._engines[-1]

    def another_writer(
        self,
        *,
        lanes: int = 4,
        limits: LaneLimits | None = None,
        engine: Engine | None = None,
        policies: Callable[[], Mapping[str, Policy]] = no_policies,
    ) -> Writer:
        """A writer as another process would have it."""
        engine = engine or self.another_engine(pool_size=lanes)
        self._writers.append(Writer(engine, self.clock, self.programme, BUCKETS, lanes, limits, policies=policies))
        return self._writers[-1]

    def sweeper(self, interval: int = 3600) -> Sweeper:
        transfers = Transfers(self.engine, self.writer)
        return Sweeper(self.engine, self.writer, transfers, self.clock, self.programme, BUCKETS, interval)

    def post(self, wish: Wish) -> Entry:
        """The entry that the wish became; a refusal fails the test."""
        return self.posted(wish).entry

    def posted(self, wish: Wish) -> Posted:
        return self.writer.post(wish, PATIENCE)

    def outcome(self, wish: Wish) -> Outcome:
        """The entry or the refusal."""
        (outcome,) = self.writer.post_all([wish], PATIENCE)
        return outcome

    def refused(self, wish: Wish, kind: type[R]) -> R:
        outcome = self.outcome(wish)
        assert isinstance(outcome, kind), outcome
        return outcome

    def available(self, wallet: UUID) -> int:
        return self.balance(wallet).available

    def balance(self, wallet: UUID) -> Balance:
        """Of redeemable points."""
        return self.balances.now(bucket_of(wallet, BUCKETS), wallet).get(Unit.POINTS, Balance())

    def entry_count(self) -> int:
        return sum(head.seq for head in self.readers.heads())

    def verified(self) -> Summary | Difference:
        """The verifier's last word."""
        last = list(Verifier(self.engine, BUCKETS, self._holds).run())[-1]
        assert not isinstance(last, Progress)
        return last

    def check(self) -> Summary:
        """All agrees: chains, projections, claims, checkpoints, conservation."""
        summary = self.verified()
        assert isinstance(summary, Summary), summary
        assert summary.entries == self.entry_count()
        return summary

    @contextmanager
    def tampering(self) -> Iterator[psycopg.Connection]:
        """The database as its superuser."""
        with psycopg.connect(self.address, autocommit=True) as connection:
            yield connection

    @contextmanager
    def locked_heads(self) -> Iterator[None]:
        """While the block runs no lane gets further than its first statement."""
        with self.tampering() as blocker, blocker.transaction():
            blocker.execute("SELECT bucket FROM ledger.heads ORDER BY bucket FOR UPDATE")
            yield

    def waiting(self) -> list[int]:
        """Backends of the application that wait for a lock."""
        with self.tampering() as connection:
            rows = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            ).fetchall()
        return [pid for (pid,) in rows]

    def kill_backends(self) -> None:
        """What a failover or an impatient administrator does to every connection of the application."""
        with self.tampering() as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND usename = 'ledger_app'"
            )

    def trust(self, other: Vault) -> None:
        """From now on another vault's signatures are the ones that count."""
        self._trusted = other._trusted

    def _holds(self, key_id: str, form: bytes, signature: bytes) -> bool:
        try:
            self._trusted.verify(signature, form)
        except InvalidSignature:
            return False
        return key_id == "key-1"

    def close(self, *, keep: bool = False) -> None:
        """Let go of the database, and drop it unless somebody wants it kept."""
        for writer in self._writers:
            writer.stop()
        for engine in self._engines:
            engine.dispose()
        if not keep:
            self._databases.drop(self.settings)


def wallet_in(bucket: int) -> UUID:
    """A wallet that nobody else uses, in this bucket."""
    return UUID(int=uuid4().int // BUCKETS // 2 * BUCKETS + bucket)


def receipt(number: str = "", day: date = date(2026, 3, 1)) -> ReceiptRef:
    """A receipt; without a number, one that nobody else has."""
    return ReceiptRef("S1", "T1", day, number or uuid4().hex)


def award(
    wallet: UUID,
    points: int = 100,
    *,
    partner: str = GROCER,
    receipt: ReceiptRef | None = None,
    request_id: UUID | None = None,
    until: date | None = None,
) -> AwardWish:
    return AwardWish(
        bucket=bucket_of(wallet, BUCKETS),
        partner=partner,
        request_id=request_id or uuid4(),
        wallet=wallet,
        lines=(Line(partner, points, until),),
        receipt=receipt,
    )


def hold(
    wallet: UUID, points: int, *, partner: str = GROCER, request_id: UUID | None = None, ttl: int = 15 * MINUTE
) -> HoldWish:
    bucket = bucket_of(wallet, BUCKETS)
    id_ = request_id or uuid4()
    return HoldWish(bucket=bucket, partner=partner, request_id=id_, wallet=wallet, points=points, ttl=ttl)


def redeem(wallet: UUID, points: int, *, partner: str = GROCER, request_id: UUID | None = None) -> RedeemWish:
    bucket = bucket_of(wallet, BUCKETS)
    return RedeemWish(bucket=bucket, partner=partner, request_id=request_id or uuid4(), wallet=wallet, points=points)


def capture(entry: Entry, points: int | None = None, *, partner: str = GROCER) -> CaptureWish:
    return CaptureWish(bucket=entry.bucket, partner=partner, request_id=uuid4(), original=entry.seq, points=points)


def release(entry: Entry, *, partner: str = GROCER) -> ReleaseWish:
    return ReleaseWish(bucket=entry.bucket, partner=partner, request_id=uuid4(), original=entry.seq)


def reverse(entry: Entry, points: int | None = None, *, partner: str = GROCER) -> ReverseWish:
    lines = () if points is None else (Line(partner, points),)
    return ReverseWish(bucket=entry.bucket, partner=partner, request_id=uuid4(), original=entry.seq, lines=lines)


def refund(entry: Entry, points: int | None = None, *, partner: str = GROCER) -> RefundWish:
    return RefundWish(bucket=entry.bucket, partner=partner, request_id=uuid4(), original=entry.seq, points=points)


def tend(wallet: UUID) -> TendWish:
    return TendWish(bucket=bucket_of(wallet, BUCKETS), partner="operator", request_id=uuid4(), wallet=wallet)
