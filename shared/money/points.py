"""Points: positive whole numbers that fit an int64. Direction is the side of a posting, never a sign."""

from __future__ import annotations

MOST_POINTS = 2**63 - 1


class NotPoints(ValueError):
    """The value is not a positive whole number of points."""


class Points(int):
    """An amount of points, at least 1 and at most 2**63 - 1. Sums and differences are plain integers again."""

    __slots__ = ()

    def __new__(cls, value: int) -> Points:
        # bool is an int to Python, but True is not an amount of points.
        if type(value) is not int and not isinstance(value, Points):
            raise NotPoints(f"points are whole numbers, not {type(value).__name__}")
        if not 1 <= value <= MOST_POINTS:
            raise NotPoints(f"points are at least 1 and at most {MOST_POINTS}, not {value}")
        return super().__new__(cls, value)
