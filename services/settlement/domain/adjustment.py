"""Adjustments: lines in the open window that correct a closed one, at the version that priced what they correct."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from services.settlement.domain.contract import PriceBook
from services.settlement.domain.lines import AMOUNT, Line, Rollup, line_of
from services.settlement.domain.obligations import RollupKey
from shared.refusal import Kind, Refusal


class AdjustmentNotFound(Refusal):
    """No adjustment has this name."""

    kind = Kind.NOT_THERE
    message = "There is no adjustment {name}."
    remedy = "List the adjustments."


class LineNotFound(Refusal):
    """The statement has no line of this number."""

    kind = Kind.NOT_THERE
    message = "{statement} has no line {line}."
    remedy = "Count its lines from 1, in the order in which they stand."


class AdjustsTooMuch(Refusal):
    """More would be taken back than the line ever had."""

    kind = Kind.OUTSIDE
    message = "The line has {left} left; {wanted} would be taken back."
    remedy = "Take back at most what is left."


class CountsMoney(Refusal):
    """A line that is no points times a rate: a fee, a pack, an adjustment of money."""

    kind = Kind.NOT_NOW
    message = "Line {line} does not count points."
    remedy = "Adjust it by an amount of money."


class Corrected(NamedTuple):
    """The line that is corrected, and the key under which a correction of it is counted."""

    line: Line
    key: RollupKey


def corrected(line: Line, number: int, rollups: Iterable[Rollup], book: PriceBook) -> Corrected:
    """The key of a correction in points: that of the first version that went into the line. Raises CountsMoney."""
    for rollup in sorted(rollups, key=lambda one: (one.leg.value, one[1:])):
        if not rollup.subject and line_of(rollup, book) == line.key:
            key = line.key
            return Corrected(line, RollupKey(key.leg, key.debtor, key.creditor, rollup.version, rollup.rate_class))
    raise CountsMoney(line=number)


def in_money(line: Line, ends: int, book: PriceBook) -> Corrected:
    """The key of a correction in minor units: the terms in force at the window's edge."""
    key = line.key
    version = book.in_force(key.partner, ends)
    if version is None:
        raise LookupError(f"{key.partner} has a line and no terms")
    return Corrected(line, RollupKey(key.leg, key.debtor, key.creditor, version))


def subject_of(name: str, *, money: bool) -> str:
    """How the correction is told apart in the open window: a line of its own."""
    return f"{AMOUNT}{name}" if money else name


def check_left(line: Line, adjusted: int, wanted: int, *, money: bool) -> None:
    """Raises AdjustsTooMuch. `adjusted` is what earlier adjustments added to the line, signed."""
    left = (line.booked_minor if money else line.points) + adjusted
    if left >= 0 > left + wanted or left < 0 < left + wanted:
        raise AdjustsTooMuch(left=left, wanted=wanted)
