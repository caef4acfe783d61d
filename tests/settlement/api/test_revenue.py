"""E12 over the wire and by command: what of a sale belongs to its points, and when it is earned."""

from __future__ import annotations

import pytest
from coalition.settlement.v1 import reports_pb2 as pb
from google.type.decimal_pb2 import Decimal
from google.type.money_pb2 import Money

from services.settlement.api.revenue import EstimateTooHigh, revenue_pb
from shared.rpc.wire import minor_of
from tests.settlement.api.desk import SECONDS, refused
from tests.support.finance import settle
from tests.support.platform import RunningPlatform
from tests.support.vectors import example


def asked(name: str) -> pb.GetRevenueRequest:
    """The worked example as a request."""
    given = example(name)["given"]
    estimates = given.get("estimates", [{"expected_redemptions": given["points_sold"], "redeemed_to_date": 0}])
    request = pb.GetRevenueRequest(
        sales=Money(currency_code=given["currency"], units=int(given["sales"])),
        points=given["points_sold"],
        point_value=Decimal(value=given["point_value"]),
        estimates=[
            pb.RevenueEstimate(expected_points=one["expected_redemptions"], redeemed_points=one["redeemed_to_date"])
            for one in estimates
        ],
        places=given["currency_exponent"],
    )
    if "passed_on" in given:
        units, _, cents = given["passed_on"].partition(".")
        request.passed_on.CopyFrom(
            Money(currency_code=given["currency"], units=int(units), nanos=int((cents or "0").ljust(9, "0")))
        )
    return request


def test_e12_is_reported_in_whole_units(platform: RunningPlatform) -> None:
    given, then = example("E12")["given"], example("E12")["then"]
    found = platform.operator.reports.GetRevenue(asked("E12"), timeout=SECONDS)
    said = {
        found.allocated.currency_code,
        found.deferred.currency_code,
        *(one.currency_code for one in found.recognised),
    }
    assert said == {given["currency"]}
    assert found.allocated.units == then["allocated_minor"]
    assert [one.units for one in found.recognised] == then["recognised_minor"]
    assert found.deferred.units == then["allocated_minor"] - sum(then["recognised_minor"])


def test_e12b_an_agents_commission_is_reported(platform: RunningPlatform) -> None:
    given, then = example("E12b")["given"], example("E12b")["then"]
    found = platform.operator.reports.GetRevenue(asked("E12b"), timeout=SECONDS)
    assert minor_of(found.allocated, given["currency"]) == then["allocated_minor"]
    assert minor_of(found.commission, given["currency"]) == then["commission_minor"]


def test_finance_asks_by_command(platform: RunningPlatform) -> None:
    given, then = example("E12")["given"], example("E12")["then"]
    years = [f"{one['expected_redemptions']}:{one['redeemed_to_date']}" for one in given["estimates"]]
    options = [word for year in years for word in ("--year", year)]
    words = ["--sales", f"{given['sales']} {given['currency']}", "--points", str(given["points_sold"])]
    words += ["--value", given["point_value"], "--places", "0", *options]
    found = settle(platform.home, "report", "revenue", *words)
    assert found["allocated"] == f"{then['allocated_minor']}.00 {given['currency']}"
    assert found["recognised"] == [f"{one}.00 {given['currency']}" for one in then["recognised_minor"]]


@pytest.mark.parametrize(("expected", "redeemed"), [(0, 0), (11, 0), (10, 11)])
def test_an_estimate_that_cannot_be_is_refused(expected: int, redeemed: int) -> None:
    request = pb.GetRevenueRequest(
        sales=Money(currency_code="EUR", units=100),
        points=10,
        point_value=Decimal(value="1"),
        estimates=[pb.RevenueEstimate(expected_points=expected, redeemed_points=redeemed)],
    )
    with pytest.raises(EstimateTooHigh):
        revenue_pb(request)


def test_what_is_no_money_or_number_is_refused_over_the_wire(platform: RunningPlatform) -> None:
    stub = platform.operator.reports
    strange = asked("E12")
    strange.sales.currency_code = "QQQ"
    assert refused(lambda: stub.GetRevenue(strange, timeout=SECONDS)) == ("INVALID_ARGUMENT", "CURRENCY_UNKNOWN")
    strange = asked("E12")
    strange.point_value.value = "1e9"
    assert refused(lambda: stub.GetRevenue(strange, timeout=SECONDS)) == ("INVALID_ARGUMENT", "NOT_A_DECIMAL")
    strange = asked("E12")
    strange.sales.units = -1
    assert refused(lambda: stub.GetRevenue(strange, timeout=SECONDS)) == ("INVALID_ARGUMENT", "NOT_MONEY")
