"""How many decimals each currency has: a copy of ISO 4217, edition by edition.

Never a library's locale data: the display digits of CLDR differ from ISO on more than a dozen currencies and would pay
a hundred or a thousand times too much. A change of ISO 4217 becomes a new edition beside the old ones, which stay as
they are: whoever calculates again what was calculated under an old one says so with `edition`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

_2026_01_01 = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: """
        AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY
        COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS
        INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR
        MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP
        STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG
    """,
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}


def _read(by_exponent: Mapping[int, str]) -> dict[str, int]:
    return {code: exponent for exponent, codes in by_exponent.items() for code in codes.split()}


EDITIONS: dict[str, Mapping[str, int]] = {"2026-01-01": _read(_2026_01_01)}
"""Each edition by its date, with the exponents of its currencies. One is added, none is changed."""

ISO_4217_EDITION = max(EDITIONS)
"""The newest: what new things are calculated with."""

_chosen: ContextVar[str] = ContextVar("edition", default="")


class UnknownCurrency(ValueError):
    """The code is not a currency of the edition."""


def exponent_of(currency: str) -> int:
    """The number of decimals of a currency: 2 for USD, 0 for JPY, 3 for KWD."""
    named = edition_in_force()
    try:
        return EDITIONS[named][currency]
    except KeyError:
        raise UnknownCurrency(f"{currency!r} is not a currency of ISO 4217, edition {named}") from None


def edition_in_force() -> str:
    """The edition that counts here: the newest, unless a block says another."""
    return _chosen.get() or max(EDITIONS)


@contextmanager
def edition(name: str) -> Iterator[None]:
    """Within the block exponents are those of that edition. Raises KeyError when it is none of ours."""
    EDITIONS[name]
    token = _chosen.set(name)
    try:
        yield
    finally:
        _chosen.reset(token)
