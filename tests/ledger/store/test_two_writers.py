"""Two processes with the same buckets: the heads in the database decide, whoever asks."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from services.ledger.domain.refusals.awarding import ReceiptAlreadyUsed
from services.ledger.domain.refusals.spending import InsufficientPoints
from services.ledger.domain.wish import Wish
from services.ledger.store.writer import Outcome, Posted
from tests.ledger.store.vault import BUCKETS, PATIENCE, Vault, award, receipt, redeem, wallet_in
from tests.support.together import at_once


def test_two_writers_on_one_database_keep_every_promise(own_vault: Vault) -> None:
    writers = [own_vault.writer, own_vault.another_writer(lanes=3)]
    wallets = [wallet_in(bucket) for bucket in range(BUCKETS)]
    papers = [receipt() for _ in range(60)]
    for wallet in wallets:
        own_vault.post(award(wallet, 40))

    def till(number: int) -> list[tuple[Wish, Outcome]]:
        writer = writers[number % 2]
        history: list[tuple[Wish, Outcome]] = []
        for step, paper in enumerate(papers):
            wallet: UUID = wallets[(number + step) % BUCKETS]
            wishes: list[Wish] = [award(wallet, 5, receipt=paper), redeem(wallet, 9)]
            history += zip(wishes, writer.post_all(wishes, PATIENCE), strict=True)
        return history

    histories = [entry for history in at_once([partial(till, number) for number in range(4)]) for entry in history]
    kinds = {type(outcome) for _, outcome in histories}
    assert kinds <= {Posted, ReceiptAlreadyUsed, InsufficientPoints}
    awarded = [outcome for wish, outcome in histories if isinstance(outcome, Posted) and outcome.entry.receipt]
    assert len(awarded) == len(papers)
    places = [outcome.entry.place for _, outcome in histories if isinstance(outcome, Posted)]
    assert len(places) == len(set(places))
    for writer in writers:
        for wish, outcome in histories[:40]:
            if isinstance(outcome, Posted):
                assert writer.post(wish, PATIENCE) == Posted(outcome.entry, replay=True)
    assert own_vault.check().entries == len(places) + len(wallets)


def test_one_request_sent_to_both_writers_at_once_is_posted_once(own_vault: Vault) -> None:
    writers = [own_vault.writer, own_vault.another_writer(lanes=2)]
    for _ in range(10):
        wish = award(wallet_in(1), receipt=receipt())
        answers = at_once([partial(writer.post, wish, PATIENCE) for writer in writers])
        assert sorted(answer.replay for answer in answers) == [False, True]
        assert answers[0].entry == answers[1].entry
    own_vault.check()


def test_a_balance_is_spent_once_whichever_writer_is_asked(own_vault: Vault) -> None:
    writers = [own_vault.writer, own_vault.another_writer(lanes=2)]
    for _ in range(5):
        wallet = own_vault.post(award(wallet_in(5), 100)).wallet
        wishes = [[redeem(wallet, 100)] for _ in range(8)]
        outcomes = at_once(
            [partial(writers[number % 2].post_all, wish, PATIENCE) for number, wish in enumerate(wishes)]
        )
        assert sum(isinstance(outcome, Posted) for (outcome,) in outcomes) == 1
    own_vault.check()
