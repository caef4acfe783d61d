"""Read what a batch needs: lock its heads and ask the rest in the same round trip, then what the answers ask for.

Awards and most redemptions are done after the first round. Everything read is stable until the transaction ends: its
bucket is locked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from datetime import datetime, time
from functools import partial
from typing import Final, Generic, TypeVar
from uuid import UUID

import psycopg

from services.ledger.domain.apply import Head, bucket_of
from services.ledger.domain.entry import AccountKind, Balance, Counterpart, Entry, EntryKind, Place, ReceiptRef, Unit
from services.ledger.domain.lots import Hold, HoldState, Lot, Redemption, takes_from
from services.ledger.domain.moment import Moment
from services.ledger.domain.programme import Programme
from services.ledger.domain.wallet import Wallet
from services.ledger.domain.wish import ArriveWish, AwardWish, EntryWish, WalletWish, Wish
from services.ledger.store.holdings import Fenced
from services.ledger.store.rows import Row, lot_of
from services.ledger.store.stripes import stripe_count, stripe_of
from services.ledger.store.writer import statements as sql
from services.ledger.store.writer.asking import Asking, Cursor, asking
from services.ledger.store.writer.needs import needs_of
from services.ledger.store.writer.places import BETWEEN, entries_between
from services.ledger.store.writer.working_set import (
    RequestKey,
    WalletKey,
    WorkingSet,
    place_columns,
    receipt_columns,
    request_columns,
    wallet_columns,
)
from shared.db.columns import Int2s, Int4s, Uuids
from shared.instants import instant, micros

_HEADS_AT_ONCE: Final = 32

K = TypeVar("K", bound=Hashable)

_UNITS: Final = {unit.value: unit for unit in Unit}
_SPENDS: Final = (EntryKind.REDEMPTION, EntryKind.CAPTURE)
_NO_LINKS: Final = [None, None, 0]


class Loader:
    """One batch's reading. `known` are places of requests that are in memory; `probe`: look all others up as well.

    What an answer asks for goes to a list of news, by subject, and is asked in the next round.
    """

    def __init__(
        self,
        wishes: Sequence[Wish],
        now: Moment,
        programme: Programme,
        bucket_count: int,
        held: Mapping[int, int],
        known: Mapping[int, Place],
        *,
        probe: bool,
    ) -> None:
        self._wishes = wishes
        self._now = now
        self._programme = programme
        self._bucket_count = bucket_count
        self._held = held
        self._probe = probe
        self._needs = needs = needs_of(wishes, programme)
        self.found = WorkingSet(wallets=needs.wallets)
        self._answers: list[Callable[[], None]] = []
        self._rows = News[WalletKey](needs.wallets)
        self._whole = News[WalletKey](needs.whole)
        self._debts = News[WalletKey]()
        self._due_holds = News[WalletKey]()
        self._due_pending = News[WalletKey]()
        self._aliases = News[WalletKey]()
        self._originals = News[Place](needs.originals)
        self._repeats = News[Place]()
        self._about = News[Place]()
        self._requests = News[RequestKey]()
        self._merged: dict[WalletKey, list[WalletKey]] = {}
        self._next: dict[tuple[WalletKey, Unit], list[Lot]] = {}
        self._about_entries: dict[Place, list[EntryWish]] = defaultdict(list)
        for wish in wishes:
            if (place := known.get(wish.request_id.int)) is not None:
                self._repeats.add(place)  # of this wallet, or of another one: an id means something in each
            if (probe or wish.dry) and isinstance(wish, WalletWish):
                self._requests.add((wish.wallet.int, wish.request_id.int))
            if isinstance(wish, EntryWish):
                self._about_entries[wish.place].append(wish)
            elif isinstance(wish, ArriveWish) and wish.out.kind is EntryKind.MERGE_OUT:
                self._expect_alias(wish)

    def load(self, connection: psycopg.Connection[Row]) -> WorkingSet:
        """Lock, then read. Raises Fenced when another process has taken one of the stripes over."""
        with asking(connection) as questions:
            self._ask_first(questions)
            self._ask(questions)
        while self._answers:
            answers, self._answers = self._answers, []
            for answer in answers:
                answer()
            if self._has_questions():
                with asking(connection) as questions:
                    self._ask(questions)
        return self.found

    def _expect_alias(self, wish: ArriveWish) -> None:
        """What was asked of a wallet counts in the survivor from the very batch on that brings it there."""
        survivor, other = wish.wallet.int, wish.out.wallet.int
        self._merged.setdefault(survivor, []).append(other)
        self._aliases.add(survivor)
        self._aliases.add(other)

    # Questions.

    def _ask_first(self, questions: Asking) -> None:
        buckets = sorted({wish.bucket for wish in self._wishes})
        for start in range(0, len(buckets), _HEADS_AT_ONCE):
            some = buckets[start : start + _HEADS_AT_ONCE]
            size = 1 << (len(some) - 1).bit_length()  # few sizes, so that each is prepared soon; the last one again
            cursor = questions.ask(sql.lock_heads(size), [*some, *some[-1:] * (size - len(some))])
            self._answers.append(partial(self._take_heads, cursor))
        if spending := list(self._needs.spending):
            columns = wallet_columns([self.found.wallets[key] for key, _ in spending])
            cursor = questions.ask(sql.NEXT_LOTS, [*columns, Int2s([unit for _, unit in spending])])
            self._answers.append(partial(self._take_next, spending, cursor))
        self._ask_receipts(questions)
        if self._needs.senders and self._programme.transfer_points_a_day:
            senders = [self.found.wallets[key] for key in self._needs.senders]
            midnight = datetime.combine(self._now.today, time.min, self._now.zone)
            cursor = questions.ask(sql.SENT, [*wallet_columns(senders), midnight])
            self._answers.append(partial(self._take_sent, senders, cursor))

    def _ask_receipts(self, questions: Asking) -> None:
        wishes = self._wishes if self._probe else [wish for wish in self._wishes if wish.dry]
        if keys := sorted({(w.partner, w.receipt) for w in wishes if isinstance(w, AwardWish) and w.receipt}):
            cursor = questions.ask(sql.RECEIPTS_KNOWN, receipt_columns(keys, self._bucket_count))
            self._answers.append(partial(self._take_receipts, cursor))

    def _has_questions(self) -> bool:
        of_wallets = (self._rows, self._whole, self._debts, self._due_holds, self._due_pending, self._aliases)
        of_entries = (self._originals, self._repeats, self._about)
        return any(of.news for of in of_wallets) or any(of.news for of in of_entries) or bool(self._requests.news)

    def _ask(self, questions: Asking) -> None:
        """Whatever has come up since the last round."""
        now: Sequence[object] = [instant(self._now.at)]
        if self._rows.news:
            wallets = [self.found.wallets[key] for key in self._rows.taken()]
            buckets, today = Int4s(sorted({wallet.bucket for wallet in wallets})), self._now.today
            cursor = questions.ask(sql.WALLETS, [buckets, today, today, *wallet_columns(wallets)])
            self._answers.append(partial(self._take_rows, wallets, cursor))
        self._ask_of_wallets(questions, self._whole, sql.LIVE_LOTS, self._take_lots)
        self._ask_of_wallets(questions, self._debts, sql.LOTS_IN_DEBT, self._take_lots)
        self._ask_of_wallets(questions, self._due_pending, sql.PENDING_DUE, self._take_lots, now)
        self._ask_of_wallets(questions, self._due_holds, sql.HOLDS_DUE, self._take_due_holds, now)
        if keys := self._aliases.taken():
            ids = [UUID(int=key) for key in keys]
            columns = [Int4s([bucket_of(id_, self._bucket_count) for id_ in ids]), Uuids(ids)]
            self._answers.append(partial(self._take_aliases, keys, questions.ask(sql.ALIASES, columns)))
        if requests := self._requests.taken():
            cursor = questions.ask(sql.REQUESTS_KNOWN, request_columns(requests, self._bucket_count))
            self._answers.append(partial(self._take_requests, cursor))
        if self._originals.news or self._repeats.news:
            originals, repeats = self._originals.taken(), self._repeats.taken()
            asked = list(dict.fromkeys([*originals, *repeats]))
            bounds = questions.ask(BETWEEN, place_columns(asked))
            self._answers.append(partial(self._take_entries, originals, repeats, asked, bounds))
        if about := self._about.taken():
            self._ask_about(questions, [self.found.originals[place] for place in about])

    def _ask_of_wallets(
        self,
        questions: Asking,
        news: News[WalletKey],
        statement: str,
        take: Callable[[list[Wallet], Cursor], None],
        more: Sequence[object] = (),
    ) -> None:
        if news.news:
            wallets = [self.found.wallets[key] for key in news.taken()]
            cursor = questions.ask(statement, [*wallet_columns(wallets), *more])
            self._answers.append(partial(take, wallets, cursor))

    def _ask_about(self, questions: Asking, entries: Sequence[Entry]) -> None:
        """Lots, holds and redemptions that belong to earlier entries."""
        awards = {Place(entry.bucket, posting.lot.seq) for entry in entries for posting in entry.postings}
        lots = questions.ask(sql.LOTS_OF_AWARDS, place_columns(awards))
        self._answers.append(partial(self._take_lots_of_awards, lots))
        if holds := [entry.place for entry in entries if entry.kind is EntryKind.HOLD]:
            self._answers.append(partial(self._take_holds, questions.ask(sql.HOLDS_AT, place_columns(holds))))
        if spends := [entry.place for entry in entries if entry.kind in _SPENDS]:
            cursor = questions.ask(sql.REDEMPTIONS_AT, place_columns(spends))
            self._answers.append(partial(self._take_redemptions, cursor))

    # Answers.

    def _take_heads(self, cursor: Cursor) -> None:
        stripes = stripe_count(self._bucket_count)
        for bucket, seq, hash_, posted_at, epoch, frozen in cursor.fetchall():
            stripe = stripe_of(bucket, stripes)
            if self._held.get(stripe) != epoch:
                raise Fenced(stripe, self._held.get(stripe, -1))
            self.found.heads[bucket] = Head(bucket, seq, hash_, micros(posted_at))
            self.found.ends[bucket] = seq
            if frozen:
                self.found.frozen.add(bucket)

    def _take_rows(self, wallets: list[Wallet], cursor: Cursor) -> None:
        rows, idle, heavy = self.found.rows, self._programme.idle_days is not None, self._needs.heavy
        for n, unit, available, pending, held, debt, active_at, idle_days, *links, is_due in cursor.fetchall():
            wallet = wallets[n - 1]
            key = wallet.id.int
            wallet.balances[_UNITS[unit]] = Balance(available, pending, held, debt)
            rows.add((key, unit))
            if unit == Unit.POINTS:
                if idle or idle_days is not None or key in heavy:
                    wallet.active_at = None if active_at is None else micros(active_at)
                wallet.idle_days = idle_days
                if links != _NO_LINKS:
                    self._take_links(wallet, *links)
            if is_due:
                self._whole.add(key)
            if debt or held or pending or idle_days is not None:
                self._look_closer(wallet)
        self._look_for_more_lots()

    def _take_links(self, wallet: Wallet, into_bucket: int, into: UUID | None, aliases: int) -> None:
        wallet.merged_into = None if into is None else Counterpart(into_bucket, into)
        if aliases:
            self._aliases.add(wallet.id.int)

    def _look_closer(self, wallet: Wallet) -> None:
        """What the balances of a wallet say that has to be known as well."""
        key = wallet.id.int
        for balance in wallet.balances.values():
            if balance.debt:
                self._debts.add(key)
            if balance.held:
                self._due_holds.add(key)
            if balance.pending:
                self._due_pending.add(key)
        spends = any((key, unit) in self._needs.spending for unit in wallet.balances)
        if wallet.idle_days is not None and (spends or wallet.lapsed(self._now)):
            self._whole.add(key)

    def _look_for_more_lots(self) -> None:
        """Where those that were read first do not tell all that matters."""
        for (key, unit), lots in self._next.items():
            if len(lots) < sql.NEXT:
                continue
            if sum(lot.available for lot in lots) < self._needs.spending[key, unit]:
                self._whole.add(key)

    def _take_next(self, asked: list[tuple[WalletKey, Unit]], cursor: Cursor) -> None:
        self._next = {key: [] for key in asked}
        for n, *row in cursor.fetchall():
            key = asked[n - 1]
            lot = lot_of(row)
            self._next[key].append(lot)
            self.found.wallets[key[0]].lots[lot.id] = lot

    def _take_lots(self, wallets: list[Wallet], cursor: Cursor) -> None:
        for n, *row in cursor.fetchall():
            lot = lot_of(row)
            wallets[n - 1].lots[lot.id] = lot

    def _take_lots_of_awards(self, cursor: Cursor) -> None:
        for bucket, id_, *row in cursor.fetchall():
            lot = lot_of(row)
            self.found.wallet(bucket, id_).lots[lot.id] = lot

    def _take_due_holds(self, _: list[Wallet], cursor: Cursor) -> None:
        for bucket, _wallet, seq, *_rest in cursor.fetchall():
            self._originals.add(Place(bucket, seq))

    def _take_holds(self, cursor: Cursor) -> None:
        for bucket, id_, seq, partner, points, captured, released, state, expires_at in cursor.fetchall():
            pins = takes_from(self.found.originals[Place(bucket, seq)].postings, AccountKind.HELD)
            hold = Hold(seq, partner, points, micros(expires_at), pins, HoldState(state), captured, released)
            self.found.wallet(bucket, id_).holds[seq] = hold

    def _take_redemptions(self, cursor: Cursor) -> None:
        for bucket, id_, seq, partner, points, refunded in cursor.fetchall():
            takes = takes_from(self.found.originals[Place(bucket, seq)].postings, AccountKind.REDEEMED)
            self.found.wallet(bucket, id_).redemptions[seq] = Redemption(seq, partner, points, takes, refunded)

    def _take_entries(
        self, originals: list[Place], repeats: list[Place], asked: Sequence[Place], bounds: Cursor
    ) -> None:
        entries = entries_between(bounds.connection, asked, bounds.fetchall())
        for place in repeats:
            entry = entries[place]
            self.found.requests[entry.wallet.int, entry.request_id.int] = entry
        for place in originals:
            if place in entries:
                self._take_original(entries[place])

    def _take_original(self, entry: Entry) -> None:
        key = entry.wallet.int
        self.found.originals[entry.place] = entry
        self.found.wallet(entry.bucket, entry.wallet)
        self._about.add(entry.place)
        self._rows.add(key)
        if entry.place in self._needs.reversed:
            self._whole.add(key)
        self._needs.heavy.add(key)
        for wish in self._about_entries[entry.place]:
            if self._probe or wish.dry:
                self._requests.add((key, wish.request_id.int))

    def _take_requests(self, cursor: Cursor) -> None:
        for bucket, _wallet, _id, seq in cursor.fetchall():
            self._repeats.add(Place(bucket, seq))

    def _take_receipts(self, cursor: Cursor) -> None:
        for partner, day, store, terminal, number, bucket, seq in cursor.fetchall():
            self.found.receipts[partner, ReceiptRef(store, terminal, day, number)] = Place(bucket, seq)

    def _take_sent(self, senders: list[Wallet], cursor: Cursor) -> None:
        for n, points in cursor.fetchall():
            self.found.sent[senders[n - 1].id] = points

    def _take_aliases(self, keys: list[WalletKey], cursor: Cursor) -> None:
        """Wallets that were merged into these, and into those: what was asked of them was asked of the survivor."""
        found = self.found
        for n, bucket, id_ in cursor.fetchall():
            key = keys[n - 1]
            self._merged.setdefault(key, []).append(id_.int)
            found.direct_aliases.add((key, id_.int))
            self._aliases.add(id_.int)
            if (wallet := found.wallets.get(key)) is not None:
                wallet.aliases = (*wallet.aliases, Counterpart(bucket, id_))
        for key in found.wallets:
            found.aliases[key] = others = list(self._merged.get(key, ()))
            for other in others:
                others += [one for one in self._merged.get(other, ()) if one not in others]
        for wish in self._wishes:
            if (wallet := found.wallet_of(wish)) is not None:
                for other in found.aliases.get(wallet.id.int, ()):
                    self._requests.add((other, wish.request_id.int))


class News(Generic[K]):
    """What to ask about: each thing once."""

    def __init__(self, first: Iterable[K] = ()) -> None:
        self.news: list[K] = list(first)
        self.seen: set[K] = set(self.news)

    def add(self, thing: K) -> None:
        if thing not in self.seen:
            self.seen.add(thing)
            self.news.append(thing)

    def taken(self) -> list[K]:
        """What is new; it is asked now."""
        news, self.news = self.news, []
        return news
