"""Whoever guesses runs dry; the budget comes back evenly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.identity.domain.misses import MissBudget

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
WINDOW = timedelta(minutes=10)


def missing(budget: MissBudget, who: str, at: datetime, times: int) -> int:
    """How many of so many misses were let through."""
    through = 0
    for _ in range(times):
        if budget.refusal(who, at) is None:
            budget.count(who, at)
            through += 1
    return through


def test_exactly_the_budget_may_be_missed_at_once() -> None:
    budget = MissBudget(100, WINDOW)
    assert missing(budget, "grocer", NOW, 1000) == 100
    assert missing(budget, "baker", NOW, 1000) == 100


def test_the_budget_is_whole_again_after_the_window_and_a_tenth_of_it_after_a_tenth() -> None:
    budget = MissBudget(100, WINDOW)
    missing(budget, "grocer", NOW, 1000)
    assert missing(budget, "grocer", NOW + WINDOW / 10, 1000) == 10
    assert missing(budget, "grocer", NOW + WINDOW * 2, 1000) == 100


def test_the_refusal_says_how_long_to_wait() -> None:
    budget = MissBudget(100, WINDOW)
    missing(budget, "grocer", NOW, 1000)
    refusal = budget.refusal("grocer", NOW)
    assert refusal is not None
    wait = refusal.facts["retry_after_ms"]
    assert isinstance(wait, int)
    assert budget.refusal("grocer", NOW + timedelta(milliseconds=wait)) is None
    assert budget.refusal("grocer", NOW + timedelta(milliseconds=wait - 2)) is not None


def test_whoever_does_not_miss_never_notices() -> None:
    budget = MissBudget(1, WINDOW)
    assert all(budget.refusal("grocer", NOW) is None for _ in range(1000))


def test_a_clock_that_is_set_far_back_locks_nobody_out() -> None:
    budget = MissBudget(1, WINDOW)
    missing(budget, "grocer", NOW, 5)
    assert budget.refusal("grocer", NOW - timedelta(days=365)) is None


@given(st.integers(1, 50), st.lists(st.integers(0, 600_000), min_size=1, max_size=300))
def test_no_window_lets_more_than_twice_the_budget_through(misses: int, waits: list[int]) -> None:
    budget, at, through = MissBudget(misses, WINDOW), NOW, []
    for wait in waits:
        at += timedelta(milliseconds=wait)
        if budget.refusal("grocer", at) is None:
            budget.count("grocer", at)
            through.append(at)
    for begin in through:
        assert sum(begin <= one < begin + WINDOW for one in through) <= 2 * misses
