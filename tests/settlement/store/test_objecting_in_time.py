"""How long a partner may object to a line: as many days as its contract gives, to the microsecond."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from services.settlement.domain.dispute import DisputeReason, DisputeTooLate
from services.settlement.store import disputes, statements
from services.settlement.store.disputes import Dispute, Objection
from tests.settlement.paper import day, terms
from tests.settlement.store.office import PATIENCE, Office

A_WEEK = timedelta(days=7)
MICROSECOND = timedelta(microseconds=1)
OBJECTION = Objection("acorn", 1, 1, 5, DisputeReason.INCORRECT_AWARD, "These are too few.")


def signed(office: Office, dispute_days: int) -> datetime:
    """A window in which acorn awarded something; when its statement was signed."""
    office.publish("acorn", terms(since=day(-1), dispute_days=dispute_days))
    office.paper.award(100)
    office.closed(day(1))
    with office.sessions.reading(PATIENCE) as connection:
        return statements.found(connection, "acorn", 1).created_at


def object_(office: Office, at: datetime) -> Dispute:
    with office.sessions.writing(PATIENCE) as connection:
        return disputes.open_(connection, OBJECTION, A_WEEK, "partner/acorn", at)


def test_an_objection_comes_on_the_last_day_or_is_too_late(office: Office) -> None:
    end = signed(office, 30) + timedelta(days=30)
    with pytest.raises(DisputeTooLate) as late:
        object_(office, end + MICROSECOND)
    assert late.value.facts["until"] == end.date()
    assert object_(office, end).state == "OPEN"


def test_a_contract_may_give_more_days_than_a_calendar_has(office: Office) -> None:
    begin = signed(office, 2**31 - 1)
    assert object_(office, begin + timedelta(days=3650)).state == "OPEN"
