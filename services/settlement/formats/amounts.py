"""Minor units as the decimals of an XML file, by our table of ISO 4217: 1000 yen are `1000`, a dinar is `1.000`."""

from __future__ import annotations

from decimal import Decimal

from shared.money import exponent_of


def decimal_of(minor: int, currency: str) -> Decimal:
    """Exactly as many places as the currency has."""
    sign, digits = int(minor < 0), tuple(int(digit) for digit in str(abs(minor)))
    return Decimal((sign, digits, -exponent_of(currency)))
