"""One posting transaction: lock and read, decide each wish in memory, save. The commit is the lane's.

Request ids and receipts are not looked up: their rows are inserted, and only when that fails is the batch done again
with a look at them first. What is refused is looked up before it is said, for it may be a repeat.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from types import MappingProxyType

import psycopg

from services.ledger.domain.entry import Entry
from services.ledger.domain.moment import Moment
from services.ledger.domain.programme import Programme
from services.ledger.domain.terms import Policy
from services.ledger.domain.wish import AwardWish, Wish
from services.ledger.store.allowances import Pools, ShortOfAllowance, gross, left, spend
from services.ledger.store.rows import Row
from services.ledger.store.stripes import stripe_count
from services.ledger.store.writer import statements as sql
from services.ledger.store.writer.asking import asking
from services.ledger.store.writer.batch import Batch, Outcome, Posted
from services.ledger.store.writer.loading import Reading, load
from services.ledger.store.writer.memory import Memory
from services.ledger.store.writer.saving import save
from services.ledger.store.writer.working_set import RequestKey, request_columns

__all__ = ["Look", "Outcome", "Posted", "Poster", "TakenMeanwhile"]

_UNIQUE_VIOLATION = "23505"


class TakenMeanwhile(Exception):
    """A request id or a receipt of the batch was used before, or by another batch: do it again, looking first."""


class Look(Enum):
    """What to look at before deciding, beyond what every batch needs."""

    REQUESTS = auto()
    ALLOWANCES = auto()


def no_policies() -> Mapping[str, Policy]:
    return MappingProxyType({})


@dataclass(slots=True)
class Poster:
    """Posts one lane's batches. `short`: issuers whose slices run dry, so that their batches begin at the pool."""

    programme: Programme
    bucket_count: int
    policies: Callable[[], Mapping[str, Policy]] = no_policies
    memory: Memory = field(default_factory=Memory)
    short: set[str] = field(default_factory=set)
    _news: list[Entry] = field(default_factory=list)

    def post(
        self,
        connection: psycopg.Connection[Row],
        wishes: Sequence[Wish],
        now: Moment,
        held: Mapping[int, int],
        look: frozenset[Look] = frozenset(),
    ) -> list[Outcome]:
        """Do everything but the commit. Outcomes are in the order of the wishes; nothing is promised before the commit.

        Raises TakenMeanwhile, ShortOfAllowance and Fenced: then nothing was done.
        """
        stripes = stripe_count(self.bucket_count)
        probe = Look.REQUESTS in look
        reading = Reading(wishes, now, self.programme, self.bucket_count, held, self.memory.places, probe=probe)
        found = load(connection, reading)
        pools, allowances = self._allowances(connection, wishes, look, stripes)
        self._news = list(found.requests.values())
        batch = Batch(found, now, self.programme, self.policies(), allowances)
        outcomes = [batch.outcome(wish) for wish in wishes]
        if not probe and batch.refused and _known(connection, batch.refused, self.bucket_count):
            raise TakenMeanwhile
        if not batch.entries:
            return outcomes
        spent = gross(batch.entries, stripes)
        try:
            with asking(connection) as saving:
                spending = connection.cursor(binary=True)
                rows = (pools.spend if pools else spend)(spending, spent) if spent else 0
                save(saving, batch.entries, batch.wallets, found, self.bucket_count)
        except psycopg.Error as error:
            if error.sqlstate == _UNIQUE_VIOLATION:
                raise TakenMeanwhile from error
            raise
        if spent and spending.rowcount != rows:
            raise ShortOfAllowance
        if pools:
            self.short = (self.short - pools.left.keys()) | pools.dry
        self._news += batch.entries
        return outcomes

    def committed(self) -> None:
        """What the last batch posted is there for ever."""
        self.memory.learn(self._news)
        self._news = []

    def _allowances(
        self, connection: psycopg.Connection[Row], wishes: Sequence[Wish], look: frozenset[Look], stripes: int
    ) -> tuple[Pools | None, dict[str, int]]:
        """What issuers may still award, where that has to be known before: nothing is known while nothing is short."""
        awards = [wish for wish in wishes if isinstance(wish, AwardWish)]
        if Look.ALLOWANCES in look or (
            self.short and any(line.issuer in self.short for wish in awards for line in wish.lines)
        ):
            pools = Pools(connection.cursor(binary=True), wishes, stripes)
            return pools, pools.left
        if dry := {line.issuer for wish in awards if wish.dry for line in wish.lines}:
            return None, left(connection.cursor(binary=True), dry, stripes)
        return None, {}


def _known(connection: psycopg.Connection[Row], requests: Sequence[RequestKey], bucket_count: int) -> bool:
    """Whether one of these was asked before."""
    with asking(connection) as questions:
        cursor = questions.ask(sql.REQUESTS_KNOWN, request_columns(requests, bucket_count))
    return cursor.fetchone() is not None
