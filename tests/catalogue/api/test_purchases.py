"""Purchases over the wire: rated, recorded once, seen by their partner alone."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from coalition.catalogue.v1 import catalogue_pb2 as pb
from google.type.decimal_pb2 import Decimal as DecimalMessage

from shared.refusal import Kind
from tests.catalogue.house import BEGINNING, House, Till, base, euros, parts_of, reason_of, receipt


def gold(payer: str = "operator") -> pb.EarnRule:
    return pb.EarnRule(
        rule_id="gold",
        multiplier=DecimalMessage(value="1.25"),
        payer=payer,
        condition=pb.EarnCondition(segments=["gold"]),
    )


def test_a_purchase_is_rated_recorded_and_in_the_ledger(till: Till) -> None:
    wallet = uuid.uuid4()
    purchase = till.record(till.purchase(1250, 799, wallet=wallet))
    assert (purchase.points, purchase.state) == (20, pb.PURCHASE_STATE_POSTED)
    assert purchase.entry.startswith(f"{till.name}/entries/")
    assert purchase.earn_rules == f"{till.name}/earnRules/1"
    assert till.balance(wallet).available == 20
    assert till.look_at(purchase.name) == purchase


def test_e5_over_the_wire_with_the_bonus_paid_by_the_operator(house: House) -> None:
    till = house.till(base(), gold())
    asked = till.purchase(1999, segments=("gold",))
    rating = till(till.purchases.RatePurchase, pb.RatePurchaseRequest(grant=asked.grant, receipt=asked.receipt))
    assert (rating.points, rating.exact_points.value) == (24, "24.9875")
    assert [trace.points.value for trace in rating.trace] == ["19.99", "4.9975"]
    assert rating.trace[1].explanation == "1.25 times the points of 19.99 EUR give 4.9975 more."
    assert parts_of(rating) == {till.id: 19, "operator": 5} == parts_of(till.record(asked))


def test_rating_writes_nothing(till: Till) -> None:
    wallet = uuid.uuid4()
    asked = till.purchase(500, wallet=wallet)
    till(till.purchases.RatePurchase, pb.RatePurchaseRequest(grant=asked.grant, receipt=asked.receipt))
    assert till.balance(wallet).available == 0
    assert till.record(asked).points == 5


def test_a_purchase_that_earns_nothing_is_posted_without_the_ledger(till: Till) -> None:
    purchase = till.record(till.purchase(99))
    assert (purchase.points, purchase.state, purchase.entry) == (0, pb.PURCHASE_STATE_POSTED, "")


def test_a_repeat_gets_the_first_answer_even_with_a_fresh_grant(house: House, till: Till) -> None:
    wallet = uuid.uuid4()
    asked = till.purchase(1000, wallet=wallet)
    first, replay = till.answered(till.purchases.RecordPurchase, asked)
    assert not replay
    asked.grant = house.grant(till.id, wallet, ("other", "segments"))
    again, replay = till.answered(till.purchases.RecordPurchase, asked)
    assert (again, replay) == (first, True)
    assert till.balance(wallet).available == 10


@pytest.mark.parametrize("change", ["receipt", "amount", "time", "wallet"])
def test_the_same_request_id_with_another_meaning_is_refused(house: House, till: Till, change: str) -> None:
    asked = till.purchase(1000)
    first = till.record(asked)
    match change:
        case "receipt":
            asked.receipt.receipt_no = uuid.uuid4().hex
        case "amount":
            asked.receipt.lines[0].amount.CopyFrom(euros(1001))
        case "time":
            asked.receipt.occurred_at.FromDatetime(BEGINNING)
        case _:
            asked.grant = house.grant(till.id, uuid.uuid4())
    refusal = till.refused(till.purchases.RecordPurchase, asked)
    assert (refusal.kind, refusal.reason) == (Kind.ALREADY, "REQUEST_ID_REUSED")
    assert refusal.metadata["first"] == first.name


def test_a_receipt_counts_once_and_the_refusal_names_the_first(till: Till) -> None:
    asked = till.purchase(1000)
    first = till.record(asked)
    asked.request_id = str(uuid.uuid4())
    refusal = till.refused(till.purchases.RecordPurchase, asked)
    assert (refusal.kind, refusal.reason) == (Kind.ALREADY, "RECEIPT_ALREADY_USED")
    assert refusal.metadata["purchase"] == first.name


def test_two_partners_may_use_the_same_request_id_and_number_their_receipts_alike(house: House) -> None:
    one, other = house.till(), house.till()
    asked = one.purchase(1000)
    purchases = [one.record(asked)]
    asked.grant = house.grant(other.id, uuid.uuid4())
    purchases.append(other.record(asked))
    assert purchases[0].name != purchases[1].name


@pytest.mark.parametrize(
    ("grant", "reason"),
    [("nonsense", "GRANT_INVALID"), ("another partner's", "GRANT_INVALID"), ("old", "GRANT_EXPIRED")],
)
def test_a_grant_must_be_genuine_ones_own_and_fresh(house: House, till: Till, grant: str, reason: str) -> None:
    asked = till.purchase(1000)
    if grant == "nonsense":
        asked.grant = grant
    elif grant == "another partner's":
        asked.grant = house.grant("somebody-else", uuid.uuid4())
    else:
        house.clock.set(house.clock.now() + timedelta(minutes=20))
    assert till.refused(till.purchases.RecordPurchase, asked).reason == reason


def test_without_rules_there_is_no_rating(house: House) -> None:
    till = house.till()
    asked = till.purchase(1000)
    asked.receipt.occurred_at.FromDatetime(BEGINNING - timedelta(seconds=1))
    refusal = till.refused(till.purchases.RecordPurchase, asked)
    assert (refusal.kind, refusal.reason) == (Kind.NOT_THERE, "EARN_RULES_NOT_FOUND")


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (receipt(-1), "PURCHASE_INVALID"),
        (pb.Receipt(lines=[*receipt(100).lines, *receipt(100).lines]), "PURCHASE_INVALID"),
        (pb.Receipt(store="a\0b"), "PURCHASE_INVALID"),
        (pb.Receipt(business_date={"year": 2026, "month": 13, "day": 1}), "NOT_A_DAY"),
        (pb.Receipt(lines=[pb.PurchaseLine(line_no=1, amount={"currency_code": "USD"})]), "WRONG_CURRENCY"),
        (pb.Receipt(lines=[pb.PurchaseLine(line_no=1, amount={"currency_code": "EUR", "nanos": 1})]), "NOT_MONEY"),
        (pb.Receipt(occurred_at={"seconds": 2**60}), "NOT_AN_INSTANT"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_receipt_that_cannot_be_is_malformed(till: Till, wrong: pb.Receipt, reason: str) -> None:
    asked = till.purchase(1000)
    if wrong.lines:
        del asked.receipt.lines[:]
    asked.receipt.MergeFrom(wrong)
    refusal = till.refused(till.purchases.RecordPurchase, asked)
    assert refusal.kind is Kind.MALFORMED
    assert refusal.reason in {reason, "INVALID_REQUEST"}


def test_the_rules_of_the_moment_of_sale_apply(house: House, till: Till) -> None:
    change = BEGINNING + timedelta(hours=1)
    house.publish(till.id, base("2"), at=change)
    house.clock.set(max(house.clock.now(), change))
    earned = []
    for moment in (change - timedelta(microseconds=1), change):
        asked = till.purchase(1000)
        asked.receipt.occurred_at.FromDatetime(moment)
        earned.append(till.record(asked).points)
    assert earned == [10, 20]


@pytest.mark.parametrize("cents", [1000, 1], ids=["with points", "without points"])
def test_what_is_still_to_happen_is_refused_and_nothing_is_kept(house: House, till: Till, cents: int) -> None:
    asked, now = till.purchase(cents), house.clock.now()
    asked.receipt.occurred_at.FromDatetime(now + timedelta(minutes=10, seconds=1))
    rating = pb.RatePurchaseRequest(grant=asked.grant, receipt=asked.receipt)
    refusals = [
        till.refused(till.purchases.RatePurchase, rating),
        till.refused(till.purchases.RecordPurchase, asked),
    ]
    for refusal in refusals:
        assert (refusal.kind, refusal.reason) == (Kind.MALFORMED, "OCCURRED_IN_FUTURE")
        assert refusal.metadata["field"] == "receipt.occurred_at"
    asked.receipt.occurred_at.FromDatetime(now + timedelta(minutes=10))
    purchase, replay = till.answered(till.purchases.RecordPurchase, asked)
    assert not replay, "the receipt was not used up"
    back = pb.RefundPurchaseRequest(request_id=str(uuid.uuid4()), name=purchase.name)
    back.occurred_at.FromDatetime(now + timedelta(hours=1))
    refusal = till.refused(till.purchases.RefundPurchase, back)
    assert (refusal.reason, refusal.metadata["field"]) == ("OCCURRED_IN_FUTURE", "occurred_at")


def test_what_happened_too_long_ago_is_the_ledgers_to_refuse_and_nothing_is_kept(house: House) -> None:
    long_ago = BEGINNING - timedelta(days=4000)
    partner = house.partner()
    house.publish(partner, base(), at=long_ago)
    till = Till(house, house.authority.partner(partner), partner)
    asked = till.purchase(1000)
    asked.receipt.occurred_at.FromDatetime(long_ago)
    refusal = till.refused(till.purchases.RecordPurchase, asked)
    assert (refusal.kind, refusal.reason) == (Kind.MALFORMED, "OCCURRED_TOO_LONG_AGO")
    asked.receipt.occurred_at.FromDatetime(BEGINNING)
    assert till.record(asked).points == 10


def test_another_partners_purchase_is_not_there(house: House, till: Till) -> None:
    purchase = till.record(till.purchase(1000))
    other = house.till()
    looked = other.refused(other.purchases.GetPurchase, pb.GetPurchaseRequest(name=purchase.name))
    returned = other.refused(
        other.purchases.RefundPurchase, pb.RefundPurchaseRequest(request_id=str(uuid.uuid4()), name=purchase.name)
    )
    assert {looked.reason, returned.reason} == {"PURCHASE_NOT_FOUND"}
    assert {looked.kind, returned.kind} == {Kind.NOT_THERE}
    operator = house.operator
    assert operator(operator.purchases.GetPurchase, pb.GetPurchaseRequest(name=purchase.name)) == purchase


@pytest.mark.parametrize("name", ["00000000-0000-5000-8000-000000000000", "-" * 36])
def test_a_name_that_names_nothing_is_not_there(till: Till, name: str) -> None:
    wanted = pb.GetPurchaseRequest(name=f"{till.name}/purchases/{name}")
    assert till.refused(till.purchases.GetPurchase, wanted).reason == "PURCHASE_NOT_FOUND"


def test_the_totals_count_purchases_returns_and_points_by_partner(house: House, till: Till) -> None:
    first = till.record(till.purchase(1000))
    till.record(till.purchase(550))
    till.take_back(first)
    totals = house.operator(house.operator.purchases.GetPurchaseTotals, pb.GetPurchaseTotalsRequest())
    mine = next(one for one in totals.partners if one.partner == till.id)
    assert (mine.purchases, mine.refunds, mine.awarded_points) == (2, 1, 15)
    assert totals.purchases == sum(one.purchases for one in totals.partners)


def test_a_batch_answers_each_item_in_its_place(house: House, till: Till) -> None:
    wallet = uuid.uuid4()
    known = till.purchase(700, wallet=wallet)
    first = till.record(known)
    good, free, bad = till.purchase(1000, wallet=wallet), till.purchase(50), till.purchase(300)
    bad.grant = "nonsense"
    same_receipt, other_meaning = till.purchase(1000), till.purchase(100)
    same_receipt.receipt.CopyFrom(good.receipt)
    other_meaning.request_id = good.request_id
    results = till.record_all([good, known, bad, good, free, same_receipt, other_meaning])
    assert [reason_of(r.refusal) if r.HasField("refusal") else r.purchase.points for r in results] == [
        10,
        7,
        "GRANT_INVALID",
        10,
        0,
        "RECEIPT_ALREADY_USED",
        "REQUEST_ID_REUSED",
    ]
    assert [result.replay for result in results] == [False, True, False, True, False, False, False]
    assert results[1].purchase == first
    assert results[0].purchase == results[3].purchase
    assert till.balance(wallet).available == 17


def test_an_item_that_breaks_a_rule_spoils_itself_alone(till: Till) -> None:
    wallet = uuid.uuid4()
    asked = [till.purchase(100, wallet=wallet) for _ in range(4)]
    asked[1].request_id = "not a UUID"
    asked[2].receipt.receipt_no = ""
    results = till.record_all(asked)
    assert [reason_of(results[place].refusal) for place in (1, 2)] == ["INVALID_REQUEST"] * 2
    assert [results[place].purchase.points for place in (0, 3)] == [1, 1]
    assert till.balance(wallet).available == 2


def test_a_whole_batch_again_gets_the_first_answers(till: Till) -> None:
    wallet = uuid.uuid4()
    asked = [till.purchase(100 * number, wallet=wallet) for number in range(1, 51)]
    first, again = till.record_all(asked), till.record_all(asked)
    assert [result.purchase for result in again] == [result.purchase for result in first]
    assert all(result.replay for result in again)
    assert till.balance(wallet).available == 50 * 51 // 2


def test_in_a_batch_the_first_to_come_with_an_id_or_a_receipt_wins(till: Till) -> None:
    """Although rows are written in the order of their receipts."""
    late, early = till.purchase(200), till.purchase(100)
    late.receipt.receipt_no, early.receipt.receipt_no = "z" + late.receipt.receipt_no, "a" + early.receipt.receipt_no
    early.request_id = late.request_id
    results = till.record_all([late, early])
    assert results[0].purchase.points == 2
    assert reason_of(results[1].refusal) == "REQUEST_ID_REUSED"


def test_parallel_batches_with_the_same_purchases_record_each_once(till: Till) -> None:
    wallet = uuid.uuid4()
    asked = [till.purchase(1000, wallet=wallet) for _ in range(40)]
    request = pb.BatchRecordPurchasesRequest(items=asked)
    reversed_request = pb.BatchRecordPurchasesRequest(items=asked[::-1])
    calls = [
        till.purchases.BatchRecordPurchases.future(one, timeout=20, metadata=till.credentials())
        for one in (request, reversed_request, request, reversed_request)
    ]
    names = [{result.purchase.name for result in call.result().results} for call in calls]
    assert all(len(found) == 40 for found in names)
    assert names[0] == names[1] == names[2] == names[3]
    assert till.balance(wallet).available == 400
