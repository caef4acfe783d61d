"""Points, currencies, rates and rounding: exact integers and decimals, standard library only, no float anywhere."""

from shared.money.currency import (
    EDITIONS,
    ISO_4217_EDITION,
    UnknownCurrency,
    edition,
    edition_in_force,
    exponent_of,
)
from shared.money.points import MOST_POINTS, NotPoints, Points
from shared.money.rate import MOST_PLACES, NotARate, Rate
from shared.money.rounding import Rounded, booked, decimal_text, half_even, half_up, major
from shared.money.split import CannotSplit, largest_remainder

__all__ = [
    "EDITIONS",
    "ISO_4217_EDITION",
    "MOST_PLACES",
    "MOST_POINTS",
    "CannotSplit",
    "NotARate",
    "NotPoints",
    "Points",
    "Rate",
    "Rounded",
    "UnknownCurrency",
    "booked",
    "decimal_text",
    "edition",
    "edition_in_force",
    "exponent_of",
    "half_even",
    "half_up",
    "largest_remainder",
    "major",
]
