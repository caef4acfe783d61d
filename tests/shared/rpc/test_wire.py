"""Exact values on the wire and back."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date
from google.type.decimal_pb2 import Decimal as DecimalMessage
from google.type.money_pb2 import Money
from hypothesis import given
from hypothesis import strategies as some

from shared.refusal import Kind, Refusal
from shared.rpc import wire

MINOR = some.integers(-(2**63) + 1, 2**63 - 1)


@given(MINOR, some.sampled_from(["USD", "JPY", "KWD", "CLF"]))
def test_money_survives_the_way_there_and_back(minor: int, currency: str) -> None:
    message = wire.money_pb(minor, currency)
    assert wire.minor_of(message, currency) == minor
    assert message.units * message.nanos >= 0


def test_money_is_units_and_nanos() -> None:
    assert wire.money_pb(-1204, "USD") == Money(currency_code="USD", units=-12, nanos=-40_000_000)
    assert wire.money_pb(5, "JPY") == Money(currency_code="JPY", units=5)


@pytest.mark.parametrize(
    "message",
    [
        Money(currency_code="USD", nanos=1),
        Money(currency_code="USD", units=1, nanos=-10_000_000),
        Money(currency_code="USD", nanos=1_000_000_000),
        Money(currency_code="USD", units=2**63 - 1),
        Money(currency_code="EUR", units=1),
        Money(units=1),
    ],
)
def test_money_that_its_currency_cannot_express_is_refused(message: Money) -> None:
    with pytest.raises(Refusal) as caught:
        wire.minor_of(message, "USD", field="price")
    assert caught.value.kind is Kind.MALFORMED
    assert caught.value.metadata["field"] == "price"


@given(some.datetimes(timezones=some.just(UTC)))
def test_instants_survive_to_the_microsecond(instant: datetime) -> None:
    assert wire.instant(wire.timestamp(instant)) == instant


def test_instants_before_1970_and_finer_than_microseconds() -> None:
    assert wire.timestamp(datetime(1969, 12, 31, 23, 59, 59, 500_000, tzinfo=UTC)) == Timestamp(
        seconds=-1, nanos=500_000_000
    )
    found = wire.instant(Timestamp(seconds=0, nanos=1999))
    assert found - datetime(1970, 1, 1, tzinfo=UTC) == timedelta(microseconds=1)


@pytest.mark.parametrize("message", [Timestamp(seconds=2**62), Timestamp(seconds=-(2**40)), Timestamp(nanos=-1)])
def test_impossible_timestamps_are_refused(message: Timestamp) -> None:
    with pytest.raises(wire.NotAnInstant):
        wire.instant(message)


@given(some.dates())
def test_days_survive(day: date) -> None:
    assert wire.day(wire.date_pb(day)) == day


@pytest.mark.parametrize("message", [Date(), Date(year=2026, month=2), Date(year=2026, month=2, day=30)])
def test_days_that_are_no_days_are_refused(message: Date) -> None:
    with pytest.raises(wire.NotADay):
        wire.day(message)


@given(some.decimals(min_value=-(10**18), max_value=10**18, places=9))
def test_decimals_survive(value: Decimal) -> None:
    assert wire.decimal_of(wire.decimal_pb(value)) == value


@pytest.mark.parametrize("text", ["", "1e999999999", "NaN", "Infinity", "1,5", "0x1", " 1", "1\n", "٣", "9" * 31, ".5"])
def test_decimals_in_anything_but_plain_digits_are_refused(text: str) -> None:
    with pytest.raises(wire.NotADecimal):
        wire.decimal_of(DecimalMessage(value=text))
