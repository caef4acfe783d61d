"""kill -9 before and after every commit of a batch's life, and around the hand-over to the bank.

However it is disturbed, it ends as one that nobody disturbed: the same bytes, the same rows, money that left once.
`SWEEP=all` dies at every point (some minutes); without it at a few of them, others each time.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import pytest

from tests.settlement.bank import Bank, bank_in
from tests.settlement.cashier import Cashier
from tests.settlement.paying.stage import PAID, base_in, one_life
from tests.support.databases import Databases

FEW = 8


@pytest.fixture(scope="module")
def base(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cashier]:
    """Where lives begin."""
    with base_in(databases, tmp_path_factory.mktemp("base")) as cashier:
        yield cashier


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bank]:
    """One bank for all lives, begun anew by each."""
    with bank_in(tmp_path_factory.mktemp("bank")) as bank:
        yield bank


@pytest.mark.timeout(1800)
def test_a_life_ends_the_same_wherever_it_is_killed(
    databases: Databases,
    base: Cashier,
    counter: Bank,
    tmp_path_factory: pytest.TempPathFactory,
    capsys: pytest.CaptureFixture[str],
) -> None:
    undisturbed, points = one_life(databases, base, counter, tmp_path_factory.mktemp("undisturbed"))
    assert {state for _, _, _, state, _ in undisturbed["files"]} == {"ACKNOWLEDGED"}
    assert undisturbed["left"] == dict.fromkeys(PAID, 1)
    chosen = list(range(1, len(points) + 1))
    if os.environ.get("SWEEP") != "all":
        chosen = sorted(random.sample(chosen, FEW))
    with capsys.disabled():
        print("", *(f"{'x' if n in chosen else ' '} {n:3d} {point}" for n, point in enumerate(points, 1)), sep="\n")
    for number in chosen:
        result, _ = one_life(databases, base, counter, tmp_path_factory.mktemp(f"point{number}"), number)
        for what, expected in undisturbed.items():
            assert result[what] == expected, (number, points[number - 1], what)
