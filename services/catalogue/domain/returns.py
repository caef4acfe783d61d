"""Returns: rate what remains with the rules that rated the purchase, and take the difference back.

So clawbacks telescope: in any order, the returns of everything add up to exactly what was awarded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from services.catalogue.domain.rating import attributed, rate
from services.catalogue.domain.receipt import Line
from services.catalogue.domain.refusals import PurchaseInvalid, ReturnExceedsLine, ReturnInvalid
from services.catalogue.domain.rules import EarnRules
from shared.money import exponent_of, major


@dataclass(frozen=True, slots=True)
class Kept:
    """What the member has kept of a purchase: lines with what is left of their amounts, payers with their points."""

    lines: tuple[Line, ...]
    parts: Mapping[str, int]
    store: str
    segments: frozenset[str]

    @property
    def points(self) -> int:
        """The award that is left."""
        return sum(self.parts.values())


@dataclass(frozen=True, slots=True)
class Returned:
    """What comes back of one line; an amount of None is all that is left of it."""

    line_no: int
    amount: int | None


@dataclass(frozen=True, slots=True)
class Clawback:
    """What one return takes: of each line its amount, of each payer its points."""

    amounts: Mapping[int, int]
    parts: Mapping[str, int]

    @property
    def points(self) -> int:
        """What the purchase no longer deserves."""
        return sum(self.parts.values())


def clawback(kept: Kept, returns: Sequence[Returned], rules: EarnRules) -> Clawback | ReturnExceedsLine | ReturnInvalid:
    """What these returns take back; no returns named means that everything left comes back."""
    amounts = _amounts(kept, returns or [Returned(line.line_no, None) for line in kept.lines], rules.currency)
    if not isinstance(amounts, dict):
        return amounts
    parts = remaining(_without(kept, amounts), rules)
    taken = {payer: had - parts.get(payer, 0) for payer, had in kept.parts.items()}
    return Clawback(
        amounts={line_no: amount for line_no, amount in amounts.items() if amount},
        parts={payer: points for payer, points in taken.items() if points},
    )


def remaining(kept: Kept, rules: EarnRules) -> dict[str, int]:
    """What the kept lines deserve, by payer; nobody bears more than before."""
    rating = rate(kept.lines, kept.store, kept.segments, rules)
    if isinstance(rating, PurchaseInvalid):  # it was rated once, and what remains earns no more
        raise rating
    return attributed(min(rating.points, kept.points), rating, rules, kept.parts)


def _without(kept: Kept, amounts: Mapping[int, int]) -> Kept:
    lines = tuple(replace(line, amount=line.amount - amounts.get(line.line_no, 0)) for line in kept.lines)
    return replace(kept, lines=lines)


def _amounts(
    kept: Kept, returns: Sequence[Returned], currency: str
) -> dict[int, int] | ReturnExceedsLine | ReturnInvalid:
    left = {line.line_no: line.amount for line in kept.lines}
    amounts: dict[int, int] = {}
    for back in returns:
        if back.line_no in amounts:
            return ReturnInvalid(field="lines", problem=f"line {back.line_no} stands more than once")
        most = left.get(back.line_no)
        amount = back.amount if back.amount is not None else most
        if amount is not None and amount < 0:
            return ReturnInvalid(field="lines", problem="an amount is 0 or more")
        if most is None or amount is None or amount > most:
            return ReturnExceedsLine(
                line_no=back.line_no,
                left=_text(most or 0, currency),
                returned=_text(amount or 0, currency),
                currency=currency,
            )
        amounts[back.line_no] = amount
    return amounts


def _text(minor: int, currency: str) -> str:
    return f"{major(minor, exponent_of(currency)):f}"
