"""What the plan says on the wire: exact amounts, and ids that a rerun makes again."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from services.sandbox.demo import requests
from services.sandbox.demo.data import Line, Purchase, Wish
from services.sandbox.demo.departments import PARTNERS

LATE_EVENING = datetime(2017, 2, 1, 4, 59, 59, tzinfo=UTC)
PURCHASE = Purchase(
    "daily-crumb", 31198570044, 900, 330, LATE_EVENING, (Line(1095275, "PASTRY", 205), Line(1095276, "PASTRY", 0))
)
WISH = Wish(household=900, day=date(2017, 2, 1), partner="daily-crumb", coupon=51, campaign=8, turn=2)


def test_a_receipt_carries_lines_and_amounts_and_no_points() -> None:
    sent = requests.recording(PURCHASE, "a grant")
    assert [(line.line_no, line.product, line.category) for line in sent.receipt.lines] == [
        (1, "1095275", "PASTRY"),
        (2, "1095276", "PASTRY"),
    ]
    assert [(line.amount.currency_code, line.amount.units, line.amount.nanos) for line in sent.receipt.lines] == [
        ("USD", 2, 50_000_000),
        ("USD", 0, 0),
    ]
    receipt = sent.receipt
    assert (receipt.store, receipt.receipt_no, receipt.occurred_at.seconds) == ("330", "31198570044", 1485925199)
    assert (receipt.business_date.month, receipt.business_date.day) == (1, 31), "the trading day, not the day in UTC"


def test_every_intention_has_an_id_of_its_own_that_never_changes() -> None:
    ids = [
        requests.recording(PURCHASE, "a grant").request_id,
        requests.returning(PURCHASE, "a name").request_id,
        requests.holding(WISH, "a grant").request_id,
        requests.capturing(WISH, "a hold").request_id,
        requests.closing(1).request_id,
        requests.closing(2).request_id,
        requests.enrolment(900).request_id,
        requests.contract("daily-crumb", LATE_EVENING).request_id,
        requests.earn_rules("daily-crumb", LATE_EVENING).request_id,
    ]
    assert len(set(ids)) == len(ids)
    assert ids[0] == requests.recording(PURCHASE, "another grant").request_id
    assert requests.request_id("purchase", "1-daily-crumb") == "7afa25ee-429f-51f8-a165-665242803611"


def test_what_comes_back_comes_back_on_the_next_trading_day() -> None:
    back = datetime.fromtimestamp(requests.returning(PURCHASE, "a name").occurred_at.seconds, UTC)
    assert back == datetime(2017, 2, 1, 14, 0, tzinfo=UTC)


@pytest.mark.parametrize("partner", PARTNERS)
def test_all_partners_have_the_same_terms_and_a_name(partner: str) -> None:
    terms = requests.contract(partner, LATE_EVENING).contract_version
    assert (terms.rate_at_issuance.value, terms.reimbursement_rate.value) == ("0.0120", "0.0090")
    assert requests.DISPLAY_NAMES[partner]
