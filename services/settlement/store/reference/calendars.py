"""Calendars as rows: every day of a version."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Connection, text

from services.settlement.domain.calendar import Calendar, Day
from services.settlement.domain.proposal import Proposal
from services.settlement.store.reference.contents import content_of
from services.settlement.store.transitions import ResourceNotFound
from shared.db.columns import Bools, Days, Instants, Texts
from shared.db.sessions import cursor_of
from shared.instants import micros

_CALENDAR = text("""
SELECT * FROM settlement.calendars
WHERE calendar = :name AND (CAST(:version AS int) IS NULL OR version = :version) ORDER BY version DESC LIMIT 1
""")
_CALENDARS = text("""
SELECT DISTINCT ON (calendar) * FROM settlement.calendars WHERE calendar > :after ORDER BY calendar, version DESC
LIMIT :limit
""")
_DAYS = text("""
SELECT day, closed, cut_off_at FROM settlement.calendar_days WHERE calendar = :name AND version = :version ORDER BY day
""")
_ADD_CALENDAR = text("""
INSERT INTO settlement.calendars (calendar, version, from_day, until_day, zone, source, sha256, proposal, published_at)
SELECT :name, count(*) + 1, :from_day, :until_day, :zone, :source, :sha256, :proposal, :at
FROM settlement.calendars WHERE calendar = :name RETURNING version
""")
_ADD_DAYS = """
INSERT INTO settlement.calendar_days (calendar, version, day, business, closed, cut_off_at)
SELECT %s, %s, n.* FROM unnest(%b, %b, %b, %b) AS n
"""


def calendar(connection: Connection, name: str, version: int | None = None) -> Calendar:
    """`calendars/{id}`: the newest version, or the one that somebody noted. Raises ResourceNotFound."""
    row = connection.execute(_CALENDAR, {"name": name, "version": version}).one_or_none()
    if row is None:
        raise ResourceNotFound(name=f"{name}/versions/{version}" if version else name)
    days = connection.execute(_DAYS, {"name": name, "version": row.version})
    found = {day.day: Day(day.day, day.closed, micros(day.cut_off_at)) for day in days}
    return Calendar(name, row.version, row.zone, row.source, found)


def calendars(connection: Connection, after: str, limit: int) -> list[Calendar]:
    """The newest versions by name, without their days."""
    rows = connection.execute(_CALENDARS, {"after": after, "limit": limit})
    return [Calendar(row.calendar, row.version, row.zone, row.source, {}) for row in rows]


def publish_calendar(connection: Connection, proposal: Proposal, by: str, at: datetime) -> None:
    """The effect of an approved calendar."""
    content = content_of(proposal)
    rows = [(date.fromisoformat(day), closed, cut_off_at) for day, closed, cut_off_at in content["days"]]
    facts = {
        "name": proposal.subject,
        "from_day": rows[0][0],
        "until_day": date.fromordinal(rows[-1][0].toordinal() + 1),
        "zone": content["zone"],
        "source": content["source"],
        "sha256": proposal.sha256,
        "proposal": proposal.name,
        "at": at,
    }
    version = connection.execute(_ADD_CALENDAR, facts).scalar_one()
    cursor_of(connection).execute(
        _ADD_DAYS,
        [
            proposal.subject,
            version,
            Days([day for day, _, _ in rows]),
            Bools([not closed for _, closed, _ in rows]),
            Texts([closed for _, closed, _ in rows]),
            Instants([cut_off_at for _, _, cut_off_at in rows]),
        ],
    )
