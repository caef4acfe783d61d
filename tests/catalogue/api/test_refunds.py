"""Goods come back over the wire: the difference is reversed, once, by those who had paid for it."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from coalition.catalogue.v1 import catalogue_pb2 as pb
from coalition.ledger.v1 import ledger_pb2 as ledger_pb

from shared.refusal import Kind
from tests.catalogue.domain.test_rating import example
from tests.catalogue.house import House, Till, back, base, euros, return_of


def test_e6a_clawbacks_of_fractions_add_up_to_the_award(house: House) -> None:
    e6a = example("E6a")
    till = house.till(base(e6a["given"]["rule"]["points_per_unit"]))
    purchase = till.record(till.purchase(*e6a["given"]["lines_minor"]))
    refunds = [till.take_back(purchase, back(step["line"])) for step in e6a["when"] if step["do"] == "return_line"]
    assert [refund.clawed_back_points for refund in refunds] == e6a["then"]["clawbacks"]
    assert [refund.remaining_points for refund in refunds] == e6a["then"]["remaining_award"]
    assert [bool(refund.entry) for refund in refunds] == [points > 0 for points in e6a["then"]["clawbacks"]]


def test_e6b_a_threshold_bonus_goes_back_with_the_first_return(house: House) -> None:
    e6b = example("E6b")
    given = e6b["given"]["rule"]
    bonus = pb.EarnRule(
        rule_id="bonus",
        bonus_points=given["bonus"],
        payer="operator",
        condition=pb.EarnCondition(min_amount=euros(given["bonus_from_minor"])),
    )
    till, wallet = house.till(base(given["points_per_unit"]), bonus), uuid.uuid4()
    purchase = till.record(till.purchase(*e6b["given"]["lines_minor"], wallet=wallet))
    taken = [till.take_back(purchase, back(line_no)).clawed_back_points for line_no in (1, 2)]
    assert taken == e6b["then"]["clawbacks"]
    assert till.balance(wallet).available == 0
    assert till.look_at(purchase.name).clawed_back_points == e6b["then"]["sum"]


def test_a_return_says_what_was_recovered_and_what_was_already_spent(till: Till) -> None:
    wallet = uuid.uuid4()
    purchase = till.record(till.purchase(1000, wallet=wallet))
    first = till.take_back(purchase, back(1, 400))
    assert (first.clawed_back_points, first.recovered_points, first.written_off_points) == (4, 4, 0)
    assert first.entry.startswith(f"{till.name}/entries/")
    assert first.name.startswith(f"{purchase.name}/refunds/")
    assert till.balance(wallet).available == 6


def test_a_repeat_gets_the_first_answer_and_takes_nothing_more(till: Till) -> None:
    wallet = uuid.uuid4()
    purchase = till.record(till.purchase(1000, wallet=wallet))
    asked = return_of(purchase, back(1, 300))
    first, replay = till.answered(till.purchases.RefundPurchase, asked)
    assert not replay
    assert till.answered(till.purchases.RefundPurchase, asked) == (first, True)
    assert till.balance(wallet).available == 7


def test_the_same_request_id_with_another_meaning_is_refused(till: Till) -> None:
    one, other = till.record(till.purchase(1000)), till.record(till.purchase(1000))
    asked = return_of(one, back(1, 300))
    first = till(till.purchases.RefundPurchase, asked)
    for changed in (
        pb.RefundPurchaseRequest(request_id=asked.request_id, name=one.name, lines=[back(1, 301)]),
        pb.RefundPurchaseRequest(request_id=asked.request_id, name=other.name, lines=[back(1, 300)]),
    ):
        refusal = till.refused(till.purchases.RefundPurchase, changed)
        assert (refusal.reason, refusal.metadata["first"]) == ("REQUEST_ID_REUSED", first.name)


@pytest.mark.parametrize("lines", [[back(1, 1001)], [back(2)]])
def test_more_than_is_left_of_a_line_is_refused_and_nothing_moves(till: Till, lines: list[pb.ReturnedLine]) -> None:
    wallet = uuid.uuid4()
    purchase = till.record(till.purchase(1000, wallet=wallet))
    refusal = till.refused(till.purchases.RefundPurchase, return_of(purchase, *lines))
    assert (refusal.kind, refusal.reason) == (Kind.NOT_NOW, "RETURN_EXCEEDS_LINE")
    assert till.balance(wallet).available == 10
    assert till.take_back(purchase).clawed_back_points == 10


@pytest.mark.parametrize("lines", [[back(1, -1)], [back(1, 1), back(1, 1)]])
def test_a_return_that_cannot_be_is_malformed(till: Till, lines: list[pb.ReturnedLine]) -> None:
    purchase = till.record(till.purchase(1000))
    refusal = till.refused(till.purchases.RefundPurchase, return_of(purchase, *lines))
    assert (refusal.kind, refusal.reason) == (Kind.MALFORMED, "RETURN_INVALID")


def test_goods_of_a_purchase_that_earned_nothing_may_come_back(till: Till) -> None:
    refund = till.take_back(till.record(till.purchase(99)))
    assert (refund.clawed_back_points, refund.entry) == (0, "")


def test_parallel_returns_of_one_purchase_take_exactly_what_it_earned(till: Till) -> None:
    wallet = uuid.uuid4()
    purchase = till.record(till.purchase(*[150] * 12, wallet=wallet))
    with ThreadPoolExecutor(12) as together:
        refunds = list(together.map(lambda line_no: till.take_back(purchase, back(line_no)), range(1, 13)))
    assert sum(refund.clawed_back_points for refund in refunds) == purchase.points == 18
    assert sorted(refund.remaining_points for refund in refunds)[0] == 0
    assert till.balance(wallet).available == 0


def test_what_the_ledger_refuses_leaves_the_purchase_as_it_was(till: Till) -> None:
    """The partner reversed the award by itself; the catalogue has nothing left to claw back."""
    purchase = till.record(till.purchase(1000))
    till(
        till.ledger.ReverseAward,
        ledger_pb.ReverseAwardRequest(request_id=str(uuid.uuid4()), entry=purchase.entry),
    )
    asked = return_of(purchase, back(1))
    for _ in range(2):
        refusal = till.refused(till.purchases.RefundPurchase, asked)
        assert (refusal.kind, refusal.reason) == (Kind.NOT_NOW, "REVERSAL_EXCEEDS_AWARD")
        assert till.look_at(purchase.name).clawed_back_points == 0
