"""Evidence: what is known of a payment follows from the set of what was said about it, in whatever order it came.

The highest rank wins; inside a rank the bank's later word; a decision of two persons stands with the bank's answers to
single payments, above them. So a message that comes twice, late or out of order changes nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from enum import Enum, IntEnum
from typing import NamedTuple

from services.settlement.domain.machines import INSTRUCTION

_ACT = "evidence"


class Rank(IntEnum):
    """How much a kind of evidence weighs."""

    TRANSPORT = 1
    FILE_ANSWER = 2
    PAYMENT_ANSWER = 3
    ANNOUNCED = 4
    STATED = 5
    RETURNED = 6


class Verdict(Enum):
    """What a piece of evidence says; the value is the state of an instruction that nothing else is known of."""

    SENT = "SENT"
    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    BOOKED = "BOOKED"
    RETURNED = "RETURNED"


class Evidence(NamedTuple):
    """`said_at`: the bank's own time, microseconds. `source`: the hash of the paper, or the name of the decision.

    `about` is the MsgId of the file that is spoken of, empty where the payment itself is.
    """

    rank: Rank
    verdict: Verdict
    said_at: int
    source: str
    code: str = ""
    decided: bool = False
    about: str = ""

    def concerns(self, message_id: str) -> bool:
        """Whether it counts for a payment that is in this file now: what the bank said of a file that it refused
        says nothing of the one that took its place.
        """
        return self.about in {"", message_id}


def weight(evidence: Evidence) -> tuple[int, bool, int, str, str, str]:
    """One order for everybody: two pieces of evidence are never equal unless they are the same."""
    return (evidence.rank, evidence.decided, evidence.said_at, evidence.verdict.value, evidence.source, evidence.about)


def standing(known: Iterable[Evidence]) -> Evidence | None:
    """The evidence that counts, None before there is any."""
    return max(known, key=weight, default=None)


def is_stated(known: Iterable[Evidence]) -> bool:
    """Whether a booking was seen on a statement, not only announced: nothing is FINAL before."""
    return any(one.rank is Rank.STATED and one.verdict is Verdict.BOOKED for one in known)


def contradicts(known: Iterable[Evidence]) -> bool:
    """Whether the bank both refused a payment and booked it: a person must know, whatever the state is (F30)."""
    verdicts = {one.verdict for one in known if not one.decided}
    return Verdict.REJECTED in verdicts and Verdict.BOOKED in verdicts


def steps(state: str, verdict: Verdict) -> tuple[str, ...] | None:
    """The states that evidence leads through from here to what it says; None when it no longer can.

    A payment that was superseded, carried, cancelled or final stays what it is: evidence for it is a break.
    """
    ways: deque[tuple[str, ...]] = deque([(state,)])
    seen = {state}
    while ways:
        way = ways.popleft()
        if way[-1] == verdict.value:
            return way[1:]
        for step in sorted(INSTRUCTION.transitions):
            if step.act == _ACT and step.frm == way[-1] and step.to not in seen:
                seen.add(step.to)
                ways.append((*way, step.to))
    return None
