"""The whole store as a ledger for random histories: writer, sweeper, policies and allowances, read from its tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from services.ledger.domain.chain import START
from services.ledger.domain.entry import Entry, Place, Unit
from services.ledger.domain.lots import HoldState
from services.ledger.domain.wish import MergeWish, TransferWish, Wish
from services.ledger.store.allowances import Allowances
from services.ledger.store.policies import Policies
from services.ledger.store.session import reading
from services.ledger.store.sweeper import Sweeper
from services.ledger.store.transfers import Transfers
from services.ledger.store.writer import Posted, Writer
from shared.instants import micros
from shared.refusal import Refusal
from tests.ledger.histories import BUCKETS, GRACE_DAYS, Histories, Setting
from tests.ledger.histories.terms import policy_of, programme_of
from tests.ledger.model import Rules, Seen, SeenHold, SeenLot
from tests.ledger.store.vault import BUCKETS as BUCKET_COUNT
from tests.ledger.store.vault import PATIENCE, Vault

_BALANCES = """
SELECT unit, available, pending, held, debt FROM ledger.wallets WHERE bucket = %s AND wallet_id = %s
"""
_LOTS = """
SELECT l.seq, l.line, l.unit, l.issuer, l.earned_at, l.expires_on, l.idle_days, w.active_at, l.awarded, l.available,
    l.pending, l.held, l.undone, l.owed, l.campaign, l.origin_bucket, l.origin_seq, l.origin_line
FROM ledger.lots l JOIN ledger.wallets w ON w.bucket = l.bucket AND w.wallet_id = l.wallet_id AND w.unit = 1
WHERE l.bucket = %s AND l.wallet_id = %s
"""
_HOLDS = """
SELECT seq, state, points, captured, released, expires_at FROM ledger.holds WHERE bucket = %s AND wallet_id = %s
"""
_LEFT = "SELECT seq, points - refunded FROM ledger.redemptions WHERE bucket = %s AND wallet_id = %s"
_TABLES = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'ledger' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
"""
_KEPT = ("heads", "deployment", "alembic_version")


class StoredHistories(Histories):
    """Each history begins with empty tables, and ends with a verified journal. A restart: a new writer on them."""

    vault: Vault
    writer: Writer | None = None

    def open(self, setting: Setting) -> None:
        self.vault.clock.instant = self.now
        self.vault.programme = programme_of(setting, GRACE_DAYS)
        self._empty()
        self.wishes: dict[Place, Wish] = {}
        self.revisions = count(1)
        self.policies = Policies(self.vault.engine, self.vault.clock)
        self.allowances = Allowances(self.vault.engine, self.vault.clock, BUCKET_COUNT)
        self.restart()

    def restart(self) -> None:
        if self.writer is not None:
            self.writer.stop()
        self.policies = Policies(self.vault.engine, self.vault.clock)
        self.policies.refresh()
        self.writer = self.vault.another_writer(lanes=2, engine=self.vault.engine, policies=self.policies.current)
        self.transfers = Transfers(self.vault.engine, self.writer)

    def post(self, wish: Wish, wallet: UUID) -> Entry | Refusal:
        outcome = self._outcome(wish)
        if isinstance(outcome, Refusal):
            return outcome
        assert not outcome.replay
        self.wishes[outcome.entry.place] = wish
        return outcome.entry

    def rehearsed(self, wish: Wish, wallet: UUID) -> Entry | Refusal | None:
        outcome = self._outcome(wish)
        return outcome if isinstance(outcome, Refusal) else outcome.entry

    def deliver(self, out: Entry) -> None:
        """The same wish again: the leg that left is a replay, and the other is posted."""
        wish = self.wishes[out.place]
        assert isinstance(wish, TransferWish | MergeWish)
        moved = self.transfers.post(wish, PATIENCE)
        assert moved.departure == Posted(out, replay=True)
        assert moved.arrival is not None

    def sweep(self) -> None:
        self.vault.clock.instant = self.now
        assert self.writer
        before = self._seqs()
        for _ in range(9):
            sweeper = Sweeper(
                self.vault.engine,
                self.writer,
                self.transfers,
                self.vault.clock,
                self.vault.programme,
                BUCKET_COUNT,
                3600,
            )
            for bucket in BUCKETS:
                sweeper.sweep_bucket(bucket)
            now = self._seqs()
            if now == before:
                return
            before = now
        raise AssertionError("sweeping does not come to an end")

    def agree_on(self, partner: str, rules: Rules) -> None:
        self.policies.set(partner, replace(policy_of(rules), revision=next(self.revisions)))

    def allow(self, partner: str, points: int) -> None:
        awarded = self.town.flows["awards", Unit.POINTS.name, partner]
        allowance, _ = self.allowances.set(partner, next(self.revisions), awarded + points)
        assert (allowance.awarded, allowance.remaining) == (awarded, points)

    def repeated(self, wish: Wish, wallet: UUID, entry: Entry) -> None:
        assert self._outcome(wish) == Posted(entry, replay=True)

    def since(self, bucket: int, seq: int) -> list[Entry]:
        found: list[Entry] = []
        while page := self.vault.readers.journal_after(bucket, found[-1].seq if found else seq, 1000):
            found += page
        return found

    def look(self, wallet: UUID) -> Seen:
        key = [wallet.int % BUCKET_COUNT, wallet]
        with reading(self.vault.engine) as cursor:
            balances = cursor.execute(_BALANCES, key).fetchall()
            lots = cursor.execute(_LOTS, key).fetchall()
            holds = cursor.execute(_HOLDS, key).fetchall()
            left = cursor.execute(_LEFT, key).fetchall()
        return Seen(
            balances={Unit(unit).name: (a, p, h, d) for unit, a, p, h, d in balances if any((a, p, h, d))},
            lots={(seq, line): _lot(row) for seq, line, *row in lots},
            holds={
                seq: SeenHold(
                    HoldState(state).name.lower(), points - captured - released, captured, released, micros(ends)
                )
                for seq, state, points, captured, released, ends in holds
            },
            left_to_refund={seq: points for seq, points in left},  # noqa: C416  # rows are no pairs to mypy
        )

    def teardown(self) -> None:
        super().teardown()
        if self.writer is not None:
            self.writer.stop()
            if not self.failing:
                self.vault.check()

    def _empty(self) -> None:
        """As the superuser: nobody else may."""
        with self.vault.tampering() as connection:
            tables = [name for (name,) in connection.execute(_TABLES).fetchall() if name not in _KEPT]
            connection.execute(f"TRUNCATE {', '.join(f'ledger.{name}' for name in tables)}")
            connection.execute("UPDATE ledger.heads SET seq = 0, hash = %s, posted_at = 'epoch'", [START])

    def _outcome(self, wish: Wish) -> Posted | Refusal:
        self.vault.clock.instant = self.now
        assert self.writer
        (outcome,) = self.writer.post_all([wish], PATIENCE)
        return outcome

    def _seqs(self) -> dict[int, int]:
        return {head.bucket: head.seq for head in self.vault.readers.heads()}


def _lot(row: Sequence[Any]) -> SeenLot:
    unit, issuer, earned_at, expires_on, idle_days, active_at, *sums, campaign, bucket, seq, line = row
    awarded, free, pending, held, undone, owed = sums
    return SeenLot(
        Unit(unit).name,
        issuer,
        micros(earned_at),
        _last_day(expires_on, idle_days, earned_at, active_at),
        awarded,
        free,
        pending,
        held,
        undone,
        owed,
        campaign or "",
        None if bucket is None else (bucket, seq, line),
    )


def _last_day(
    expires_on: date | None, idle_days: int | None, earned_at: datetime, active_at: datetime | None
) -> date | None:
    """Of lots that inactivity ends, as the activity in the wallet's row stands."""
    if idle_days is None:
        return expires_on
    idle = max(earned_at, active_at or earned_at).astimezone(UTC).date() + timedelta(days=idle_days)
    return idle if expires_on is None else max(expires_on, idle)
