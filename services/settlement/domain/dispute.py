"""Disputes: a partner's objection to a line of its statement. Closed bytes never change: what is upheld is adjusted."""

from __future__ import annotations

from enum import Enum

from shared.refusal import Kind, Refusal


class DisputeReason(Enum):
    """What a partner objects to."""

    MISSING_AWARD = "MISSING_AWARD"
    INCORRECT_AWARD = "INCORRECT_AWARD"
    DUPLICATE = "DUPLICATE"
    UNAUTHORISED = "UNAUTHORISED"
    RATE = "RATE"


class DisputeNotFound(Refusal):
    """No dispute has this name, or it is another partner's."""

    kind = Kind.NOT_THERE
    message = "There is no dispute {name}."
    remedy = "List the disputes."


class DisputeTooLate(Refusal):
    """The time for objections to this statement is over."""

    kind = Kind.NOT_NOW
    message = "{statement} could be disputed until {until}."
    remedy = "Ask the operator for an adjustment."


class MoreThanDisputed(Refusal):
    """An answer gives more than was asked for."""

    kind = Kind.OUTSIDE
    message = "{points} points would be upheld of {disputed} that are disputed."
    remedy = "Uphold at most what is disputed, with the same sign."


def check_upheld(points: int, disputed: int) -> None:
    """Raises MoreThanDisputed: an answer is between nothing and everything."""
    if not (0 < points <= disputed or disputed <= points < 0):
        raise MoreThanDisputed(points=points, disputed=disputed)
