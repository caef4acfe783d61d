"""Replays the journal from its first entry and compares everything that was derived from it.

Bucket by bucket: chain and canonical form, the state machine's own conditions, then every projection row, then what
spans buckets (receipts, checkpoints, conservation). The first difference ends it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

import psycopg
from sqlalchemy import Engine

from services.ledger.domain.apply import Head, bucket_of
from services.ledger.domain.chain import START, canonical, chained
from services.ledger.domain.checkpoint import heads_root, signed_form
from services.ledger.domain.entry import AccountKind, Entry, EntryKind, Place, Unit
from services.ledger.domain.refusals import JournalCorrupt
from services.ledger.domain.wallet import Lot, Wallet
from services.ledger.store.checkpoints import all_checkpoints
from services.ledger.store.readers import journal
from services.ledger.store.rows import Row, lot_of
from services.ledger.store.session import reading
from services.ledger.store.writer.statements import HOLD_COLUMNS, LOT_COLUMNS
from services.ledger.store.writer.working_set import receipt_bucket
from shared.instants import micros
from shared.verifying import Difference, Differs, Progress, compare

Verify = Callable[[str, bytes, bytes], bool]
"""key id, signed bytes, signature -> whether it holds."""

_EVERY = 5_000

_DEPLOYMENT = "SELECT bucket_count FROM ledger.deployment"
_HEADS = "SELECT bucket, seq, hash FROM ledger.heads ORDER BY bucket"
_WALLETS = """
SELECT wallet_id, unit, available, pending, held, debt FROM ledger.wallets WHERE bucket = %s ORDER BY wallet_id
"""
_LOTS = f"SELECT {LOT_COLUMNS}, l.unit FROM ledger.lots l WHERE l.bucket = %s ORDER BY l.seq, l.line"
_HOLDS = f"SELECT {HOLD_COLUMNS} FROM ledger.holds h WHERE h.bucket = %s ORDER BY h.seq"
_REDEMPTIONS = """
SELECT bucket, wallet_id, seq, partner, points, refunded FROM ledger.redemptions WHERE bucket = %s ORDER BY seq
"""
_REQUESTS = """
SELECT wallet_id, request_id, request_hash, seq FROM ledger.requests WHERE bucket = %s ORDER BY seq
"""
_RECEIPTS = """
SELECT bucket, partner, business_date, store, terminal, receipt_no, entry_seq FROM ledger.receipts
WHERE entry_bucket = %s ORDER BY entry_seq
"""
_STRAY_POSTINGS = """
SELECT p.seq FROM (
    SELECT seq, line, row_number() OVER (PARTITION BY seq ORDER BY line) - 1 AS due FROM ledger.postings
    WHERE bucket = %s
) AS p
LEFT JOIN ledger.entries e ON e.bucket = %s AND e.seq = p.seq
WHERE e.seq IS NULL OR p.line <> p.due ORDER BY p.seq LIMIT 1
"""
_BUCKETED = {
    "entry": "ledger.entries",
    "posting": "ledger.postings",
    "request": "ledger.requests",
    "receipt": "ledger.receipts",
    "wallet": "ledger.wallets",
    "lot": "ledger.lots",
    "hold": "ledger.holds",
    "redemption": "ledger.redemptions",
}
_NOWHERE = "SELECT bucket FROM {table} WHERE bucket < 0 OR bucket >= %s LIMIT 1"
_CLAIMS_NOWHERE = "SELECT entry_bucket FROM ledger.receipts WHERE entry_bucket < 0 OR entry_bucket >= %s LIMIT 1"


@dataclass(slots=True)
class Summary:
    """What was compared without a difference."""

    entries: int = 0
    wallets: int = 0
    lots: int = 0
    checkpoints: int = 0


@dataclass(slots=True)
class _Bucket:
    """One bucket as replayed."""

    number: int
    wallets: dict[UUID, Wallet] = field(default_factory=dict)
    requests: list[tuple[UUID, UUID, bytes, int]] = field(default_factory=list)
    receipts: list[tuple[object, ...]] = field(default_factory=list)


class Verifier:
    """Reads what is committed in one repeatable-read snapshot, so that tills may go on meanwhile."""

    def __init__(self, engine: Engine, bucket_count: int, verify: Verify) -> None:
        self._engine = engine
        self._bucket_count = bucket_count
        self._verify = verify

    def run(self) -> Iterator[Progress | Difference | Summary]:
        """Progress again and again, then either the first difference or the summary."""
        with reading(self._engine) as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute("SET LOCAL statement_timeout = 0")
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            try:
                yield from self._run(cursor)
            except Differs as difference:
                yield difference.difference
            except JournalCorrupt as corrupt:  # a row that says nothing sensible
                yield Difference("entry", str(corrupt.facts["entry"]), str(corrupt.facts["detail"]))

    def _run(self, cursor: psycopg.Cursor[Row]) -> Iterator[Progress | Summary]:
        heads = [Head(*row) for row in cursor.execute(_HEADS)]
        if [head.bucket for head in heads] != list(range(self._bucket_count)):
            raise Differs("head", "all", f"{len(heads)} heads for {self._bucket_count} buckets")
        created = cursor.execute(_DEPLOYMENT).fetchall()
        if [tuple(row) for row in created] != [(self._bucket_count,)]:
            raise Differs("deployment", "bucket_count", f"{created} is stored, {self._bucket_count} is in force")
        self._compare_places(cursor)
        total, summary = sum(head.seq for head in heads), Summary()
        marks = self._marks(cursor, summary)
        flows: Counter[str] = Counter()
        outstanding = 0
        for head in heads:
            bucket = _Bucket(head.bucket)
            for entry in _chained(cursor, head, marks):
                _replay(bucket, entry, self._bucket_count)
                _count(flows, entry)
                summary.entries += 1
                if summary.entries % _EVERY == 0:
                    yield Progress(summary.entries, total)
            _compare_projections(cursor, bucket)
            summary.wallets += len(bucket.wallets)
            summary.lots += sum(len(wallet.lots) for wallet in bucket.wallets.values())
            outstanding += sum(wallet.balance.total for wallet in bucket.wallets.values())
            yield Progress(summary.entries, total)
        if flows["in"] - flows["out"] != outstanding:
            detail = f"flows leave {flows['in'] - flows['out']} points, the wallets hold {outstanding}"
            raise Differs("conservation", "POINTS", detail)
        for place in marks:
            raise Differs("checkpoint", str(place), "a checkpoint names this entry, the journal does not reach it")
        yield summary

    def _compare_places(self, cursor: psycopg.Cursor[Row]) -> None:
        """Nothing hides in buckets that do not exist."""
        for subject, table in _BUCKETED.items():
            if row := cursor.execute(_NOWHERE.format(table=table), [self._bucket_count]).fetchone():
                raise Differs(subject, f"{row[0]}-", "there is no such bucket")
        if row := cursor.execute(_CLAIMS_NOWHERE, [self._bucket_count]).fetchone():
            raise Differs("receipt", f"{row[0]}-", "there is no such bucket")

    def _marks(self, cursor: psycopg.Cursor[Row], summary: Summary) -> dict[Place, list[bytes]]:
        """The hashes that checkpoints expect at certain places; each is struck off when the replay meets it.

        Each checkpoint is checked by itself first: one that was tampered with must not convict an honest entry.
        """
        marks: dict[Place, list[bytes]] = {}
        for number, checkpoint in enumerate(all_checkpoints(cursor), start=1):
            name = f"checkpoints/{checkpoint.number}"
            if checkpoint.number != number:
                raise Differs("checkpoint", f"checkpoints/{number}", f"it is missing: the next one is {name}")
            if heads_root(checkpoint.heads) != checkpoint.root:
                raise Differs("checkpoint", name, "its root does not follow from its heads")
            form = signed_form(checkpoint.number, checkpoint.root, checkpoint.entry_count, checkpoint.created_at)
            if not self._verify(checkpoint.key_id, form, checkpoint.signature):
                raise Differs("checkpoint", name, "its signature does not hold")
            if sum(head.seq for head in checkpoint.heads) != checkpoint.entry_count:
                raise Differs("checkpoint", name, "its count of entries is not the sum of its seqs")
            for head in checkpoint.heads:
                if head.seq:
                    marks.setdefault(Place(head.bucket, head.seq), []).append(head.hash)
            summary.checkpoints += 1
            if checkpoint.number != summary.checkpoints:
                raise Differs("checkpoint", f"checkpoints/{summary.checkpoints}", "it is missing")
        return marks


def _chained(cursor: psycopg.Cursor[Row], head: Head, marks: dict[Place, list[bytes]]) -> Iterator[Entry]:
    """The bucket's entries, each checked against the hash before it, its seq and the checkpoints that name it."""
    previous, seq = START, 0
    for entry in journal(cursor, head.bucket):
        if entry.seq != seq + 1:
            raise Differs("entry", str(Place(head.bucket, seq + 1)), f"it is missing: the next one is {entry.place}")
        if chained(previous, canonical(entry)) != entry.hash:
            raise Differs("entry", str(entry.place), "its hash does not follow from its content and the entry before")
        for expected in marks.pop(entry.place, ()):
            if expected != entry.hash:
                raise Differs("entry", str(entry.place), "a signed checkpoint holds another hash for it")
        previous, seq = entry.hash, entry.seq
        yield entry
    if (head.seq, head.hash) != (seq, previous):
        raise Differs("head", str(head.bucket), f"it stands at {head.seq}, the journal ends at {seq}")
    if row := cursor.execute(_STRAY_POSTINGS, [head.bucket, head.bucket]).fetchone():
        raise Differs("entry", str(Place(head.bucket, row[0])), "it has postings that it should not have")


def _replay(bucket: _Bucket, entry: Entry, bucket_count: int) -> None:
    if bucket_of(entry.wallet, bucket_count) != bucket.number:
        raise Differs("entry", str(entry.place), "its wallet belongs to another bucket")
    wallet = bucket.wallets.get(entry.wallet)
    if wallet is None:
        wallet = bucket.wallets[entry.wallet] = Wallet(bucket.number, entry.wallet)
    try:
        wallet.fold(entry)
    except (JournalCorrupt, KeyError) as corrupt:
        raise Differs("entry", str(entry.place), f"it does not follow from the state before: {corrupt}") from corrupt
    if wallet.balance != entry.balance:
        raise Differs("entry", str(entry.place), f"it says balance {entry.balance}, the replay gives {wallet.balance}")
    if entry.is_asked_for:
        bucket.requests.append((entry.wallet, entry.request_id, entry.request_hash, entry.seq))
    if entry.kind is EntryKind.AWARD and entry.receipt is not None:
        store, terminal, day, number = entry.receipt
        claim = receipt_bucket((entry.partner, entry.receipt), bucket_count)
        bucket.receipts.append((claim, entry.partner, day, store, terminal, number, entry.seq))


def _count(flows: Counter[str], entry: Entry) -> None:
    inside = (AccountKind.AVAILABLE, AccountKind.PENDING, AccountKind.HELD)
    for posting in entry.postings:
        flows["in"] += posting.points * (posting.credit.kind in inside and posting.debit.kind not in inside)
        flows["out"] += posting.points * (posting.debit.kind in inside and posting.credit.kind not in inside)


def _compare_projections(cursor: psycopg.Cursor[Row], bucket: _Bucket) -> None:
    number = bucket.number

    def place(key: object) -> str:
        return f"{number}-{key}"

    wallets = {id_: (Unit.POINTS, *wallet.balance) for id_, wallet in bucket.wallets.items()}
    stored_wallets = {row[0]: tuple(row[1:]) for row in cursor.execute(_WALLETS, [number])}
    compare("wallet", wallets, stored_wallets, lambda id_: f"{number}/{id_}")
    lots = {(w.id, *lot.id): (Unit.POINTS, *_plain(lot)) for w in bucket.wallets.values() for lot in w.lots.values()}
    stored_lots = {}
    for *row, unit in cursor.execute(_LOTS, [number]):
        lot = lot_of(row)
        stored_lots[row[1], lot.id.seq, lot.id.line] = (unit, *_plain(lot))
    compare("lot", _by_lot(lots), _by_lot(stored_lots), place)
    holds = {
        hold.seq: (w.id, hold.partner, hold.points, hold.captured, hold.state, hold.expires_at)
        for w in bucket.wallets.values()
        for hold in w.holds.values()
    }
    stored_holds = {
        seq: (wallet, partner, points, captured, state, micros(expires_at))
        for _, wallet, seq, partner, points, captured, state, expires_at in cursor.execute(_HOLDS, [number])
    }
    compare("hold", holds, stored_holds, place)
    redemptions = {
        r.seq: (w.id, r.partner, r.points, r.refunded) for w in bucket.wallets.values() for r in w.redemptions.values()
    }
    stored = {
        seq: (wallet, partner, points, refunded)
        for _, wallet, seq, partner, points, refunded in cursor.execute(_REDEMPTIONS, [number])
    }
    compare("redemption", redemptions, stored, place)
    requests = _by_entry((seq, (wallet, request, hash_)) for wallet, request, hash_, seq in bucket.requests)
    rows = cursor.execute(_REQUESTS, [number])
    compare("request", requests, _by_entry((seq, (w, request, hash_)) for w, request, hash_, seq in rows), place)
    receipts = _by_entry((claim[-1], claim[:-1]) for claim in bucket.receipts)
    rows = cursor.execute(_RECEIPTS, [number])
    compare("receipt", receipts, _by_entry((row[-1], tuple(row[:-1])) for row in rows), place)


def _plain(lot: Lot) -> tuple[object, ...]:
    return (
        lot.issuer,
        lot.earned_at,
        lot.expires_on,
        lot.awarded,
        lot.available,
        lot.pending,
        lot.held,
        lot.undone,
    )


def _by_lot(lots: dict[tuple[UUID, int, int], tuple[object, ...]]) -> dict[str, tuple[object, ...]]:
    return {f"{seq}.{line}": (wallet, *rest) for (wallet, seq, line), rest in lots.items()}


def _by_entry(rows: Iterable[tuple[object, tuple[object, ...]]]) -> dict[object, tuple[object, ...]]:
    """What names an entry, by the entry's seq: no entry is named twice, so a second row stands out."""
    found: dict[object, tuple[object, ...]] = {}
    for seq, row in rows:
        found[seq] = (*found[seq], *row) if seq in found else row
    return found
