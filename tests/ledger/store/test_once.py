"""A request moves points at most once, and a receipt earns once, however and wherever they are repeated."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from uuid import uuid4

import pytest

from services.ledger.domain.entry import Entry
from services.ledger.domain.refusals.awarding import ReceiptAlreadyUsed
from services.ledger.domain.refusals.requests import RequestIdReused
from services.ledger.domain.refusals.spending import InsufficientPoints
from services.ledger.domain.wish import Line, Wish
from services.ledger.store.writer import Outcome, Posted
from tests.ledger.store.vault import (
    BUCKETS,
    FLORIST,
    GROCER,
    PATIENCE,
    Vault,
    award,
    capture,
    hold,
    receipt,
    redeem,
    refund,
    release,
    reverse,
    wallet_in,
)
from tests.support.together import at_once, until
from tests.support.vectors import example


def _award(vault: Vault) -> Wish:
    return award(wallet_in(3), receipt=receipt())


def _hold(vault: Vault) -> Wish:
    return hold(vault.post(award(wallet_in(3))).wallet, 40)


def _redeem(vault: Vault) -> Wish:
    return redeem(vault.post(award(wallet_in(3))).wallet, 40)


def _capture(vault: Vault) -> Wish:
    return capture(vault.post(_hold(vault)), 30)


def _release(vault: Vault) -> Wish:
    return release(vault.post(_hold(vault)))


def _reverse(vault: Vault) -> Wish:
    return reverse(vault.post(award(wallet_in(3))), 30)


def _refund(vault: Vault) -> Wish:
    return refund(vault.post(_redeem(vault)), 30)


VERBS: list[Callable[[Vault], Wish]] = [_award, _hold, _redeem, _capture, _release, _reverse, _refund]


@pytest.mark.parametrize("verb", VERBS)
def test_a_repeat_gets_the_first_answer_marked_as_one(vault: Vault, verb: Callable[[Vault], Wish]) -> None:
    wish = verb(vault)
    first = vault.posted(wish)
    count = vault.entry_count()
    again = vault.posted(wish)
    assert (first.replay, again.replay) == (False, True)
    assert again.entry == first.entry
    assert vault.entry_count() == count
    vault.check()


@pytest.mark.parametrize("verb", VERBS)
def test_a_repeat_gets_the_first_answer_also_when_much_has_happened_since(
    vault: Vault, verb: Callable[[Vault], Wish]
) -> None:
    wish = verb(vault)
    first = vault.post(wish)
    vault.post(award(first.wallet, 500))
    vault.post(redeem(first.wallet, 500))
    vault.clock.pass_by(days=800)
    assert vault.posted(wish) == Posted(first, replay=True)


def test_e24a_the_same_request_id_and_body_make_one_entry(vault: Vault) -> None:
    e24 = example("E24a")
    wallet = wallet_in(1)
    vault.post(award(wallet, e24["given"]["available"]))
    before = vault.entry_count()
    wishes = [hold(wallet, step["points"]) for step in e24["when"]]
    one = wishes[0].request_id
    answers = [vault.posted(replace(wish, request_id=one)) for wish in wishes]
    assert (answers[0].entry == answers[1].entry) is e24["then"]["same_answer"]
    assert vault.entry_count() - before == e24["then"]["entries"]
    assert answers[1].entry.balance[:3] == (e24["then"]["available"], 0, e24["then"]["held"])


def test_e24b_the_same_request_id_with_another_body_is_refused_and_names_the_entry(vault: Vault) -> None:
    wallet = wallet_in(1)
    vault.post(award(wallet, 100))
    first = vault.post(hold(wallet, 70, request_id=(id_ := uuid4())))
    refusal = vault.refused(hold(wallet, 71, request_id=id_), RequestIdReused)
    assert refusal.metadata == {"requestId": str(id_), "entry": f"partners/{first.partner}/entries/{first.place}"}
    vault.refused(award(wallet, 70, request_id=id_), RequestIdReused)
    assert vault.available(wallet) == 30


def test_a_request_id_means_one_thing_in_each_wallet(vault: Vault) -> None:
    id_ = uuid4()
    entries = [vault.posted(award(wallet_in(bucket), request_id=id_)) for bucket in (2, 2, 5)]
    assert not any(posted.replay for posted in entries)


def test_a_repeat_is_one_also_when_another_wallet_has_used_its_id_since(vault: Vault) -> None:
    id_ = uuid4()
    mine, theirs = award(wallet_in(2), request_id=id_), award(wallet_in(5), request_id=id_)
    firsts = [vault.post(mine), vault.post(theirs)]
    tried = replace(mine, dry=True)
    answers = vault.writer.post_all([mine, award(wallet_in(2)), theirs, tried], PATIENCE)
    assert [isinstance(one, Posted) and one.replay for one in answers] == [True, False, True, True]
    assert [one.entry for one in answers if isinstance(one, Posted)][::2] == firsts


def test_a_repeat_beside_a_try_with_the_same_receipt_is_still_a_repeat(vault: Vault) -> None:
    wallet, ours = wallet_in(2), receipt()
    first = vault.post(wish := award(wallet, receipt=ours))
    tried = replace(award(wallet, receipt=ours), dry=True)
    answers = vault.another_writer().post_all([tried, wish], PATIENCE)  # another process: nothing is in memory
    assert isinstance(answers[0], ReceiptAlreadyUsed)
    assert answers[1] == Posted(first, replay=True)


def test_a_refusal_uses_no_request_id_up(vault: Vault) -> None:
    wallet, id_ = wallet_in(1), uuid4()
    vault.refused(redeem(wallet, 5, request_id=id_), InsufficientPoints)
    vault.post(award(wallet, 5))
    assert vault.post(redeem(wallet, 5, request_id=id_)).balance.available == 0


def test_nobody_learns_from_a_request_id_about_another_partners_entry(vault: Vault) -> None:
    mine = award(wallet_in(1))
    entry = vault.post(mine)
    theirs = vault.outcome(replace(reverse(entry, partner=FLORIST), request_id=mine.request_id))
    nobodys = vault.outcome(replace(reverse(replace(entry, seq=99), partner=FLORIST), request_id=mine.request_id))
    assert str(theirs).replace(str(entry.place), f"{entry.bucket}-99") == str(nobodys)


def test_e24c_a_receipt_earns_once_and_the_refusal_names_the_first_entry(vault: Vault) -> None:
    paper, before = receipt(), vault.entry_count()
    first = vault.post(award(wallet_in(1), 25, receipt=paper))
    for wallet in (first.wallet, wallet_in(1), wallet_in(2)):
        refusal = vault.refused(award(wallet, 25, receipt=paper), ReceiptAlreadyUsed)
        assert refusal.metadata == {"entry": f"partners/{GROCER}/entries/{first.place}"}
    assert vault.entry_count() == before + 1


def test_each_part_of_a_receipt_makes_it_another_one(vault: Vault) -> None:
    paper = receipt()
    others = [
        paper,
        paper._replace(store="S2"),
        paper._replace(terminal="T2"),
        paper._replace(business_date=paper.business_date.replace(day=2)),
        paper._replace(receipt_no="again"),
    ]
    for other in others:
        vault.post(award(wallet_in(1), receipt=other))
    vault.post(award(wallet_in(1), receipt=paper, partner=FLORIST))
    vault.check()


def test_a_receipt_is_still_free_after_a_refused_award(vault: Vault) -> None:
    paper, wallet = receipt(), wallet_in(1)
    past = replace(award(wallet, receipt=paper), lines=(Line(GROCER, 5, vault.clock.now().date().replace(year=2020)),))
    assert not isinstance(vault.outcome(past), Posted)
    vault.post(award(wallet, receipt=paper))


def test_a_capture_may_carry_a_receipt_that_was_awarded(vault: Vault) -> None:
    paper = receipt()
    entry = vault.post(award(wallet_in(1), receipt=paper))
    vault.post(replace(redeem(entry.wallet, 10), receipt=paper))
    vault.post(replace(redeem(entry.wallet, 10), receipt=paper))
    vault.check()


def test_repeats_inside_one_batch_behave_as_repeats_in_a_row(vault: Vault) -> None:
    wallet, paper = wallet_in(1), receipt()
    wish = award(wallet, receipt=paper)
    other_meaning = award(wallet, 7, request_id=wish.request_id)
    same_receipt = award(wallet_in(1), receipt=paper)
    with ThreadPoolExecutor(2) as pool, vault.locked_heads():
        pool.submit(vault.outcome, award(wallet_in(1)))  # keeps the lane busy while the rest becomes one batch
        together = pool.submit(vault.writer.post_all, [wish, wish, other_meaning, same_receipt, wish], PATIENCE)
        until(lambda: bool(vault.waiting()))
    outcomes = together.result()
    first = outcomes[0]
    assert isinstance(first, Posted)
    assert [type(outcome).__name__ for outcome in outcomes] == [
        "Posted",
        "Posted",
        "RequestIdReused",
        "ReceiptAlreadyUsed",
        "Posted",
    ]
    assert outcomes[1] == outcomes[4] == Posted(first.entry, replay=True)
    vault.check()


def test_one_request_from_many_threads_is_posted_once(vault: Vault) -> None:
    wish, before = award(wallet_in(6), receipt=receipt()), vault.entry_count()
    outcomes = at_once([lambda: vault.outcome(wish)] * 16)
    assert sum(_new(outcome) for outcome in outcomes) == 1
    assert len({_entry(outcome).place for outcome in outcomes}) == 1
    assert vault.entry_count() == before + 1


def test_one_receipt_from_all_lanes_at_the_same_time_earns_once(vault: Vault) -> None:
    for _ in range(12):
        paper = receipt()
        wishes = [award(wallet_in(bucket), receipt=paper) for bucket in range(BUCKETS)]
        outcomes = at_once([partial(vault.outcome, wish) for wish in wishes])
        won = [outcome for outcome in outcomes if isinstance(outcome, Posted)]
        lost = [outcome for outcome in outcomes if isinstance(outcome, ReceiptAlreadyUsed)]
        assert (len(won), len(lost)) == (1, BUCKETS - 1)
        assert {refusal.metadata["entry"] for refusal in lost} == {f"partners/{GROCER}/entries/{won[0].entry.place}"}
    vault.check()


def test_batches_that_share_receipts_crosswise_neither_block_each_other_nor_earn_twice(vault: Vault) -> None:
    papers = [receipt() for _ in range(40)]
    batches = [
        [award(wallet_in(bucket), receipt=paper) for paper in (papers if bucket % 2 else papers[::-1])]
        for bucket in range(BUCKETS)
    ]
    outcomes = at_once([partial(vault.writer.post_all, batch, PATIENCE) for batch in batches])
    flat = [outcome for batch in outcomes for outcome in batch]
    assert sum(_new(outcome) for outcome in flat) == len(papers)
    assert all(isinstance(outcome, Posted | ReceiptAlreadyUsed) for outcome in flat)
    vault.check()


def test_e24d_of_twenty_parallel_redemptions_exactly_one_succeeds(vault: Vault) -> None:
    e24 = example("E24d")
    (step,) = e24["when"]
    wallet = wallet_in(4)
    vault.post(award(wallet, e24["given"]["available"]))
    wishes = [redeem(wallet, step["points"]) for _ in range(step["parallel"])]
    outcomes = at_once([partial(vault.outcome, wish) for wish in wishes])
    assert sum(_new(outcome) for outcome in outcomes) == e24["then"]["succeeded"]
    refused = [outcome for outcome in outcomes if isinstance(outcome, InsufficientPoints)]
    assert len(refused) == e24["then"]["refused"]
    assert vault.available(wallet) == e24["then"]["available"]
    vault.check()


def test_parallel_captures_of_one_hold_capture_it_once(vault: Vault) -> None:
    entry = vault.post(hold(vault.post(award(wallet_in(2))).wallet, 60))
    outcomes = at_once([lambda: vault.outcome(capture(entry))] * 8)
    assert sum(_new(outcome) for outcome in outcomes) == 1
    assert vault.available(entry.wallet) == 40


def test_parallel_reversals_and_refunds_never_exceed_their_original(vault: Vault) -> None:
    given = vault.post(award(wallet_in(2), 100))
    spent = vault.post(redeem(given.wallet, 100))
    outcomes = at_once([lambda: vault.outcome(refund(spent, 30))] * 6 + [lambda: vault.outcome(reverse(given, 30))] * 6)
    assert sum(_new(outcome) for outcome in outcomes[:6]) == 3
    assert sum(_new(outcome) for outcome in outcomes[6:]) == 3
    vault.check()


def _new(outcome: Outcome) -> bool:
    return isinstance(outcome, Posted) and not outcome.replay


def _entry(outcome: Outcome) -> Entry:
    assert isinstance(outcome, Posted), outcome
    return outcome.entry
