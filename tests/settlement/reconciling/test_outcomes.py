"""Each check that concerns the bank's papers, played and compared with its row: outcome, reason, payment, others.

What happens beside it is in `test_finalisation_checks`; what the batch does, where there is one, in `batches`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest

from shared.refusal import Refusal
from tests.settlement.reconciling.counter import Counter
from tests.settlement.reconciling.papers import Said, announcement
from tests.settlement.reconciling.situations import MOVES, PLAYED, SUBJECT, A, B, C
from tests.support.vectors import checks

CHECKS = checks("settlement.json")
STORED = "SELECT count(*) FROM settlement.bank_messages UNION ALL SELECT count(*) FROM settlement.transitions"


class Seen(NamedTuple):
    """What a check says in its row, as it was seen. `others`: whether the other payment of the file goes on."""

    outcome: str
    reason: str | None
    before: str
    after: str
    others: bool


def seen(counter: Counter, name: str, act: Callable[[], object]) -> Seen:
    """What an act does to the payment of that name, and leaves of the other."""
    before, stored = _state(counter, name), counter.rows(STORED)
    try:
        act()
    except Refusal as refusal:
        return Seen("REFUSED", refusal.reason, before, _state(counter, name), _state(counter, B) != "SENT")
    found, after = counter.reasons(), _state(counter, name)
    outcome = "BREAK" if found else "IGNORED" if counter.rows(STORED) == stored else "STATE"
    return Seen(outcome, found[0] if found else None, before, after, _goes_on(counter))


def _goes_on(counter: Counter) -> bool:
    """Whether the bank's next word about another payment has its effect: about beta's, or where its file is to be
    replaced, about the pay-in.
    """
    beta, gamma = counter.pays[1], counter.pay_in
    frozen = _state(counter, B) == "FROZEN"
    other, word = (C, Said(gamma.amount_minor, reference=gamma.reference)) if frozen else (B, counter.paid(beta))
    if _state(counter, other) not in {"BOOKED", "FINAL"}:
        counter.take_in(announcement(counter.account, counter.clock.now().date(), [word]))
    return _state(counter, other) in {"BOOKED", "FINAL"}


def _state(counter: Counter, name: str) -> str:
    states: dict[str, str] = {}
    for batch in (1, 2):
        states |= counter.states(batch)
    return states.get(name, "")


def test_every_check_of_the_banks_papers_is_played() -> None:
    """The others belong to batches, caps, sending or the stepper and are tested there under their numbers."""
    elsewhere = {"F03", "F06", "F07", "F17", "F18", "F19", "F20", "F21", "F22", "F25", "F26", "F34"}
    assert set(CHECKS) == set(PLAYED) | elsewhere


@pytest.mark.parametrize("check", PLAYED)
def test_what_is_seen_is_what_the_row_says(counter: Counter, check: str) -> None:
    row, name = CHECKS[check], SUBJECT.get(check, A)
    found = seen(counter, name, PLAYED[check](counter))
    reason = row["reason"] if row["outcome"] in {"REFUSED", "BREAK"} else None
    assert (found.outcome, found.reason) == (row["outcome"], reason)
    expected = str(row["instruction"] or "unchanged").split(",")[0].split(";")[0]
    after = found.before if expected.startswith("unchanged") else expected
    assert found.after == MOVES.get(check, after)
    assert found.others is row["others_continue"]
