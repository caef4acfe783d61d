"""The pure core against the model: all verbs, in random order, with conservation and replay after every step."""

from __future__ import annotations

from uuid import UUID

from hypothesis import HealthCheck, settings

from services.ledger.domain.entry import Entry
from services.ledger.domain.wallet import Wallet
from services.ledger.domain.wish import Wish
from shared.refusal import Refusal
from tests.ledger.domain.book import Book, done
from tests.ledger.histories import BEGINNING, GRACE_DAYS, Histories
from tests.ledger.model import Seen


class PureHistories(Histories):
    """The core in memory. Time does its work as the writer would."""

    def open(self) -> None:
        self.book = Book(grace_days=GRACE_DAYS, now=BEGINNING)

    def post(self, wish: Wish, wallet: UUID) -> Entry | Refusal:
        self.book.now = self.now
        return self.book.apply(wish, wallet)

    def tend(self) -> None:
        self.book.now = self.now
        for wallet in self.wallets:
            known = self.book.wallet(wallet)
            for hold in known.due_holds(self.at):
                done(self.book.expire_hold(hold.seq))
            if known.due_lots(self.now.date()):
                done(self.book.expire(wallet))

    def look(self, wallet: UUID) -> Seen:
        return seen(self.book.wallet(wallet))

    def teardown(self) -> None:
        if self.wallets:
            self.book.check_conservation()
            self.book.check_replay()


def seen(wallet: Wallet) -> Seen:
    """A wallet in the model's words."""
    return Seen(
        free=wallet.balance.available,
        held=wallet.balance.held,
        lots={
            (id_.seq, id_.line): (lot.issuer, lot.expires_on, lot.available, lot.held, lot.undone)
            for id_, lot in wallet.lots.items()
        },
        holds={seq: hold.state.name.lower() for seq, hold in wallet.holds.items()},
        left_to_refund={seq: spent.points - spent.refunded for seq, spent in wallet.redemptions.items()},
    )


TestPureHistories = PureHistories.TestCase
TestPureHistories.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
