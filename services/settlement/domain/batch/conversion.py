"""A net in another currency becomes part of the payment in the settlement currency: once per partner and currency.

Quotes are units of a currency for one of the base. In exact fractions, rounded half-even at the end, and only there.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from shared.money import exponent_of
from shared.refusal import Kind, Refusal


class FxIncomplete(Refusal):
    """Nothing is calculated with a rate that is not there."""

    kind = Kind.NOT_NOW
    message = "The FX set {fx_set} has no rate for {missing}."
    remedy = "Load a set that has them, then calculate again."


class Conversion(NamedTuple):
    """`minor` of `currency` left the partner's net, `target_minor` of `target` came to it; the FX account has the
    exact opposite of both. `rounding` is what that is worth to it at the same quotes, in minor units of the target.
    """

    partner: str
    currency: str
    minor: int
    target: str
    target_minor: int
    rounding: Fraction


def converted(
    partner: str, minor: int, currency: str, target: str, quotes: Mapping[str, Decimal], fx_set: str
) -> Conversion:
    """Raises FxIncomplete."""
    if missing := [one for one in (currency, target) if one not in quotes or quotes[one] <= 0]:
        raise FxIncomplete(fx_set=fx_set or "-", missing=", ".join(missing))
    base = Fraction(minor, 10 ** exponent_of(currency)) / Fraction(quotes[currency])
    exact = base * Fraction(quotes[target]) * 10 ** exponent_of(target)
    rounded = round(exact)
    return Conversion(partner, currency, minor, target, rounded, exact - rounded)
