"""Deferred revenue over the wire: the caller's sales and estimates in, each year's booking out."""

from __future__ import annotations

from fractions import Fraction

from coalition.settlement.v1 import reports_pb2 as pb
from google.type.money_pb2 import Money

from services.settlement.domain.refusals import CurrencyUnknown
from services.settlement.domain.revenue import Estimate, allocated, commission, recognised, rounded
from shared.money import UnknownCurrency, exponent_of, major
from shared.refusal import Kind, Refusal
from shared.rpc import wire


class EstimateTooHigh(Refusal):
    """More points are said to come back than were sold, or none while some did."""

    kind = Kind.MALFORMED
    message = "{expected_points} points are expected back: {points} were sold, {redeemed_points} are redeemed."
    remedy = "Expect from what is redeemed up to what was sold, and more than none."


def revenue_pb(request: pb.GetRevenueRequest) -> pb.Revenue:
    """Raises CurrencyUnknown, WrongCurrency, NotMoney, NotADecimal, EstimateTooHigh."""
    currency = request.sales.currency_code
    try:
        exponent = exponent_of(currency)
    except UnknownCurrency:
        raise CurrencyUnknown(field="sales.currency_code", currency=currency[:8]) from None
    places = min(request.places, exponent) if request.HasField("places") else exponent
    years = [_estimate(one, request.points) for one in request.estimates]
    value = wire.decimal_of(request.point_value, "point_value")
    if value < 0:
        raise wire.NotADecimal(field="point_value")
    part = allocated(_exact(request.sales, currency, "sales"), request.points, Fraction(value), years[0].expected)
    booked = recognised(part, years, places)
    whole = rounded(part, places)
    answer = pb.Revenue(
        allocated=_money(whole, places, currency),
        recognised=[_money(one, places, currency) for one in booked],
        deferred=_money(whole - sum(booked), places, currency),
    )
    if request.HasField("passed_on"):
        kept = commission(part, _exact(request.passed_on, currency, "passed_on"), places)
        answer.commission.CopyFrom(_money(kept, places, currency))
    return answer


def _estimate(one: pb.RevenueEstimate, points: int) -> Estimate:
    if not 0 < one.expected_points <= points or one.redeemed_points > points:
        raise EstimateTooHigh(
            field="estimates",
            expected_points=one.expected_points,
            points=points,
            redeemed_points=one.redeemed_points,
        )
    return Estimate(one.expected_points, one.redeemed_points)


def _exact(amount: Money, currency: str, field: str) -> Fraction:
    minor = wire.minor_of(amount, currency, field)
    if minor < 0:
        raise wire.NotMoney(field=field, currency=currency)
    return Fraction(major(minor, exponent_of(currency)))


def _money(units: int, places: int, currency: str) -> Money:
    """Whole units of `places` decimals."""
    return wire.money_pb(units * int("1" + "0" * (exponent_of(currency) - places)), currency)
