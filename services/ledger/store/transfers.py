"""Transfers and merges: two entries in two buckets, and the sweep that brings what is still on its way.

The leg that leaves is the promise; the leg that arrives follows from it alone and has a request id of its own that is
derived from the place and the hash of the first, which nobody can know before. So whoever finds an open transfer may
finish it, any number of times.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Engine

from services.ledger.domain.entry import OPERATOR, Counterpart, Entry, Place
from services.ledger.domain.refusals.moves import WalletMerged
from services.ledger.domain.wish import ArriveWish, MergeWish, TransferWish
from services.ledger.store.session import reading, writing
from services.ledger.store.writer import Posted, Writer
from services.ledger.store.writer.places import entries_at
from shared.ids import derived
from shared.log import get_logger
from shared.refusal import Kind, Refusal

log = get_logger()

_OPEN = """
SELECT seq FROM ledger.transfers WHERE bucket = %s AND arrived_seq IS NULL AND seq > %s ORDER BY seq LIMIT %s
"""
_ARRIVED = "UPDATE ledger.transfers SET arrived_seq = %s WHERE bucket = %s AND seq = %s AND arrived_seq IS NULL"
# What reached a wallet after it was merged follows to where it went. Debts count: they follow too.
_LEFT_BEHIND = """
SELECT DISTINCT m.wallet_id, m.merged_bucket, m.merged_wallet
FROM ledger.wallets m
JOIN ledger.wallets w ON w.bucket = m.bucket AND w.wallet_id = m.wallet_id
WHERE m.bucket = %s AND m.unit = 1 AND m.merged_wallet IS NOT NULL AND (w.available > 0 OR w.pending > 0 OR w.debt > 0)
LIMIT %s
"""
_MERGED_INTO = """
SELECT merged_bucket, merged_wallet FROM ledger.wallets
WHERE bucket = %s AND wallet_id = %s AND unit = 1 AND merged_wallet IS NOT NULL
"""
_HEAD = "SELECT seq, hash FROM ledger.heads WHERE bucket = %s"
_PAGE = 200
_WITHIN_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Moved:
    """The leg that left, and the one that arrived; None while the points are in transit."""

    departure: Posted
    arrival: Entry | None


class Transfers:
    """Posts both legs, one after the other."""

    def __init__(self, engine: Engine, writer: Writer) -> None:
        self._engine = engine
        self._writer = writer

    def post(self, wish: TransferWish | MergeWish, within: float) -> Moved:
        """Both legs. Once the first is posted there is no refusal any more: what does not arrive now arrives later."""
        departure = self._writer.post(wish, within)
        if wish.dry:
            return Moved(departure, None)
        try:
            return Moved(departure, self._arrive(departure.entry, within))
        except Refusal as refusal:
            log.warning("transfer in transit", entry=str(departure.entry.place), reason=refusal.reason)
            return Moved(departure, None)

    def merged_into(self, bucket: int, wallet: UUID) -> Counterpart | None:
        """The wallet that this one was merged into."""
        with reading(self._engine) as cursor:
            row = cursor.execute(_MERGED_INTO, [bucket, wallet]).fetchone()
        return Counterpart(*row) if row else None

    def sweep(self, bucket: int) -> None:
        """Finish what left this bucket, then send after merged wallets what has reached them since."""
        last = 0
        while open_ := self._open(bucket, last):
            for departure in open_:
                with _others_go_on(departure.place):
                    self._arrive(departure, _WITHIN_SECONDS)
            last = open_[-1].seq
        with reading(self._engine) as cursor:
            left_behind = cursor.execute(_LEFT_BEHIND, [bucket, _PAGE]).fetchall()
        for wallet, *into in left_behind:
            with _others_go_on(wallet):
                self._follow(bucket, wallet, Counterpart(*into))

    def _open(self, bucket: int, after: int) -> list[Entry]:
        """The next legs that left and have not arrived. A page that nothing moves must not hide those behind it."""
        with reading(self._engine) as cursor:
            seqs = [seq for (seq,) in cursor.execute(_OPEN, [bucket, after, _PAGE])]
            legs = entries_at(cursor, [Place(bucket, seq) for seq in seqs])
        return [legs[place] for place in sorted(legs)]

    def _follow(self, bucket: int, wallet: UUID, into: Counterpart) -> None:
        with reading(self._engine) as cursor:
            seq, hash_ = cursor.execute(_HEAD, [bucket]).fetchone() or (0, b"")
        id_ = derived("follow", str(wallet), str(seq), hash_.hex())
        wish = MergeWish(bucket=bucket, wallet=wallet, partner=OPERATOR, request_id=id_, to=into)
        try:
            self.post(wish, _WITHIN_SECONDS)
        except WalletMerged:  # nothing is left to send
            return

    def _arrive(self, departure: Entry, within: float) -> Entry:
        to = departure.counterpart
        assert to is not None  # noqa: S101  the writer makes a row for entries with a counterpart only
        wish = ArriveWish(
            bucket=to.bucket,
            wallet=to.wallet,
            partner=departure.partner,
            request_id=derived("arrive", str(departure.place), departure.hash.hex()),
            out=departure,
        )
        arrival = self._writer.post(wish, within).entry
        with writing(self._engine) as cursor:
            cursor.execute(_ARRIVED, [arrival.seq, departure.bucket, departure.seq])
        return arrival


@contextmanager
def _others_go_on(what: Place | UUID) -> Iterator[None]:
    """What one wallet or its bucket refuses keeps nobody else's points in transit. A database that is away does."""
    try:
        yield
    except Refusal as refusal:
        if refusal.kind in (Kind.DOWN, Kind.TOO_MUCH, Kind.TOO_LATE):
            raise
        log.warning("transfer in transit", entry=str(what), reason=refusal.reason)
