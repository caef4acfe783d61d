"""Each of the checks F01 to F36 played and compared with its row: outcome, reason, payment, batch, others.

Where a write fails it fails for real, and when it no longer does everything is as if it never had.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from services.settlement.store import steps
from services.settlement.store.stepper import MOST_ATTEMPTS
from tests.settlement.reconciling.counter import Counter
from tests.settlement.reconciling.papers import FUNDS
from tests.settlement.reconciling.seen import BATCH, PAYMENT, seen
from tests.settlement.reconciling.situations import PLAYED, POOR
from tests.settlement.reconciling.troubles import TROUBLES
from tests.settlement.writes import failing
from tests.support.databases import Databases
from tests.support.vectors import checks

CHECKS = checks("settlement.json")
ALL = sorted([*PLAYED, *TROUBLES])
"""By number; some are played in two ways."""


@pytest.fixture
def counter(databases: Databases, tmp_path: Path, check: str) -> Iterator[Counter]:
    """A test's own."""
    one = Counter(databases, tmp_path, 0 if check in POOR else FUNDS)
    yield one
    one.leave()


def test_every_check_is_played() -> None:
    assert {name[:3] for name in ALL} == set(CHECKS)
    assert len(CHECKS) == 36


@pytest.mark.parametrize("check", ALL)
def test_what_is_seen_is_what_the_row_says(counter: Counter, check: str) -> None:
    row = CHECKS[check[:3]]
    trouble = TROUBLES[check](counter) if check in TROUBLES else None
    situation = trouble.situation if trouble else PLAYED[check](counter)
    with failing(counter, trouble.table, trouble.row) if trouble else nullcontext():
        found = seen(counter, situation)
        assert (found.outcome, found.reason) == (row["outcome"], _given(row["reason"], situation.code))
        assert PAYMENT[row["instruction"]](counter, situation, found), found
        assert BATCH[row["batch"]](counter, situation, found), found
        assert found.others is row["others_continue"]
        if trouble and trouble.step:
            _is_shown_in_the_end(counter, trouble.step)
    if trouble:
        trouble.done()


def test_where_nothing_is_wrong_the_batch_is_settled_at_the_end(databases: Databases, tmp_path: Path) -> None:
    """So that it is not for another reason that the rows say: not SETTLED."""
    counter = Counter(databases, tmp_path)
    counter.ends()
    assert (counter.batch("batches/1").state, counter.breaks()) == ("SETTLED", [])
    counter.leave()


def _given(reason: str | None, code: str) -> str | None:
    """What a row gives as the reason: a name of ours, or the bank's code, in some rows with an example."""
    if reason is None or not reason.startswith("the bank's code"):
        return reason
    assert reason in {"the bank's code", f"the bank's code, for example {code}"}
    return code


def _is_shown_in_the_end(counter: Counter, name: str) -> None:
    """After the limit the step is BLOCKED, says why, and waits for a person, who lets it be tried again."""
    for _ in range(MOST_ATTEMPTS):
        counter.again()
    (blocked,) = counter.do(lambda connection: steps.page(connection, ("", ""), 10, "BLOCKED"))
    assert (blocked.name, bool(blocked.blocked_because)) == (name, True)
    counter.do(lambda connection: steps.retry(connection, blocked.kind, blocked.subject))
