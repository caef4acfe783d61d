"""Amounts, rates, days and instants between the wire's messages and Python's exact values. No float on the way."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date
from google.type.decimal_pb2 import Decimal as DecimalMessage
from google.type.money_pb2 import Money

from shared.money.currency import UnknownCurrency, exponent_of
from shared.money.rounding import decimal_text
from shared.refusal import Kind, Refusal

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LAST_SECOND = (datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC) - _EPOCH) // timedelta(seconds=1)
_FIRST_SECOND = (datetime(1, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(seconds=1)
_NANOS = 1_000_000_000
_MOST_MINOR = 2**63 - 1
_DECIMAL = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{0,30})?")


class NotAnInstant(Refusal):
    """A timestamp outside the years 1 to 9999, or with impossible nanoseconds."""

    kind = Kind.MALFORMED
    message = "The timestamp names no instant."


class NotADay(Refusal):
    """A date that is not a full calendar day."""

    kind = Kind.MALFORMED
    message = "The date {year}-{month}-{day} is no calendar day."


class NotADecimal(Refusal):
    """A decimal that is not plain digits."""

    kind = Kind.MALFORMED
    message = "The decimal is not written in plain digits, at most thirty before and after the point."


class NotMoney(Refusal):
    """An amount that its currency cannot express."""

    kind = Kind.MALFORMED
    message = "The amount is not a whole number of {currency}'s smallest unit, or is beyond all reason."


class WrongCurrency(Refusal):
    """An amount in another currency than the one this deals in."""

    kind = Kind.MALFORMED
    message = "The amount is in {given}, expected is {expected}."


def timestamp(instant: datetime) -> Timestamp:
    """An aware instant for the wire."""
    micros = (instant - _EPOCH) // _MICROSECOND
    seconds, rest = divmod(micros, 1_000_000)
    return Timestamp(seconds=seconds, nanos=rest * 1000)


def instant(message: Timestamp, field: str = "") -> datetime:
    """The instant, aware, in UTC, cut to microseconds."""
    if not (_FIRST_SECOND <= message.seconds <= _LAST_SECOND and 0 <= message.nanos < _NANOS):
        raise NotAnInstant(field=field)
    return _EPOCH + timedelta(seconds=message.seconds, microseconds=message.nanos // 1000)


def etag_of(text: str) -> int | None:
    """The version that a caller has seen, None when it names none. What no etag of ours looks like matches none."""
    if not text:
        return None
    return int(text) if text.isdecimal() and text.isascii() else -1


def date_pb(day: date) -> Date:
    """A calendar day for the wire."""
    return Date(year=day.year, month=day.month, day=day.day)


def day(message: Date, field: str = "") -> date:
    """The calendar day. Dates with parts left out are refused."""
    try:
        return date(message.year, message.month, message.day)
    except ValueError:
        raise NotADay(field=field, year=message.year, month=message.month, day=message.day) from None


def decimal_pb(value: Decimal) -> DecimalMessage:
    """A decimal for the wire, in plain digits without superfluous zeros."""
    return DecimalMessage(value=decimal_text(value))


def decimal_of(message: DecimalMessage, field: str = "") -> Decimal:
    """The decimal. Exponents are refused: `1e999999999` is ten bytes and a gigabyte."""
    if not _DECIMAL.fullmatch(message.value):
        raise NotADecimal(field=field)
    return Decimal(message.value)


def money_pb(minor: int, currency: str) -> Money:
    """An amount of minor units for the wire."""
    unit = _unit(currency)
    units, rest = divmod(abs(minor), unit)
    sign = -1 if minor < 0 else 1
    return Money(currency_code=currency, units=sign * units, nanos=sign * rest * (_NANOS // unit))


def minor_of(message: Money, currency: str, field: str = "") -> int:
    """The amount in minor units of `currency`."""
    if message.currency_code != currency:
        raise WrongCurrency(field=field, given=message.currency_code or "no currency", expected=currency)
    try:
        unit = _unit(currency)
    except UnknownCurrency:
        raise WrongCurrency(field=field, given=currency, expected="a currency of ISO 4217") from None
    rest, too_fine = divmod(abs(message.nanos), _NANOS // unit)
    signs_differ = message.units * message.nanos < 0
    minor = abs(message.units) * unit + rest
    if too_fine or signs_differ or abs(message.nanos) >= _NANOS or minor > _MOST_MINOR:
        raise NotMoney(field=field, currency=currency)
    return -minor if message.units < 0 or message.nanos < 0 else minor


def _unit(currency: str) -> int:
    """How many of the smallest units make one."""
    return int("1" + "0" * exponent_of(currency))
