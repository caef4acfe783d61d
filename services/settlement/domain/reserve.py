"""The reserve: cash that stands against points outstanding, by an estimate that is named and dated.

URR, the ultimate redemption rate, is the share of outstanding points that members are expected to spend at last. What
is required follows the estimate; what is held changes only by money.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from services.settlement.domain.terms import Timing
from shared.money import Rate, exponent_of, half_even


@dataclass(frozen=True, slots=True)
class Reserve:
    """What stands against an issuer's, or everybody's, outstanding points. Amounts in minor units of `currency`."""

    currency: str
    outstanding: int
    full_cover_minor: int
    required_minor: int
    held_minor: int

    @property
    def top_up_minor(self) -> int:
        """What is missing; never negative: what is too much is not taken back by a report."""
        return max(0, self.required_minor - self.held_minor)

    @property
    def funding_ratio(self) -> Fraction | None:
        """Held over required; None where nothing is required."""
        return Fraction(self.held_minor, self.required_minor) if self.required_minor else None

    def alarms_below(self, ratio: Fraction) -> bool:
        """Whether it is time to tell somebody."""
        return self.funding_ratio is not None and self.funding_ratio < ratio


def reserve(outstanding: int, reimbursement_rate: Rate, urr: Decimal, held_minor: int, currency: str) -> Reserve:
    """The reserve for points outstanding at what it will cost to reimburse them. `urr` is from 0 to 1."""
    exponent = exponent_of(currency)
    cover = reimbursement_rate.times(outstanding)
    return Reserve(
        currency, outstanding, half_even(cover, exponent), half_even(_exactly(cover, urr), exponent), held_minor
    )


def tail_minor(timing: Timing, outstanding: int, reimbursement_rate: Rate, urr: Decimal, currency: str) -> int:
    """What an issuer that leaves still owes for its outstanding points: nothing where it paid when it awarded them."""
    if timing is Timing.AT_ISSUANCE:
        return 0
    return reserve(outstanding, reimbursement_rate, urr, 0, currency).required_minor


def _exactly(amount: Decimal, share: Decimal) -> Decimal:
    """The product with all its digits: a decimal context would round to 28 of them."""
    if not 0 <= share <= 1:
        raise ValueError(f"a share is from 0 to 1, not {share}")
    one, two = amount.as_tuple(), share.as_tuple()
    places = int(one.exponent) + int(two.exponent)
    value = int("".join(map(str, one.digits))) * int("".join(map(str, two.digits)))
    return Decimal((one.sign, tuple(int(digit) for digit in str(value)), places))
