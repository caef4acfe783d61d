"""Leases: which process posts for which stripe, and the epoch that fences whoever only believes it does.

One clock counts for all processes, the database's. A lease that ends is taken by whoever has less than a fair share;
taking it raises the epoch in the heads of its buckets. That waits for a posting of the old holder in flight, and every
later one finds another epoch than it believes in, and writes nothing. So a lease need not be given up before it is
taken: who has too many only stops renewing, and posts on until somebody else has them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import Final, NamedTuple

import psycopg
from sqlalchemy import Engine

from services.ledger.store.rows import Row
from services.ledger.store.session import writing
from services.ledger.store.stripes import buckets_of, stripe_count
from shared.db.columns import Int4s, Int8s
from shared.log import get_logger
from shared.refusal import Refusal
from shared.repeating import Repeating

log = get_logger()

_MAKE = """
INSERT INTO ledger.leases (bucket, holder, address, epoch, expires_at)
SELECT b, '', '', 0, 'epoch' FROM generate_series(0, %s) AS b ON CONFLICT DO NOTHING
"""
_ANNOUNCE = """
INSERT INTO ledger.processes (name, address, seen_at) VALUES (%s, %s, now())
ON CONFLICT (name) DO UPDATE SET address = EXCLUDED.address, seen_at = EXCLUDED.seen_at
"""
_FORGET = "DELETE FROM ledger.processes WHERE seen_at < now() - interval '1 hour'"
_PROCESSES = "SELECT name FROM ledger.processes WHERE seen_at > now() - make_interval(secs => %s) ORDER BY name"
_RENEW = """
UPDATE ledger.leases l SET expires_at = now() + make_interval(secs => %s)
FROM unnest(%b, %b) AS kept (bucket, epoch)
WHERE l.bucket = kept.bucket AND l.epoch = kept.epoch AND l.holder = %s
"""
_LEASES = """
SELECT bucket, holder, address, epoch, expires_at <= now(), expires_at <= now() - make_interval(secs => %s)
FROM ledger.leases ORDER BY bucket
"""
_TAKE = """
UPDATE ledger.leases SET holder = %s, address = %s, epoch = epoch + 1, expires_at = now() + make_interval(secs => %s)
WHERE bucket = %s AND (expires_at <= now() OR holder = %s) RETURNING epoch
"""
_FENCE = "UPDATE ledger.heads SET epoch = %s WHERE bucket = %s"
_LEAVE = "DELETE FROM ledger.processes WHERE name = %s"

_NOBODY: Final = ""


class Lease(NamedTuple):
    """A row of ledger.leases. `is_over`: may be taken. `is_stale`: its holder has not been heard of for a while."""

    stripe: int
    holder: str
    address: str
    epoch: int
    is_over: bool
    is_stale: bool


class Leases:
    """This process's leases: a thread takes them, renews them, and gives up what is beyond a fair share.

    `name` is the process's own: whoever comes back under the same name takes over its stripes at once. `engine` should
    end transactions that sleep: a taker that falls asleep holds heads. `alone`: take every stripe, from whoever has it,
    for work that nobody may post beside.
    """

    def __init__(
        self, engine: Engine, name: str, address: str, bucket_count: int, seconds: int = 3, *, alone: bool = False
    ) -> None:
        self._engine = engine
        self._name = name
        self._address = address
        self._bucket_count = bucket_count
        self._stripes = stripe_count(bucket_count)
        self._seconds = seconds
        self._alone = alone
        self._held: Mapping[int, int] = MappingProxyType({})
        self._elsewhere: Mapping[int, str] = MappingProxyType({})
        self._changing = threading.Lock()
        self._thread = Repeating("leases", self._round, seconds / 3, work="leases")

    def start(self) -> None:
        """Take what is ours or free, then look after it. Raises the refusal of a database that is away."""
        with writing(self._engine) as cursor:
            cursor.execute(_MAKE, [self._stripes - 1])
            cursor.execute(_FORGET)
        self._round(first=True)
        self._thread.start(after_pause=True)

    def stop(self) -> None:
        """Let go of everything: others take it at once. For after the last posting."""
        self._thread.stop()
        with suppress(Refusal), writing(self._engine) as cursor:
            self._renew(cursor, sorted(self._held), seconds=0)
            cursor.execute(_LEAVE, [self._name])
        with self._changing:
            self._held = MappingProxyType({})

    def held(self) -> Mapping[int, int]:
        return self._held

    def holder_of(self, stripe: int) -> str | None:
        return self._elsewhere.get(stripe)

    def fenced(self, stripe: int, epoch: int) -> None:
        with self._changing:
            if self._held.get(stripe) == epoch:
                self._held = MappingProxyType({k: v for k, v in self._held.items() if k != stripe})
        log.warning("fenced", stripe=stripe, epoch=epoch)
        self.look()

    def look(self) -> None:
        self._thread.wake()

    def _round(self, *, first: bool = False) -> None:
        """Announce ourselves, renew, learn who has what, and take what is free and due to us.

        While the database is away we cannot, and nobody else can take our stripes either.
        """
        began = time.monotonic()
        with writing(self._engine) as cursor:
            cursor.execute(_ANNOUNCE, [self._name, self._address])
            names = [name for (name,) in cursor.execute(_PROCESSES, [self._seconds])]
            share = self._stripes if self._alone else -(-self._stripes // max(1, len(names)))
            ours = sorted(self._held)
            self._renew(cursor, ours[:share], self._seconds)
            self._renew(cursor, ours[share:], seconds=0)
            leases = [Lease(*row) for row in cursor.execute(_LEASES, [self._seconds])]
        self._learn(leases)
        start = names.index(self._name) * share if self._name in names else 0
        for lease in leases[start:] + leases[:start]:  # so that processes that start together seldom want the same
            if time.monotonic() - began > self._seconds / 3:
                return  # renewing comes first
            if self._wants(lease, share, first=first):
                self._take(lease.stripe, instead_of=self._instead_of(lease, first=first))

    def _wants(self, lease: Lease, share: int, *, first: bool) -> bool:
        if lease.stripe in self._held:
            return False
        if self._alone or (first and lease.holder == self._name):
            return True
        return lease.is_over and (len(self._held) < share or lease.is_stale)

    def _instead_of(self, lease: Lease, *, first: bool) -> str:
        """Whose lease may be taken although it is not over."""
        if self._alone:
            return lease.holder
        return self._name if first else _NOBODY

    def _take(self, stripe: int, instead_of: str) -> None:
        """Raise the epoch of the stripe, in its lease and then in its heads, in the order in which everybody locks."""
        try:
            with writing(self._engine) as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = {self._seconds * 1000 // 6}")
                values = [self._name, self._address, self._seconds, stripe, instead_of]
                row = cursor.execute(_TAKE, values).fetchone()
                if row is None:
                    return
                (epoch,) = row
                for bucket in buckets_of(stripe, self._bucket_count):
                    cursor.execute(_FENCE, [epoch, bucket])
        except Refusal as refusal:  # the old holder is in the middle of something: soon again
            log.info("lease not taken", stripe=stripe, reason=refusal.reason)
            return
        with self._changing:
            self._held = MappingProxyType({**self._held, stripe: epoch})
            self._elsewhere = MappingProxyType({k: v for k, v in self._elsewhere.items() if k != stripe})
        log.info("lease taken", stripe=stripe, epoch=epoch)

    def _renew(self, cursor: psycopg.Cursor[Row], stripes: Sequence[int], seconds: int) -> None:
        """Let the leases of these stripes end so many seconds from now, as far as they are still ours."""
        if stripes:
            epochs = Int8s([self._held[stripe] for stripe in stripes])
            cursor.execute(_RENEW, [seconds, Int4s(stripes), epochs, self._name])

    def _learn(self, leases: Sequence[Lease]) -> None:
        epochs = {lease.stripe: lease.epoch for lease in leases if lease.holder == self._name}
        others = [lease for lease in leases if lease.holder != self._name and lease.address]
        with self._changing:
            lost = {stripe for stripe, epoch in self._held.items() if epochs.get(stripe) != epoch}
            self._held = MappingProxyType({k: v for k, v in self._held.items() if k not in lost})
            self._elsewhere = MappingProxyType({lease.stripe: lease.address for lease in others if not lease.is_stale})
        for stripe in sorted(lost):
            log.info("lease lost", stripe=stripe)
