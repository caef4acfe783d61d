"""A lane's way from wishes to outcomes: one transaction, or as many as it takes when something comes in between."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from sqlalchemy import Engine
from sqlalchemy.pool import PoolProxiedConnection

from services.ledger.domain.moment import Moment
from services.ledger.domain.refusals.journal import JournalCorrupt
from services.ledger.domain.wish import Wish
from services.ledger.store.allowances import ShortOfAllowance
from services.ledger.store.holdings import Fenced, Holdings, StripeMoved
from services.ledger.store.partitions import Partitions, make
from services.ledger.store.rows import Row
from services.ledger.store.stripes import stripe_count, stripe_of
from services.ledger.store.writer.batch import Outcome
from services.ledger.store.writer.transaction import Look, Poster, TakenMeanwhile
from shared.clock import Clock
from shared.db.columns import register
from shared.db.errors import Contention, DatabaseUnavailable, OutcomeUnknown, refusal_of
from shared.log import get_logger
from shared.refusal import Kind, Refusal

log = get_logger()

_TRIES = 6
_PAUSE_SECONDS = 0.01
_RETRY_MS = 500
_PAUSES_AFTER_DOUBT = (0.05, 0.2, 0.5, 1.0)


class Broken(Refusal):
    """Something that should not happen happened to this batch; the log has the rest."""

    kind = Kind.BUG
    message = "The ledger could not post this request."
    remedy = "Repeat with the same request id; if it persists, call the operator."


@dataclass(slots=True)
class Posting:
    """Posts with one connection of its own."""

    engine: Engine
    clock: Clock
    poster: Poster
    holdings: Holdings
    partitions: Partitions
    _pooled: PoolProxiedConnection | None = None

    def outcomes(self, wishes: Sequence[Wish]) -> Sequence[Outcome]:
        """In the order of the wishes. Those whose stripe another process has come back as StripeMoved."""
        stripes = stripe_count(self.poster.bucket_count)
        held = self.holdings.held()
        if len(held) == stripes:
            return self._posted(wishes)
        ours = [wish for wish in wishes if stripe_of(wish.bucket, stripes) in held]
        posted = iter(self._posted(ours) if ours else ())
        return [next(posted) if stripe_of(wish.bucket, stripes) in held else StripeMoved() for wish in wishes]

    def hang_up(self) -> None:
        """Give the connection up; the next batch takes another."""
        if self._pooled is not None:
            self._pooled.invalidate()
            self._pooled = None

    def _posted(self, wishes: Sequence[Wish]) -> Sequence[Outcome]:
        """Nothing happened before the commit, so a lost connection is a reason to try the next one."""
        look: frozenset[Look] = frozenset()
        why: Refusal = Contention(retry_after_ms=_RETRY_MS)
        pause = 0.0
        for _ in range(_TRIES):
            if pause:
                time.sleep(pause)
            try:
                return self._transaction(wishes, look)
            except TakenMeanwhile:
                look |= {Look.REQUESTS}
            except ShortOfAllowance:
                look |= {Look.ALLOWANCES}
            except Fenced as fenced:
                return self._without(fenced, wishes)
            except Exception as error:
                found = _passing(error)
                if found is None:
                    return self._spoiled(error, wishes)
                why, pause = found, max(2 * pause, _PAUSE_SECONDS)
        return [why] * len(wishes)

    def _spoiled(self, error: Exception, wishes: Sequence[Wish]) -> Sequence[Outcome]:
        """It would happen again: whoever caused it is to know, and nobody else to suffer."""
        match error:
            case JournalCorrupt():
                log.error("journal corrupt", entry=str(error.facts["entry"]), detail=str(error))
                return [error] if len(wishes) == 1 else self._one_by_one(wishes)
            case Refusal():
                return [error] * len(wishes)
            case psycopg.Error() if (refusal := refusal_of(error)) is not None:
                return [refusal] * len(wishes)
            case psycopg.Error():
                log.warning("posting failed", sqlstate=error.sqlstate, error=type(error).__name__)
            case _:
                log.error("posting failed", exc_info=error)
        return self._one_by_one(wishes)

    def _one_by_one(self, wishes: Sequence[Wish]) -> Sequence[Outcome]:
        """A batch that fails as a whole is done again item by item, so that its neighbours do not pay for one."""
        if len(wishes) == 1:
            return [Broken()]
        return [outcome for wish in wishes for outcome in self._posted([wish])]

    def _without(self, fenced: Fenced, wishes: Sequence[Wish]) -> Sequence[Outcome]:
        """Another process has a stripe of ours by now: its wishes go there, the others are done again."""
        self.holdings.fenced(fenced.stripe, fenced.epoch)
        stripes = stripe_count(self.poster.bucket_count)
        ours = [wish for wish in wishes if stripe_of(wish.bucket, stripes) != fenced.stripe]
        posted = iter(self.outcomes(ours) if ours else ())
        return [StripeMoved() if stripe_of(wish.bucket, stripes) == fenced.stripe else next(posted) for wish in wishes]

    def _transaction(self, wishes: Sequence[Wish], look: frozenset[Look]) -> Sequence[Outcome]:
        connection = self._connection()
        try:
            outcomes = self._decided(connection, wishes, look)
        except BaseException:
            self._rolled_back(connection)
            raise
        try:
            connection.commit()
        except psycopg.Error as error:
            self.hang_up()
            return self._after_a_broken_commit(wishes, error)
        self.poster.committed()
        return outcomes

    def _decided(
        self, connection: psycopg.Connection[Row], wishes: Sequence[Wish], look: frozenset[Look]
    ) -> Sequence[Outcome]:
        held = self.holdings.held()
        return self.poster.post(connection, wishes, self._now(connection), held, look)

    def _now(self, connection: psycopg.Connection[Row]) -> Moment:
        """A clock may have jumped into a month that has no partition yet."""
        now = self.poster.programme.moment(self.clock.now())
        if self.partitions.lack(now.at):
            with connection.cursor() as cursor:
                last = make(cursor, now.at)
            connection.commit()
            self.partitions.made(last)
        return now

    def _after_a_broken_commit(self, wishes: Sequence[Wish], error: psycopg.Error) -> Sequence[Outcome]:
        """The commit may have counted. Post again: request ids tell what did, and what did not is done now."""
        log.warning("commit of unknown fate", sqlstate=error.sqlstate)
        look = frozenset({Look.REQUESTS})
        for pause in _PAUSES_AFTER_DOUBT:
            if pause:
                time.sleep(pause)
            try:
                connection = self._connection()
                outcomes = self._decided(connection, wishes, look)
                connection.commit()
            except ShortOfAllowance:
                look |= {Look.ALLOWANCES}
                self.hang_up()
            except Fenced as fenced:  # who has the stripe now does not know what we may have posted
                self.hang_up()
                self.holdings.fenced(fenced.stripe, fenced.epoch)
                break
            except (psycopg.Error, Refusal, TakenMeanwhile):
                self.hang_up()
            except BaseException:  # nobody may go on in this transaction
                self.hang_up()
                raise
            else:
                self.poster.committed()
                return outcomes
        return [OutcomeUnknown(retry_after_ms=_RETRY_MS)] * len(wishes)

    def _connection(self) -> psycopg.Connection[Row]:
        """The lane's own connection, from the pool when there is none. Raises DatabaseUnavailable."""
        if self._pooled is None:
            try:
                self._pooled = self.engine.raw_connection()
            except Exception as error:
                raise refusal_of(error) or DatabaseUnavailable(retry_after_ms=_RETRY_MS) from error
            driver = self._pooled.driver_connection
            if not isinstance(driver, psycopg.Connection):
                raise TypeError("the ledger's writer needs psycopg")
            register(driver)
        connection = self._pooled.driver_connection
        assert isinstance(connection, psycopg.Connection)  # noqa: S101  checked when it was taken
        return connection

    def _rolled_back(self, connection: psycopg.Connection[Row]) -> None:
        try:
            connection.rollback()
        except psycopg.Error:
            self.hang_up()
        else:
            if connection.broken:
                self.hang_up()


def _passing(error: Exception) -> Refusal | None:
    """What may be gone at the next try; None when it is nothing of the kind."""
    if not isinstance(error, psycopg.Error):
        return None
    found = refusal_of(error)
    if not isinstance(found, Contention | DatabaseUnavailable):
        return None
    log.warning("posting interrupted", sqlstate=error.sqlstate, error=type(error).__name__)
    return found
