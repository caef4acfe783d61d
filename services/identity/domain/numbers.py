"""Member numbers: random, so that none follows from another, with a check digit that catches typing alone."""

from __future__ import annotations

import re
from collections.abc import Callable

_DIGITS = re.compile(r"[1-9][0-9]{15}")
_FIRST = 10**14  # no leading zero: spreadsheets eat those
_COUNT = 9 * 10**14


def member_number(randbelow: Callable[[int], int]) -> str:
    """Fifteen digits from a cryptographic source and their check digit."""
    digits = str(_FIRST + randbelow(_COUNT))
    return f"{digits}{check_digit(digits)}"


def check_digit(digits: str) -> int:
    """GS1 mod 10: weights 3 and 1 in turn, beginning with 3 at the right."""
    return -sum(int(digit) * (1 if place % 2 else 3) for place, digit in enumerate(reversed(digits))) % 10


def is_member_number(text: str) -> bool:
    """Whether `text` could be one of ours; it says nothing about whether it is."""
    return _DIGITS.fullmatch(text) is not None and check_digit(text[:-1]) == int(text[-1])
