"""Bulk import: opening lots from a file, by COPY, one bucket in one transaction, never beside live posting.

Each row becomes an award of its issuer, chained and numbered like every entry, with its original instant and the
reason IMPORT. Its request id follows from the file's digest and the line, so the same file counts once: a second run,
or the run after a crash, finds the buckets that are done and does the rest. While it writes it holds every lease, and
each bucket is checked against the lease's epoch under the head's lock.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import islice
from typing import Final
from uuid import UUID

import psycopg
from sqlalchemy import Engine

from services.ledger.domain.apply import Head, apply
from services.ledger.domain.entry import Entry
from services.ledger.domain.moment import Moment
from services.ledger.domain.programme import Programme
from services.ledger.domain.wallet import Wallet
from services.ledger.domain.wish import AwardWish, Line
from services.ledger.store.allowances.spending import Gross, gross, spend
from services.ledger.store.importing.copying import copy_entries
from services.ledger.store.importing.openings import BadRow, Opening, Openings
from services.ledger.store.importing.wallets import load_wallets, save_wallets, unfit_wallets
from services.ledger.store.partitions import make
from services.ledger.store.rows import Row
from services.ledger.store.session import reading, writing
from services.ledger.store.stripes import stripe_count, stripe_of
from shared.db.columns import Blobs, Instants, Int4s, Int8s, Texts, Uuids
from shared.db.errors import Contention, DatabaseBusy, DatabaseUnavailable, StatementTooSlow
from shared.ids import derived
from shared.instants import micros
from shared.refusal import Kind, Refusal
from shared.verifying import Progress

__all__ = ["AT_ONCE", "BadRow", "Import", "ImportRefused", "Imported", "Openings"]

REASON: Final = "IMPORT"

AT_ONCE: Final = 3
"""Buckets; each needs a connection."""

_ROWS: Final = 10_000  # in one COPY

_PASSES: Final = (Contention, DatabaseBusy, DatabaseUnavailable, StatementTooSlow)
_PAUSES_SECONDS: Final = (0.0, 0.5, 1.0, 2.0, 4.0)  # together less than it takes to lose a lease

_FROZEN: Final = "SELECT bucket FROM ledger.heads WHERE frozen ORDER BY bucket"
_ALLOWED: Final = "SELECT partner FROM ledger.allowances WHERE partner = ANY(%b) ORDER BY partner"
_LOCK_HEAD: Final = "SELECT seq, hash, posted_at, epoch, frozen FROM ledger.heads WHERE bucket = %s FOR UPDATE"
_MOVE_HEAD: Final = """
UPDATE ledger.heads h SET seq = n.seq, hash = n.hash, posted_at = n.posted_at
FROM unnest(%b, %b, %b, %b) AS n (bucket, seq, hash, posted_at) WHERE h.bucket = n.bucket
"""
_THERE: Final = """
SELECT count(*) FROM unnest(%b, %b) AS asked (wallet_id, request_id)
JOIN ledger.requests r ON r.bucket = %s AND r.wallet_id = asked.wallet_id AND r.request_id = asked.request_id
"""


class ImportRefused(Refusal):
    """The file, or the ledger as it is, does not allow it. Buckets that were done stay done."""

    kind = Kind.NOT_NOW
    message = "{why}"
    remedy = "{what_to_do}"


@dataclass(slots=True)
class Imported:
    """Rows of the file: how many became entries now, and how many had before."""

    posted: int = 0
    there: int = 0


class Import:
    """One run, at one moment: that of every entry of it."""

    def __init__(self, engine: Engine, programme: Programme, bucket_count: int, now: Moment) -> None:
        self._engine = engine
        self._programme = programme
        self._bucket_count = bucket_count
        self._now = now

    def look_for_trouble(self, openings: Openings) -> None:
        """Complain about sound rows that the ledger could not take as it is now. Writes nothing."""
        with reading(self._engine) as cursor:
            frozen = [bucket for (bucket,) in cursor.execute(_FROZEN) if openings.counts[bucket]]
            if frozen:
                raise ImportRefused(
                    why=f"Buckets {frozen} are frozen.", what_to_do="Repair and thaw them: coalition ledger freezes."
                )
            capped = [partner for (partner,) in cursor.execute(_ALLOWED, [Texts(sorted(openings.issuers))])]
            if capped:
                raise ImportRefused(
                    why=f"What {', '.join(capped)} may award is capped, and opening lots would count.",
                    what_to_do="Import before settlement sets an allowance.",
                )
            for bucket in sorted(openings.counts):
                for some in _chunks(openings.of_bucket(bucket)):
                    for line, problem in unfit_wallets(cursor, bucket, some, self._now):
                        remedy = "Award it through AwardPoints, which settles that."
                        openings.complain([BadRow(line, "wallet", problem, remedy)])

    def run(self, openings: Openings, held: Mapping[int, int]) -> Iterator[Progress | Imported]:
        """Several buckets at a time, under the leases that the caller holds, by stripe.

        Raises ImportRefused when somebody else posts meanwhile, or a row cannot be taken.
        """
        imported = Imported()
        with writing(self._engine) as cursor:
            make(cursor, self._now.at)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            running = [pool.submit(self._bucket, bucket, openings, held) for bucket in sorted(openings.counts)]
            try:
                for done in as_completed(running):
                    imported.posted += done.result().posted
                    imported.there += done.result().there
                    yield Progress(imported.posted + imported.there, openings.rows)
            finally:
                pool.shutdown(cancel_futures=True)
        yield imported

    def _bucket(self, bucket: int, openings: Openings, held: Mapping[int, int]) -> Imported:
        """Tried again when the database had no time or went away: what is there already is found there."""
        met: Refusal | None = None
        for pause in _PAUSES_SECONDS:
            time.sleep(pause)
            try:
                return self._tried(bucket, openings, held)
            except _PASSES as passes:
                met = passes
        raise ImportRefused(
            why=f"{met} Bucket {bucket} was tried {len(_PAUSES_SECONDS)} times.",
            what_to_do="Run the same import again when the database has time: what was done stays done.",
        ) from met

    def _tried(self, bucket: int, openings: Openings, held: Mapping[int, int]) -> Imported:
        """One transaction. While it waits for the database, others compute."""
        done, spent = Imported(), Counter[tuple[int, str]]()
        with writing(self._engine) as cursor:
            head = self._locked(cursor, bucket, held)
            for some in _chunks(openings.of_bucket(bucket)):
                wishes = [self._wish(opening, bucket, openings.digest) for opening in some]
                if self._are_there(cursor, bucket, wishes):
                    done.there += len(wishes)
                else:
                    spent.update(self._post(cursor, head, wishes, some))
                    done.posted += len(wishes)
            if done.posted:
                columns = [Int4s([bucket]), Int8s([head.seq]), Blobs([head.hash]), Instants([head.posted_at])]
                cursor.execute(_MOVE_HEAD, columns)
                self._count(cursor, spent)
        return done

    def _locked(self, cursor: psycopg.Cursor[Row], bucket: int, held: Mapping[int, int]) -> Head:
        row = cursor.execute(_LOCK_HEAD, [bucket]).fetchone()
        epoch = held.get(stripe_of(bucket, stripe_count(self._bucket_count)))
        if row is None or row[4] or row[3] != epoch:
            raise ImportRefused(
                why=f"Somebody else posts to bucket {bucket} by now, or it was frozen.",
                what_to_do="Run the same import again: what was done stays done.",
            )
        return Head(bucket, row[0], row[1], micros(row[2]))

    def _wish(self, opening: Opening, bucket: int, digest: str) -> AwardWish:
        line = Line(opening.issuer, opening.points, opening.expires_on, opening.unit, campaign=opening.campaign)
        return AwardWish(
            bucket=bucket,
            partner=opening.issuer,
            request_id=derived(REASON, digest, str(opening.line)),
            occurred_at=opening.earned_at,
            wallet=opening.wallet,
            lines=(line,),
            reason=f"{REASON} {opening.reference}".rstrip(),
        )

    def _are_there(self, cursor: psycopg.Cursor[Row], bucket: int, wishes: Sequence[AwardWish]) -> bool:
        """All of them or none: a bucket is one transaction."""
        columns = [Uuids([wish.wallet for wish in wishes]), Uuids([wish.request_id for wish in wishes])]
        (count,) = cursor.execute(_THERE, [*columns, bucket]).fetchone() or (0,)
        return bool(count)

    def _post(
        self, cursor: psycopg.Cursor[Row], head: Head, wishes: Sequence[AwardWish], openings: Sequence[Opening]
    ) -> Gross:
        wallets = load_wallets(cursor, head.bucket, {wish.wallet for wish in wishes})
        entries = [
            self._entry(head, wallets[wish.wallet], wish, opening.line)
            for wish, opening in zip(wishes, openings, strict=True)
        ]
        copy_entries(cursor, entries)
        touched: dict[tuple[UUID, int], Wallet] = {}
        for entry in entries:
            touched[entry.wallet, entry.unit] = wallets[entry.wallet]
        save_wallets(cursor, touched)
        return gross(entries, stripe_count(self._bucket_count))

    def _count(self, cursor: psycopg.Cursor[Row], spent: Gross) -> None:
        """What issuers have awarded, at the end and in one order: buckets of one stripe count in the same rows."""
        if spent and (spend(cursor, spent), cursor.rowcount)[1] != len(spent):
            raise ImportRefused(
                why="What an issuer may award was capped meanwhile.",
                what_to_do="Lift the allowance, and run the same import again.",
            )

    def _entry(self, head: Head, wallet: Wallet, wish: AwardWish, line: int) -> Entry:
        outcome = apply(head, wallet, wish, self._now, self._programme)
        if isinstance(outcome, Refusal):
            raise ImportRefused(why=f"Line {line}: {outcome}", what_to_do=f"{outcome.advice} Then run it again.")
        wallet.lots.clear()  # nobody asks for them here
        return outcome


def _chunks(openings: Iterator[Opening]) -> Iterator[list[Opening]]:
    while some := list(islice(openings, _ROWS)):
        yield some
