"""When windows close: at a calendar's cut-offs, earlier only by two people."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from services.settlement.domain.calendar import Calendar, CalendarEnds, days_between
from services.settlement.domain.proposal import Kind, OwnProposal
from services.settlement.domain.window import WindowState
from services.settlement.store import proposals, reference, schedule, windows
from services.settlement.store.schedule import WindowNotDue
from shared.instants import instant, micros
from tests.settlement.paper import day
from tests.settlement.store.office import ANNA, BEN, PATIENCE, Office

HOUSE = "calendars/house"
OPENED = instant(day(0))  # Sunday, the first of March
MONDAY = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)  # 18:00 in Berlin


@pytest.fixture
def scheduled(office: Office) -> Office:
    """Business days at six in the evening, local time; Tuesday the third is a holiday."""
    days = days_between(
        date(2026, 3, 1),
        date(2026, 3, 8),
        {date(2026, 3, 3): "a holiday"},
        frozenset({5, 6}),
        "Europe/Berlin",
        time(18),
    )
    calendar = Calendar(HOUSE, 1, "Europe/Berlin", "by hand", days)
    with office.sessions.writing(PATIENCE) as connection:
        made = proposals.propose(connection, Kind.CALENDAR, HOUSE, calendar.content(), ANNA, OPENED)
        proposals.approve(connection, made.name, made.sha256, BEN, OPENED, {Kind.CALENDAR: reference.publish_calendar})
    return office


def closes(office: Office, at: datetime) -> bool:
    with office.sessions.writing(PATIENCE) as connection:
        return schedule.close_due(connection, HOUSE, at)


def test_a_window_is_closed_at_the_first_cut_off_of_a_business_day(scheduled: Office) -> None:
    assert not closes(scheduled, MONDAY - timedelta(seconds=1))
    assert closes(scheduled, MONDAY)
    assert not closes(scheduled, MONDAY), "it was asked for already"
    scheduled.closing.fix_edge(1, scheduled.paper.checkpoint(micros(MONDAY)))
    assert scheduled.closing.finish(MONDAY) is None
    moves = scheduled.rows("SELECT act, by FROM settlement.transitions WHERE name = 'windows/1' AND state = 'CLOSING'")
    assert moves == [("calendar", "service/settlement")]
    wednesday = MONDAY + timedelta(days=2)
    assert not closes(scheduled, wednesday - timedelta(seconds=1))
    assert closes(scheduled, wednesday)


def test_before_the_cut_off_one_person_is_not_enough(scheduled: Office) -> None:
    with scheduled.sessions.reading(PATIENCE) as connection:
        window = windows.found(connection, "windows/open")
        with pytest.raises(WindowNotDue, match=r"2026-03-02T17:00"):
            schedule.check_due(connection, HOUSE, window, OPENED)
        schedule.check_due(connection, HOUSE, window, MONDAY)
        schedule.check_due(connection, "", window, OPENED)
    with scheduled.sessions.writing(PATIENCE) as connection:
        name = schedule.propose_early(connection, 1, "the year ends", ANNA, OPENED)
        digest = proposals.found(connection, name).sha256
        effects = {Kind.EARLY_CLOSE: schedule.close_early}
        with pytest.raises(OwnProposal):
            proposals.approve(connection, name, digest, ANNA, OPENED, effects)
        proposals.approve(connection, name, digest, BEN, OPENED, effects)
    assert scheduled.window(1).asked_to_close
    assert scheduled.window(1).asked_by == ANNA
    scheduled.closing.fix_edge(1, scheduled.paper.checkpoint(day(0.5)))
    assert scheduled.closing.finish(instant(day(1))) is None
    assert scheduled.window(1).state is WindowState.CLOSED


def test_a_calendar_that_ends_says_so(scheduled: Office) -> None:
    scheduled.closed(day(20))
    with scheduled.sessions.reading(PATIENCE) as connection, pytest.raises(CalendarEnds):
        schedule.due_at(connection, HOUSE, windows.found(connection, "windows/open"))
