"""The pure core as a ledger for random histories: time does its work as the writer would."""

from __future__ import annotations

from uuid import UUID

from services.ledger.domain.entry import Entry
from services.ledger.domain.moment import Moment
from services.ledger.domain.wallet import Wallet
from services.ledger.domain.wish import EntryWish, Wish
from shared.refusal import Refusal
from tests.ledger.domain.book import Book, done
from tests.ledger.histories import BEGINNING, BUCKETS, GRACE_DAYS, Histories, Setting
from tests.ledger.histories.terms import policy_of, programme_of
from tests.ledger.model import Rules, Seen, SeenHold, SeenLot


class PureHistories(Histories):
    """The core in memory. A crash between two legs is a delivery that only the sweep does."""

    def open(self, setting: Setting) -> None:
        self.book = Book(now=BEGINNING, programme=programme_of(setting, GRACE_DAYS))
        for number, wallet in enumerate(self.wallets):
            self.book.settle(wallet, BUCKETS[number % len(BUCKETS)])

    def post(self, wish: Wish, wallet: UUID) -> Entry | Refusal:
        self.book.now = self.now
        original = self.book.entry(wish.original, wish.bucket) if isinstance(wish, EntryWish) else None
        if not isinstance(wish, EntryWish) or (original and original.partner == wish.partner):
            self.book.tend(wallet)
        return self.book.apply(wish, wallet)

    def deliver(self, out: Entry) -> None:
        self.book.now = self.now
        assert out.counterpart
        self.book.tend(out.counterpart.wallet)
        done(self.book.deliver(out))

    def sweep(self) -> None:
        self.book.now = self.now
        moving = True
        while moving:
            moving = False
            for wallet in self.wallets:
                self.book.tend(wallet)
            for out in list(self.book.in_transit.values()):
                moving = True
                self.deliver(out)
            for known in [self.book.wallet(id_) for id_ in self.wallets]:
                self.book.tend(known.id)
                has_something = any(lot.available or lot.pending or lot.owed for lot in known.lots.values())
                if known.merged_into is not None and has_something:
                    moving = True
                    done(self.book.merge(wallet=known.id, to=known.merged_into.wallet))

    def agree_on(self, partner: str, rules: Rules) -> None:
        self.book.policies[partner] = policy_of(rules)

    def allow(self, partner: str, points: int) -> None:
        self.book.allowances[partner] = points

    def look(self, wallet: UUID) -> Seen:
        self.book.now = self.now
        return seen(self.book.wallet(wallet), self.book.moment)

    def since(self, bucket: int, seq: int) -> list[Entry]:
        return self.book.journals.get(bucket, [])[seq:]

    def teardown(self) -> None:
        if self.wallets:
            self.book.check_conservation()
            self.book.check_replay()
        super().teardown()


def seen(wallet: Wallet, now: Moment) -> Seen:
    """A wallet in the model's words."""

    return Seen(
        balances={unit.name: balance for unit, balance in wallet.balances.items() if any(balance)},
        lots={
            (id_.seq, id_.line): SeenLot(
                lot.unit.name,
                lot.issuer,
                lot.earned_at,
                wallet.last_day(lot, now),
                lot.awarded,
                lot.available,
                lot.pending,
                lot.held,
                lot.undone,
                lot.owed,
                lot.campaign,
                lot.origin,
            )
            for id_, lot in wallet.lots.items()
        },
        holds={
            seq: SeenHold(hold.state.name.lower(), hold.left, hold.captured, hold.released, hold.expires_at)
            for seq, hold in wallet.holds.items()
        },
        left_to_refund={seq: spent.points - spent.refunded for seq, spent in wallet.redemptions.items()},
    )
