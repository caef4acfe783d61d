"""33: a holiday is declared after a date was set. The date stays; rescheduling is explicit."""

from __future__ import annotations

from datetime import date, time

from sqlalchemy import Connection

from services.settlement.domain.calendar import Calendar, days_between
from services.settlement.domain.model import SettlementModel
from services.settlement.domain.netting import Model
from services.settlement.domain.proposal import Kind
from services.settlement.formats.holiday_lists import listed
from services.settlement.store import proposals, reference
from shared.canonical import Canonical
from tests.settlement.clerk import ANNA, Clerk

FIRST, END = date(2026, 1, 1), date(2027, 1, 1)
ELECTION = date(2026, 3, 4)


def decided(clerk: Clerk, kind: Kind, subject: str, content: Canonical) -> None:
    def propose(connection: Connection) -> str:
        return proposals.propose(connection, kind, subject, content, ANNA, clerk.clock.now()).name

    clerk.approve(clerk.do(propose))


def publish(clerk: Clerk, **more: date) -> None:
    """The days of TARGET, and more holidays."""
    holidays = listed("ECB", FIRST, END) | {day: name for name, day in more.items()}
    days = days_between(FIRST, END, holidays, frozenset({5, 6}), "Europe/Berlin", time(16))
    one = Calendar("calendars/target", 0, "Europe/Berlin", "a test", days)
    decided(clerk, Kind.CALENDAR, one.name, one.content())


def test_a_holiday_that_is_declared_later_moves_no_date_that_was_set(clerk: Clerk) -> None:
    publish(clerk)
    model = SettlementModel("models/usual", 0, Model.MULTILATERAL, "calendars/target", payment_days=2)
    decided(clerk, Kind.MODEL, model.name, model.content())
    clerk.ready("a", "b")
    clerk.agrees("a")
    clerk.agrees("b")
    batch = clerk.submit(clerk.calculate(clerk.create(clerk.window([("a", "b", 250)]), model="models/usual")))
    assert batch.due_on == ELECTION  # Monday noon and two business days
    before = clerk.content(batch)

    publish(clerk, election=ELECTION)
    assert clerk.batch(batch.name).due_on == ELECTION
    assert clerk.approved_batch(batch).content_sha256 == batch.content_sha256
    assert clerk.content(batch) == before

    later = clerk.create(clerk.window([("a", "b", 100)]), model="models/usual")
    assert later.due_on == date(2026, 3, 5), "what is made from now on knows the holiday"
    revised = clerk.revise(clerk.batch(batch.name))
    assert revised.due_on == ELECTION, "a revision alone moves no date either"


def test_neither_does_a_newer_edition_of_the_library_or_of_time_zones(clerk: Clerk) -> None:
    """A published version is rows: whatever the library says now is not asked any more."""
    publish(clerk)

    def first(connection: Connection) -> Calendar:
        return reference.calendar(connection, "calendars/target", 1)

    rows = clerk.do(first)
    publish(clerk, election=ELECTION)
    assert clerk.do(first) == rows
    newest = clerk.do(lambda connection: reference.calendar(connection, "calendars/target"))
    assert (newest.version, newest.is_business(ELECTION), rows.is_business(ELECTION)) == (2, False, True)
    assert rows.cut_off(date(2026, 3, 27)).isoformat() == "2026-03-27T15:00:00+00:00"
    assert rows.cut_off(date(2026, 3, 30)).isoformat() == "2026-03-30T14:00:00+00:00", "summer time has begun"
