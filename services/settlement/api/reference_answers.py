"""Calendars, sets of rates and models between the wire's messages and the domain's nouns."""

from __future__ import annotations

from datetime import time
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from coalition.settlement.v1 import batches_pb2
from coalition.settlement.v1 import reference_pb2 as pb

from services.settlement.domain.calendar import Calendar, days_between
from services.settlement.domain.fx import FxQuoteRefused, FxSet
from services.settlement.domain.model import SettlementModel
from services.settlement.domain.netting import Model as Netting
from services.settlement.domain.refusals import CurrencyUnknown
from services.settlement.formats.holiday_lists import SOURCE, listed
from shared.money import UnknownCurrency, exponent_of
from shared.refusal import Kind, Refusal
from shared.rpc import wire

_TEN_YEARS = 3653
_WEEKEND = (6, 7)
_FX_DAYS = 5
_NETTING_OF = {number: Netting(name.removeprefix("NETTING_")) for name, number in batches_pb2.Netting.items() if number}


class TimeZoneUnknown(Refusal):
    """No zone of that name."""

    kind = Kind.MALFORMED
    message = "There is no time zone {time_zone}."
    remedy = "Send a name of the IANA database such as Europe/Frankfurt or UTC."


class DaysInDisorder(Refusal):
    """A calendar of no days, or of more than anybody can know."""

    kind = Kind.MALFORMED
    message = (
        "A calendar goes from its first day to a later one, at most ten years; {from_day} to {until_day} does not."
    )
    remedy = "Send a later `until_day`, at most ten years later."


def calendar_of(request: pb.PublishCalendarRequest) -> Calendar:
    """Raises CalendarSourceUnknown, TimeZoneUnknown, DaysInDisorder, NotADay."""
    first, end = wire.day(request.from_day, "from_day"), wire.day(request.until_day, "until_day")
    if not 0 < (end - first).days <= _TEN_YEARS:
        raise DaysInDisorder(field="until_day", from_day=first, until_day=end)
    holidays = listed(request.source, first, end)
    for one in request.holidays:
        holidays[wire.day(one.day, "holidays")] = one.closed
    _check_zone(request.time_zone)
    weekend = frozenset(number - 1 for number in request.weekend or _WEEKEND)
    cut_off = time.fromisoformat(request.cut_off)
    days = days_between(first, end, holidays, weekend, request.time_zone, cut_off)
    source = f"{request.source}, {SOURCE}" if request.source else "own"
    return Calendar(request.name, 0, request.time_zone, source, days)


def calendar_pb(one: Calendar, proposal: str = "", *, days: bool = True) -> pb.Calendar:
    """A calendar for the wire."""
    answer = pb.Calendar(name=one.name, version=one.version, time_zone=one.zone, source=one.source, proposal=proposal)
    if days:
        answer.days.extend(
            pb.CalendarDay(day=wire.date_pb(day), closed=found.closed) for day, found in one.days.items()
        )
    return answer


def fx_set_of(message: pb.FxSet) -> FxSet:
    """Raises FxQuoteRefused for a currency that is quoted twice, NotADay, NotADecimal."""
    quotes = {message.base: Decimal(1)}
    seen = set()
    for one in message.quotes:
        if one.currency in seen:
            raise FxQuoteRefused(
                field="fx_set.quotes", currency=one.currency, quote=one.quote.value, detail="it is quoted twice"
            )
        seen.add(one.currency)
        quotes[one.currency] = wire.decimal_of(one.quote, "fx_set.quotes")
    day = wire.day(message.day, "fx_set.day")
    return FxSet(message.name, day, message.base, message.source, quotes, frozenset(message.moved))


def fx_set_pb(one: FxSet, proposal: str = "") -> pb.FxSet:
    """A set of rates for the wire."""
    return pb.FxSet(
        name=one.name,
        day=wire.date_pb(one.day),
        base=one.base,
        source=one.source,
        quotes=[pb.FxQuote(currency=currency, quote=wire.decimal_pb(quote)) for currency, quote in one.quotes.items()],
        moved=sorted(one.moved),
        proposal=proposal,
    )


def model_of(message: pb.SettlementModel) -> SettlementModel:
    """Raises CurrencyUnknown, NotMoney."""
    for currency in [*message.currencies, *(money.currency_code for money in message.minimum)]:
        try:
            exponent_of(currency)
        except UnknownCurrency:
            raise CurrencyUnknown(field="model.currencies", currency=currency) from None
    return SettlementModel(
        name=message.name,
        version=0,
        netting=_NETTING_OF.get(message.netting, Netting.MULTILATERAL),
        calendar=message.calendar,
        payment_days=message.payment_days,
        currencies=frozenset(message.currencies),
        participants=frozenset(message.participants),
        minimum_minor={
            money.currency_code: wire.minor_of(money, money.currency_code, "model.minimum") for money in message.minimum
        },
        fx_days=message.fx_days or _FX_DAYS,
    )


def model_pb(one: SettlementModel, proposal: str = "") -> pb.SettlementModel:
    """A model for the wire."""
    minimum = sorted((one.minimum_minor or {}).items())
    return pb.SettlementModel(
        name=one.name,
        version=one.version,
        netting=f"NETTING_{one.netting.value}",
        calendar=one.calendar,
        payment_days=one.payment_days,
        currencies=sorted(one.currencies),
        participants=sorted(one.participants),
        minimum=[wire.money_pb(minor, currency) for currency, minor in minimum],
        fx_days=one.fx_days,
        proposal=proposal,
    )


def _check_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise TimeZoneUnknown(field="time_zone", time_zone=name) from None


def version_of(name: str) -> tuple[str, int | None]:
    """`calendars/target/versions/3` as its two parts; without a version the newest is meant."""
    whole, _, version = name.partition("/versions/")
    return whole, int(version) if version else None
