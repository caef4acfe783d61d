"""A dispute that nobody answers in time goes to somebody else, by itself, once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from services.settlement.domain.dispute import DisputeReason
from services.settlement.store import disputes
from services.settlement.store.disputes import Dispute, Objection
from services.settlement.store.stepper import Stepper
from shared.instants import instant
from tests.settlement.cashier import Wall
from tests.settlement.paper import day, terms
from tests.settlement.store.office import ANNA, PATIENCE, Office
from tests.support.databases import Databases

WITHIN = timedelta(hours=24)
OPENED = instant(day(3))


@pytest.fixture
def office(databases: Databases) -> Iterator[Office]:
    """With a statement of a closed window."""
    one = Office(databases)
    one.publish("acorn", terms(since=day(-1)))
    one.paper.award(1_000)
    one.closed(day(2))
    yield one
    one.leave()


def opened(office: Office) -> Dispute:
    objection = Objection("acorn", 1, 1, -500, DisputeReason.INCORRECT_AWARD, "half of it")
    with office.sessions.writing(PATIENCE) as connection:
        return disputes.open_(connection, objection, WITHIN, "partners/acorn", OPENED)


def looked_at(office: Office, at: datetime) -> Dispute:
    """As it is when the stepper has done what was due then."""
    stepper = Stepper(office.sessions, {disputes.OVERDUE: disputes.overdue}, Wall(at))
    while stepper.one():
        pass
    with office.sessions.reading(PATIENCE) as connection:
        return disputes.found(connection, "disputes/1")


def test_without_an_answer_it_is_escalated_when_the_answer_is_due_and_not_before(office: Office) -> None:
    due_at = opened(office).answer_due_at
    assert looked_at(office, due_at - timedelta(seconds=1)).state == "OPEN"
    assert looked_at(office, due_at).state == "ESCALATED"
    assert looked_at(office, due_at + timedelta(days=9)).etag == looked_at(office, due_at).etag
    assert office.rows("SELECT act, by FROM settlement.transitions WHERE name = 'disputes/1' ORDER BY step") == [
        ("OpenDispute", "partners/acorn"),
        ("overdue", disputes.SELF),
    ]


def test_one_that_was_answered_in_time_stays_as_it_is(office: Office) -> None:
    due_at = opened(office).answer_due_at
    with office.sessions.writing(PATIENCE) as connection:
        disputes.reject(connection, "disputes/1", "it is right as it is", None, ANNA, OPENED)
    assert looked_at(office, due_at).state == "CLOSED"


def test_what_was_escalated_can_still_be_accepted_and_becomes_a_proposal(office: Office) -> None:
    due_at = opened(office).answer_due_at
    looked_at(office, due_at)
    with office.sessions.writing(PATIENCE) as connection:
        accepted = disputes.accept(connection, "disputes/1", -200, "part of it", None, ANNA, due_at)
    assert (accepted.state, accepted.upheld) == ("ACCEPTED", -200)
    assert office.rows("SELECT state, quantity::int FROM settlement.adjustments") == [("PROPOSED", -200)]
