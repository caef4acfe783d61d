"""When windows close: at the cut-offs of a calendar, or, where none is set, whenever somebody asks.

A cut-off says when a window should be closed and nothing about what is in it: that is the checkpoint's. Before the
cut-off only two people can have it closed.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from services.settlement.domain.proposal import Kind, Proposal
from services.settlement.domain.window import Window
from services.settlement.store import proposals, reference, windows
from shared.ids import derived
from shared.instants import instant
from shared.refusal import Kind as RefusalKind
from shared.refusal import Refusal


class WindowNotDue(Refusal):
    """The calendar has not come so far."""

    kind = RefusalKind.NOT_NOW
    message = "{window} is to be closed at {due}, by {calendar}."
    remedy = "Wait for it, or say in early_because why not: then another person approves."


def due_at(connection: Connection, calendar: str, window: Window) -> datetime | None:
    """When the calendar wants an open window closed; None without a calendar. Raises CalendarEnds."""
    return reference.calendar(connection, calendar).next_cut_off(instant(window.opened_at)) if calendar else None


def check_due(connection: Connection, calendar: str, window: Window, at: datetime) -> None:
    """Raises WindowNotDue, CalendarEnds."""
    due = due_at(connection, calendar, window)
    if due is not None and at < due and not window.asked_to_close and not window.state.is_final:
        raise WindowNotDue(window=window.name, due=due.isoformat(), calendar=calendar)


def close_due(connection: Connection, calendar: str, at: datetime) -> bool:
    """Ask for the open window to be closed when its cut-off is over; answers whether that is news.

    Raises CalendarEnds.
    """
    window = windows.found(connection, "windows/open")
    due = due_at(connection, calendar, window)
    if due is None or at < due or window.asked_to_close or windows.is_closing(connection):
        return False
    return not windows.ask_to_close(connection, window.number, derived("cut-off", window.name))


def propose_early(connection: Connection, number: int, why: str, by: str, at: datetime) -> str:
    """Propose to close a window before its cut-off; answers with the proposal's name."""
    name = windows.found(connection, f"windows/{number}").name
    return proposals.propose(connection, Kind.EARLY_CLOSE, name, {"why": why, "window": number}, by, at).name


def close_early(connection: Connection, proposal: Proposal, by: str, at: datetime) -> None:
    """The effect of approving it: from here on the window is being closed. Raises as `windows.ask_to_close`."""
    number = int(proposal.subject.removeprefix("windows/"))
    windows.ask_to_close(connection, number, derived("early close", proposal.name), proposal.proposed_by)
