"""kill -9 before and after every commit of a batch's life, and around the hand-over to the bank.

However it is disturbed, it ends as one that nobody disturbed: the same bytes, the same rows, money that left once.
`SWEEP=all` dies at every point (some minutes) and looks at how soon the next one goes on; without it at a few of them,
others each time.
"""

from __future__ import annotations

import os
import random
import typing
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from services.settlement.main import steps_of
from services.settlement.store import stepper
from services.settlement.store.archive import Archive
from services.settlement.store.batches import follow
from services.settlement.store.paying import Paying
from tests.settlement.bank import Bank, bank_in
from tests.settlement.cashier import ANSWER, COLLECTION_DAYS, RETURN_DAYS
from tests.settlement.clerk import Clerk
from tests.settlement.paying.stage import PAID, Lived, base_in, one_life
from tests.settlement.reaper import by_the_step, sites_in
from tests.support.databases import Databases

FEW = 8
AT_ONCE = 2
RESUMED_SECONDS = 10.0


@pytest.fixture(scope="module")
def base(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clerk]:
    """Where lives begin."""
    with base_in(databases, tmp_path_factory.mktemp("base")) as clerk:
        yield clerk


@pytest.fixture(scope="module")
def banks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Bank]]:
    """One for each of the lives that go on at once, begun anew by the next."""
    with ExitStack() as open_:
        yield [open_.enter_context(bank_in(tmp_path_factory.mktemp("bank"))) for _ in range(AT_ONCE)]


@pytest.fixture(scope="module")
def undisturbed(
    databases: Databases, base: Clerk, banks: list[Bank], tmp_path_factory: pytest.TempPathFactory
) -> Lived:
    """A life that nobody kills."""
    folder = tmp_path_factory.mktemp("undisturbed")
    return one_life(databases, base, banks[0], folder, line_goes_dead=True)


def test_a_life_that_nobody_disturbs_ends_with_everything_paid_and_settled(undisturbed: Lived) -> None:
    result = undisturbed.result
    assert {file[3] for file in result["files"]} == {"ACKNOWLEDGED"}
    assert [state for _, state, _ in result["windows"]] == ["SETTLED", "OPEN"]
    assert result["left"] == dict.fromkeys(PAID, 1)
    assert result["balance"] == 0
    assert [state for _, state, _ in result["disputes"]] == ["ESCALATED"]
    assert len(result["quarantines"]) == 1


def test_it_comes_to_every_commit_of_the_stepper_and_to_every_answer_of_every_step(undisturbed: Lived) -> None:
    """So that a commit, a kind of step or an answer that is added later is not left out of the sweep."""
    opened = sites_in(stepper)
    assert len(opened) == 4, "it looks, claims, works and puts off"
    assert {one.site for one in undisturbed.points} >= opened
    paying = Paying(None, Archive(Path()), follow, ANSWER, RETURN_DAYS, COLLECTION_DAYS)
    ends = {
        by_the_step(kind, answer)
        for kind, handler in steps_of(paying).items()
        for returned in [typing.get_type_hints(handler)["return"]]
        for answer in typing.get_args(returned) or [returned]
    }
    assert {end for end in ends if not any(one.name.endswith(end) for one in undisturbed.points)} == set()


@pytest.mark.timeout(3600)
def test_a_life_ends_the_same_wherever_it_is_killed(
    databases: Databases,
    base: Clerk,
    banks: list[Bank],
    undisturbed: Lived,
    tmp_path_factory: pytest.TempPathFactory,
    capsys: pytest.CaptureFixture[str],
) -> None:
    points = undisturbed.points
    chosen = list(range(1, len(points) + 1))
    whole = os.environ.get("SWEEP") == "all"
    if not whole:
        chosen = sorted(random.sample(chosen, FEW))
    free: Queue[Bank] = Queue()
    for bank in banks:
        free.put(bank)

    def killed(number: int) -> tuple[float, dict[str, object]]:
        """How long it took to go on, and what ended otherwise."""
        bank = free.get()
        try:
            folder = tmp_path_factory.mktemp(f"point{number}")
            lived = one_life(databases, base, bank, folder, number, line_goes_dead=True)
        finally:
            free.put(bank)
        return lived.resumed, _different(lived.result, undisturbed.result)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = dict(zip(chosen, pool.map(killed, chosen), strict=True))
    with capsys.disabled():
        print()
        for number, one in enumerate(points, start=1):
            took = f"{found[number][0]:5.1f} s" if number in found else " " * 7
            print(f"{number:4d} {took}  {one.name}  {one.site}")
    assert {(number, points[number - 1].name): other for number, (_, other) in found.items() if other} == {}
    if whole:  # a few points in the middle of all tests say nothing of time
        assert {number: took for number, (took, _) in found.items() if took > RESUMED_SECONDS} == {}


def _different(found: dict[str, Any], expected: dict[str, Any]) -> dict[str, object]:
    """What is not as it should be; of rows only those."""
    other = {what: (found[what], wanted) for what, wanted in expected.items() if found[what] != wanted}
    return {
        what: ([row for row in is_ if row not in wanted], [row for row in wanted if row not in is_])
        if isinstance(wanted, list)
        else (is_, wanted)
        for what, (is_, wanted) in other.items()
    }
