"""The checker of histories finds what was planted, and nothing in an honest history."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace

import pytest
from coalition.ledger.v1 import ledger_pb2 as pb

from tests.faults.history import Answered, gaps, violations

History = list[Answered]


def _honest() -> History:
    """Two wallets in one bucket, calls that overlap."""
    moves = [("anna", 10), ("bert", 20), ("anna", -4), ("anna", 5), ("bert", -20), ("anna", -11)]
    balances = {"anna": 0, "bert": 0}
    history = []
    for number, (wallet, points) in enumerate(moves):
        balances[wallet] += points
        entry = pb.Entry(
            name=f"partners/grocer/entries/3-{number + 1}",
            kind=pb.ENTRY_KIND_AWARD if points > 0 else pb.ENTRY_KIND_REDEMPTION,
            points=abs(points),
            bucket=3,
            seq=number + 1,
            balance=pb.Balance(available=balances[wallet]),
            request_id=str(number),
        )
        history.append(Answered(wallet, called=float(number), answered=number + 1.5, entry=entry))
    return history


def _changed(history: History, index: int, **fields: object) -> History:
    entry = deepcopy(history[index].entry)
    entry.MergeFrom(pb.Entry(**fields))  # type: ignore[arg-type]  # fields of an entry
    return [*history[:index], replace(history[index], entry=entry), *history[index + 1 :]]


def _double_apply(history: History) -> History:
    again = replace(history[0], called=6.0, answered=7.0)
    return _changed([*history, again], -1, name="partners/grocer/entries/3-7", seq=7)


def _moved(history: History, index: int, by: float) -> History:
    answer = history[index]
    moved = replace(answer, called=answer.called + by, answered=answer.answered + by)
    return [*history[:index], moved, *history[index + 1 :]]


PLANTED: dict[str, tuple[Callable[[History], History], str]] = {
    "an update that was lost": (lambda h: _changed(h, 3, balance=pb.Balance(available=15)), "lost update"),
    "an answer from a stale state": (lambda h: _changed(h, 5, balance=pb.Balance(available=6)), "lost update"),
    "a request that was applied twice": (_double_apply, "double apply"),
    "an answer that stands before an older one": (lambda h: _moved(h, 0, by=10.0), "reorder"),
    "an answer that stands behind a younger one": (lambda h: _moved(h, 5, by=-10.0), "reorder"),
    "an entry that nobody remembers": (lambda h: h[:2] + h[3:], "lost update"),
}


def test_an_honest_history_is_believed_in_any_order() -> None:
    assert violations(_honest()) == []
    assert violations(_honest()[::-1]) == []


def test_a_repeat_is_no_violation() -> None:
    history = _honest()
    assert violations([*history, replace(history[0], called=8.0, answered=9.0)]) != []
    assert violations([*history, history[0]]) == []


@pytest.mark.parametrize("fault", PLANTED)
def test_what_was_planted_is_found(fault: str) -> None:
    plant, kind = PLANTED[fault]
    assert any(violation.startswith(kind) for violation in violations(plant(_honest())))


def test_holes_and_doubles_in_a_bucket_are_found() -> None:
    def journal(*seqs: int) -> list[pb.JournalEntry]:
        return [pb.JournalEntry(bucket=3, seq=seq) for seq in seqs]

    assert gaps(journal(3, 1, 2)) == []
    assert gaps(journal(1, 3)) == ["gap: 3-3 follows 3-1"]
    assert gaps(journal(1, 1, 2)) == ["gap: 3-1 follows 3-1"]
    assert gaps(journal(2)) == ["gap: 3-2 follows 3-0"]
