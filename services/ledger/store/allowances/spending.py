"""What a batch does with allowances inside its transaction: count, spend, and when a slice is short, refill it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Final, TypeAlias

import psycopg

from services.ledger.domain.dealing import dealt
from services.ledger.domain.entry import AccountKind, Entry, Unit
from services.ledger.domain.points import MOST
from services.ledger.domain.verbs.award import allowance_spent
from services.ledger.domain.wish import AwardWish, Wish
from services.ledger.store.rows import Row
from services.ledger.store.stripes import stripe_of
from shared.db.columns import Int4s, Int8s, Texts

Gross: TypeAlias = Mapping[tuple[int, str], int]
"""Points that a batch awards, by stripe and issuer."""

# A count that no number holds any more stands still at the largest: then every allowance is long spent.
_SPEND: Final = f"""
INSERT INTO ledger.slices AS s (bucket, partner, awarded)
SELECT bucket, partner, awarded FROM unnest(%b, %b, %b) AS n (bucket, partner, awarded) ORDER BY bucket, partner
ON CONFLICT (bucket, partner) DO UPDATE SET
    awarded = least(s.awarded::numeric + EXCLUDED.awarded, {MOST}), remaining = s.remaining - EXCLUDED.awarded
WHERE s.remaining IS NULL OR s.remaining >= EXCLUDED.awarded
"""
_LEFT: Final = """
SELECT a.partner, a.pool + coalesce(sum(s.remaining), 0)
FROM ledger.allowances a JOIN ledger.slices s ON s.bucket = ANY(%b) AND s.partner = a.partner
WHERE a.partner = ANY(%b) GROUP BY a.partner
"""
_POOLS: Final = "SELECT partner, pool FROM ledger.allowances WHERE partner = ANY(%b) ORDER BY partner FOR UPDATE"
_SLICES: Final = """
SELECT bucket, partner, remaining FROM ledger.slices WHERE bucket = %s AND partner = ANY(%b) ORDER BY partner FOR UPDATE
"""
# The same rows, and beside them those of issuers that have no allowance yet: a slice that is not there yet is made.
_SLICES_AND_FREE: Final = """
INSERT INTO ledger.slices AS s (bucket, partner, awarded)
SELECT %s, partner, 0 FROM unnest(%b) AS n (partner) ORDER BY partner
ON CONFLICT (bucket, partner) DO UPDATE SET awarded = s.awarded RETURNING bucket, partner, remaining
"""
_DEAL: Final = f"""
UPDATE ledger.slices s SET awarded = least(s.awarded::numeric + n.awarded, {MOST}), remaining = n.remaining
FROM unnest(%b, %b, %b, %b) AS n (bucket, partner, awarded, remaining)
WHERE s.bucket = n.bucket AND s.partner = n.partner
"""
_FILL: Final = """
UPDATE ledger.allowances a SET pool = n.pool FROM unnest(%b, %b) AS n (partner, pool) WHERE a.partner = n.partner
"""


class ShortOfAllowance(Exception):
    """A slice held less than the batch awards: roll back, and do the batch again with the pool in hand."""


def gross(entries: Iterable[Entry], stripes: int) -> Gross:
    """What the entries award: the points that leave an issuer's account."""
    found: Counter[tuple[int, str]] = Counter()
    for entry in entries:
        for posting in entry.postings:
            if posting.debit.kind is AccountKind.ISSUED and posting.unit is Unit.POINTS:
                found[stripe_of(entry.bucket, stripes), posting.debit.party] += posting.points
    return found


def spend(cursor: psycopg.Cursor[Row], spent: Gross) -> int:
    """Send the batch's awards, at least one, to its slices. Any other row count afterwards is ShortOfAllowance."""
    cursor.execute(_SPEND, [*_keys(spent), Int8s([min(points, MOST) for points in spent.values()])])
    return len(spent)


def left(cursor: psycopg.Cursor[Row], issuers: Iterable[str], stripes: int) -> dict[str, int]:
    """What issuers may still award, of those that have an allowance: true at one moment, and nothing is locked."""
    every = Int4s(range(stripes))
    return {partner: int(points) for partner, points in cursor.execute(_LEFT, [every, Texts(sorted(issuers))])}


class Pools:
    """The allowances of a batch's issuers, locked: nobody else awards for them until the transaction ends.

    `left` is what each may still award, for those that have an allowance. What nobody could award anything of is not
    locked: an issuer at its cap keeps nobody waiting. Of issuers without an allowance the slices that the batch spends
    from are locked along with the others, in their order: asked for behind them they could belong to somebody who waits
    for us.
    """

    def __init__(self, cursor: psycopg.Cursor[Row], wishes: Sequence[Wish], stripes: int) -> None:
        least = _least_wished(wishes)
        self.left = left(cursor, least, stripes)
        self.dry: set[str] = {issuer for issuer, points in self.left.items() if points < least[issuer]}
        locked = Texts(sorted(self.left.keys() - self.dry))
        rows = cursor.execute(_POOLS, [locked]).fetchall() if locked.count else []
        self._pools: dict[str, int] = {partner: pool for partner, pool in rows}  # noqa: C416  rows have no type
        self._slices: dict[str, dict[int, int]] = defaultdict(dict)
        free = _without_allowance(wishes, self.left, stripes)
        for stripe in range(stripes if locked.count else 0):
            beside = free.get(stripe)
            asked = Texts(sorted(self._pools.keys() | beside)) if beside else locked
            for bucket, partner, remaining in cursor.execute(_SLICES_AND_FREE if beside else _SLICES, [stripe, asked]):
                if partner in self._pools:
                    self._slices[partner][bucket] = remaining
        self.left |= {issuer: pool + sum(self._slices[issuer].values()) for issuer, pool in self._pools.items()}

    def spend(self, cursor: psycopg.Cursor[Row], spent: Gross) -> int:
        """As the function of that name. Afterwards `dry` are the issuers whose slices will be short again soon."""
        free = {key: points for key, points in spent.items() if key[1] not in self._pools}
        rows: dict[tuple[int, str], tuple[int, int]] = {}
        pools: dict[str, int] = {}
        for issuer in sorted({issuer for _, issuer in spent} & self._pools.keys()):
            mine = {stripe: points for (stripe, party), points in spent.items() if party == issuer}
            pools[issuer], slices = dealt(self._pools[issuer], self._slices[issuer], mine)
            changed = {s: r for s, r in slices.items() if s in mine or r != self._slices[issuer][s]}
            rows |= {(stripe, issuer): (mine.get(stripe, 0), remaining) for stripe, remaining in changed.items()}
            if any(slices[stripe] < points for stripe, points in mine.items()):
                self.dry.add(issuer)
        if rows:
            counts, remains = zip(*rows.values(), strict=True)
            cursor.execute(_DEAL, [*_keys(rows), Int8s(counts), Int8s(remains)])
            cursor.execute(_FILL, [Texts(list(pools)), Int8s(list(pools.values()))])
        return spend(cursor, free) if free else len(pools)


def _least_wished(wishes: Iterable[Wish]) -> dict[str, int]:
    """The smallest award of each issuer in the batch."""
    least: dict[str, int] = {}
    for wish in wishes:
        if isinstance(wish, AwardWish):
            for issuer, points in allowance_spent(wish).items():
                least[issuer] = min(points, least.get(issuer, points))
    return least


def _without_allowance(wishes: Iterable[Wish], allowed: Container[str], stripes: int) -> dict[int, set[str]]:
    """The other issuers of the batch, by the stripe whose slices it may spend from."""
    free: dict[int, set[str]] = defaultdict(set)
    for wish in wishes:
        if isinstance(wish, AwardWish):
            free[stripe_of(wish.bucket, stripes)] |= {one for one in allowance_spent(wish) if one not in allowed}
    return free


def _keys(rows: Iterable[tuple[int, str]]) -> list[Int4s | Texts]:
    keys = list(rows)
    return [Int4s([stripe for stripe, _ in keys]), Texts([partner for _, partner in keys])]
