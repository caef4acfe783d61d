"""What several runs amount to."""

from __future__ import annotations

from random import Random
from statistics import median

from tests.load.measured import median_between


def test_the_median_lies_between_them_in_nineteen_of_twenty_cases() -> None:
    random = Random(7)
    runs = [median_between([random.random() for _ in range(15)]) for _ in range(2_000)]
    inside = sum(least < 0.5 < most for least, most in runs)
    assert 0.95 <= inside / len(runs) < 0.98


def test_more_runs_leave_less_between() -> None:
    assert [median_between(range(1, count + 1)) for count in (1, 5, 6, 10, 30)] == [
        (1, 1),
        (1, 5),
        (1, 6),
        (2, 9),
        (10, 21),
    ]


def test_what_lies_between_holds_the_median() -> None:
    values = [3.0, 1.0, 2.0, 5.0, 4.0, 9.0, 7.0]
    least, most = median_between(values)
    assert least <= median(values) <= most
