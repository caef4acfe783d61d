"""The part of a sale that belongs to its points is earned as they are redeemed, to the last unit."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.settlement.domain.revenue import Estimate, allocated, commission, recognised, rounded
from tests.support.vectors import example


def test_e12_each_year_books_the_rounded_cumulative_share_less_what_was_booked() -> None:
    given_, then = example("E12")["given"], example("E12")["then"]
    estimates = {one["year"]: one for one in given_["estimates"]}
    reported = [estimates[step["year"]] for step in example("E12")["when"]]
    years = [Estimate(one["expected_redemptions"], one["redeemed_to_date"]) for one in reported]
    sales, value = Fraction(given_["sales"]), Fraction(given_["point_value"])
    part = allocated(sales, given_["points_sold"], value, years[0].expected)
    assert part == Fraction(then["allocated_exact"])
    assert rounded(part, given_["currency_exponent"]) == then["allocated_minor"]
    assert recognised(part, years, given_["currency_exponent"]) == then["recognised_minor"]


def test_e12b_an_agent_earns_only_the_commission() -> None:
    given_, then = example("E12b")["given"], example("E12b")["then"]
    points = given_["points_sold"]
    part = allocated(Fraction(given_["sales"]), points, Fraction(given_["point_value"]), points)
    assert part == Fraction(then["allocated_exact"])
    assert rounded(part, given_["currency_exponent"]) == then["allocated_minor"]
    assert commission(part, Fraction(given_["passed_on"]), given_["currency_exponent"]) == then["commission_minor"]


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=12), st.integers(1, 10**9))
def test_all_years_together_book_what_all_redemptions_earn(steps: list[int], cents: int) -> None:
    redeemed = [sum(steps[: at + 1]) for at in range(len(steps))]
    expected = max(redeemed[-1], 1)
    part = Fraction(cents, 100)
    years = [Estimate(expected, so_far) for so_far in redeemed]
    assert sum(recognised(part, years, 2)) == rounded(part * Fraction(redeemed[-1], expected), 2)


def test_no_more_points_are_redeemed_than_were_sold() -> None:
    with pytest.raises(ValueError, match="cannot be redeemed"):
        allocated(Fraction(100), 10, Fraction(1), 11)
