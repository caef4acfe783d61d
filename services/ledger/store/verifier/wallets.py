"""Second pass over a bucket: one wallet after the other is folded from its entries, compared and forgotten.

So what is kept in memory is one wallet's, however long the journal is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from itertools import groupby
from uuid import UUID

import psycopg

from services.ledger.domain.entry import Entry, Place, Unit
from services.ledger.domain.lots import Lot
from services.ledger.domain.refusals.journal import JournalCorrupt
from services.ledger.domain.wallet import Wallet
from services.ledger.store.rows import Row, entry_of, posting_of
from services.ledger.store.verifier.look import streamed
from services.ledger.store.verifier.projections import STATEMENTS, Stored, plain
from services.ledger.store.writer.statements import ENTRY_COLUMNS, POSTING_COLUMNS
from shared.verifying import Differs, compare

FIRST, LAST = UUID(int=0), UUID(int=2**128 - 1)

_ENTRIES = f"""
SELECT {ENTRY_COLUMNS} FROM ledger.entries e
WHERE e.bucket = %s AND e.wallet_id BETWEEN %s AND %s ORDER BY e.wallet_id, e.seq
"""
_POSTINGS = f"""
SELECT {POSTING_COLUMNS} FROM ledger.entries e
JOIN ledger.postings p ON p.bucket = e.bucket AND p.seq = e.seq AND p.posted_at = e.posted_at
WHERE e.bucket = %s AND e.wallet_id BETWEEN %s AND %s ORDER BY e.wallet_id, p.seq, p.line
"""

Facts = tuple[object, ...]


@dataclass(slots=True)
class Folded:
    """A wallet as replayed, with the requests that led to it."""

    wallet: Wallet
    requests: dict[object, Facts] = field(default_factory=dict)

    def take(self, entry: Entry) -> None:
        """Raises Differs for an entry that does not follow from those before it."""
        wallet, place = self.wallet, str(entry.place)
        try:
            wallet.fold(entry)
        except (JournalCorrupt, KeyError) as corrupt:
            raise Differs("entry", place, f"it does not follow from the state before: {corrupt}") from corrupt
        for unit, balance in ((entry.unit, entry.balance), *entry.others):
            if wallet.of(unit) != balance:
                detail = f"it says balance {balance} of {unit.name}, the replay gives {wallet.of(unit)}"
                raise Differs("entry", place, detail)
        if entry.is_asked_for:
            self.requests[entry.seq] = (entry.wallet, entry.request_id, entry.request_hash)


@dataclass(slots=True)
class Counted:
    """What was compared."""

    entries: int = 0
    wallets: int = 0
    lots: int = 0


def folded(cursor: psycopg.Cursor[Row], bucket: int, first: UUID, last: UUID) -> Iterator[tuple[Folded, int]]:
    """Every wallet of the range as its entries make it, with their number."""
    range_: list[object] = [bucket, first, last]
    with ExitStack() as streams:
        rows = streams.enter_context(closing(streamed(cursor, "wallet_entries", _ENTRIES, range_)))
        postings = streams.enter_context(closing(streamed(cursor, "wallet_postings", _POSTINGS, range_)))
        for wallet, entries in groupby(_joined(rows, postings), lambda entry: entry.wallet):
            one, count = Folded(Wallet(bucket, wallet)), 0
            for entry in entries:
                one.take(entry)
                count += 1
            yield one, count


def compare_wallets(
    cursor: psycopg.Cursor[Row], bucket: int, first: UUID = FIRST, last: UUID = LAST
) -> Iterator[Counted]:
    """Fold and compare the wallets of a range. Yields what was done since the last time. Raises Differs."""
    with ExitStack() as streams:
        tables = {
            subject: streams.enter_context(closing(Stored(cursor, subject, [bucket, first, last])))
            for subject in STATEMENTS
        }
        for one, entries in folded(cursor, bucket, first, last):
            _compare(bucket, one, {subject: table.upto(one.wallet.id) for subject, table in tables.items()})
            yield Counted(entries, 1, len(one.wallet.lots))
        nobody = {subject: table.rest() for subject, table in tables.items()}
        for subject, rows in nobody.items():
            compare(subject, {}, _keyed(subject, rows), _namer(subject, bucket))


def expected(one: Folded) -> dict[str, dict[object, Facts]]:
    """The projections that the journal gives, by subject and key."""
    wallet = one.wallet
    return {
        "wallet": {(wallet.id, unit): _wallet_facts(wallet, unit) for unit in {Unit.POINTS, *wallet.balances}},
        "lot": {lot.id: _lot_facts(wallet, lot) for lot in wallet.lots.values()},
        "hold": {
            hold.seq: (wallet.id, hold.partner, hold.points, hold.captured, hold.released, hold.state, hold.expires_at)
            for hold in wallet.holds.values()
        },
        "redemption": {r.seq: (wallet.id, r.partner, r.points, r.refunded) for r in wallet.redemptions.values()},
        "request": one.requests,
        "alias": {(other.bucket, other.wallet): (wallet.id,) for other in wallet.aliases},
    }


def _joined(rows: Iterable[Row], postings: Iterator[Row]) -> Iterator[Entry]:
    """Both come in the same order; what the first pass has seen has no posting too many."""
    coming = next(postings, None)
    for row in rows:
        own = []
        while coming is not None and coming[1] == row[1]:
            own.append(posting_of(coming))
            coming = next(postings, None)
        yield entry_of(row, own)


def _compare(bucket: int, one: Folded, stored: dict[str, list[Row]]) -> None:
    for subject, facts in expected(one).items():
        compare(subject, facts, _keyed(subject, stored[subject]), _namer(subject, bucket))


def _keyed(subject: str, rows: Iterable[Row]) -> dict[object, Facts]:
    """Rows of a table, by what names them in it; a second row for one entry's request stands out."""
    found: dict[object, Facts] = {}
    for row in rows:
        wallet, *rest = plain(subject, row)
        match subject:
            case "wallet":
                found[wallet, rest[0]] = tuple(rest[1:])
            case "alias":
                found[rest[0], rest[1]] = (wallet,)
            case "lot":
                found[rest[0], rest[1]] = (wallet, *rest[2:])
            case _:
                facts = (wallet, *rest[1:])
                found[rest[0]] = (*found[rest[0]], *facts) if rest[0] in found else facts
    return found


def _namer(subject: str, bucket: int) -> Callable[[object], str]:
    """How a difference names a row."""
    if subject == "wallet":
        return lambda key: f"{bucket}/{key[0]}"  # type: ignore[index]  # keys of wallets are pairs
    if subject == "lot":
        return lambda key: f"{bucket}-{key[0]}.{key[1]}"  # type: ignore[index]  # those of lots, too
    if subject == "alias":
        return lambda key: f"{bucket}/{key[1]}"  # type: ignore[index]  # and those of aliases
    return lambda key: str(Place(bucket, int(str(key))))


def _wallet_facts(wallet: Wallet, unit: Unit) -> Facts:
    """What belongs to the wallet as a whole is kept beside its points."""
    if unit is not Unit.POINTS:
        return (*wallet.of(unit), None, None, None, None, 0)
    into = wallet.merged_into
    merged = (None, None) if into is None else (into.bucket, into.wallet)
    return (*wallet.of(unit), wallet.active_at, wallet.idle_days, *merged, len(wallet.aliases))


def _lot_facts(wallet: Wallet, lot: Lot) -> Facts:
    return (
        wallet.id,
        lot.unit,
        lot.issuer,
        lot.earned_at,
        lot.expires_on,
        lot.awarded,
        lot.available,
        lot.pending,
        lot.held,
        lot.undone,
        lot.owed,
        lot.available_from,
        lot.idle_days,
        lot.campaign or None,
        *(lot.origin or (None, None, None)),
    )
