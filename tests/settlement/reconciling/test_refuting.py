"""An explanation that turned out to be wrong: the break is open again, and nobody writes it off for that reason."""

from __future__ import annotations

from uuid import uuid4

import pytest

from services.settlement.domain.proposal import Kind
from services.settlement.domain.refusals import TransitionRefused
from services.settlement.store import breaks, proposals
from tests.settlement.reconciling.counter import CAROL, Counter
from tests.settlement.reconciling.papers import Said


def found(counter: Counter) -> str:
    """A break: a credit that nobody expects."""
    counter.states_of(Said(777, reference=uuid4().hex[:10]))
    (one,) = counter.breaks()
    return one.name


def test_a_refuted_break_is_open_again_and_may_be_explained_anew(counter: Counter) -> None:
    name, at = found(counter), counter.clock.now()
    counter.do(lambda connection: breaks.explain(connection, name, "a gift", None, CAROL, at))
    counter.do(lambda connection: breaks.refute(connection, name, "it is none", None, CAROL, at))
    one = counter.do(lambda connection: breaks.found(connection, name))
    assert (one.state, one.explanation) == ("OPEN", "")
    counter.do(lambda connection: breaks.explain(connection, name, "interest", None, CAROL, at))
    told = counter.rows("SELECT act, why FROM settlement.transitions WHERE name = %s ORDER BY step", name)
    assert told[1:] == [("ExplainBreak", "a gift"), ("RefuteBreak", "it is none"), ("ExplainBreak", "interest")]


def test_what_nobody_explained_cannot_be_refuted(counter: Counter) -> None:
    name, at = found(counter), counter.clock.now()
    with pytest.raises(TransitionRefused):
        counter.do(lambda connection: breaks.refute(connection, name, "no", None, CAROL, at))


def test_a_write_off_for_a_refuted_reason_can_no_longer_be_approved(counter: Counter) -> None:
    name, at = found(counter), counter.clock.now()
    counter.do(lambda connection: breaks.explain(connection, name, "a fee", None, CAROL, at))
    proposal = counter.do(
        lambda connection: proposals.propose(connection, Kind.WRITE_OFF, name, {"reason": "small"}, CAROL, at)
    )
    counter.do(lambda connection: breaks.refute(connection, name, "it is none", None, CAROL, at))
    with pytest.raises(TransitionRefused):
        counter.approve(proposal.name)
