"""An allowance is dealt without losing or making a point, and its last point can be spent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ledger.domain.dealing import dealt

STRIPES = st.integers(0, 15)
POINTS = st.integers(0, 10**12)


@st.composite
def spendings(draw: st.DrawFn) -> tuple[int, dict[int, int], dict[int, int]]:
    """A pool, slices, and what some stripes spend of them: at most all there is."""
    pool, slices = draw(POINTS), draw(st.dictionaries(STRIPES, POINTS, min_size=1))
    left = pool + sum(slices.values())
    spent = {}
    for stripe in draw(st.lists(st.sampled_from(sorted(slices)), unique=True, max_size=4)):
        points = draw(st.integers(0, left) | st.just(left))
        left -= points
        if points:
            spent[stripe] = points
    return pool, slices, spent


@given(case=spendings())
def test_what_is_left_is_what_there_was_less_what_was_spent(case: tuple[int, dict[int, int], dict[int, int]]) -> None:
    pool, slices, spent = case
    after = dealt(pool, slices, spent)
    assert after.pool + sum(after.slices.values()) == pool + sum(slices.values()) - sum(spent.values())
    assert min(after.pool, *after.slices.values()) >= 0
    assert after.slices.keys() == slices.keys()


@given(case=spendings())
def test_nothing_is_called_back_while_the_pool_suffices(case: tuple[int, dict[int, int], dict[int, int]]) -> None:
    pool, slices, spent = case
    lack = sum(max(0, points - slices[stripe]) for stripe, points in spent.items())
    after = dealt(pool, slices, spent)
    if lack <= pool:
        assert all(after.slices[stripe] == points for stripe, points in slices.items() if stripe not in spent)


def test_the_last_point_can_be_spent_wherever_it_lies() -> None:
    assert dealt(0, {0: 0, 1: 1}, {0: 1}) == (0, {0: 0, 1: 0})


def test_nobody_spends_a_point_too_much() -> None:
    with pytest.raises(ValueError, match="1 points more"):
        dealt(3, {0: 2, 1: 4}, {0: 10})


def test_a_slice_lasts_for_the_next_batches() -> None:
    pool, slices = dealt(1_000_000, {0: 0, 1: 0}, {0: 500})
    assert slices[0] > 10 * 500
    assert pool > 900_000


def test_nobody_takes_most_of_what_is_nearly_spent() -> None:
    pool, slices = dealt(1_000, {0: 0, 1: 0}, {0: 100})
    assert slices[0] == 225
    assert pool == 675
