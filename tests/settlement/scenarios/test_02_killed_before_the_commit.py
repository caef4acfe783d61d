"""2: killed between calculation and commit. The rerun gives the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection

from services.settlement.domain.window import WindowState
from shared.db.sessions import Sessions
from shared.instants import instant
from tests.settlement.paper import day, terms
from tests.settlement.store.office import Office

BOOKS = (
    "SELECT document FROM settlement.seals",
    "SELECT partner, leg, booked_minor FROM settlement.lines ORDER BY 1, 2",
    "SELECT partner, document FROM settlement.statements ORDER BY 1",
)


class Killed(Exception):
    """The process is gone."""


class Mortal(Sessions):
    """It dies when everything is calculated and nothing is committed."""

    @contextmanager
    def writing(self, within: float) -> Iterator[Connection]:
        with super().writing(within) as connection:
            yield connection
            raise Killed


def test_what_was_calculated_is_calculated_again_to_the_byte(office: Office) -> None:
    office.publish("acorn", terms(since=day(-1)))
    office.paper.redeem(7, at=day(0))
    office.paper.award(1003)
    office.ask(1)
    office.closing.fix_edge(1, office.paper.checkpoint(day(1)))
    office.take_in()
    for step in ("finish", "sign_next"):
        office.begin_again(Mortal(office.engine))
        act = office.closing.finish if step == "finish" else office.signing.sign_next
        with pytest.raises(Killed):
            act(instant(day(2)))
        office.begin_again()
        state = WindowState.CLOSING if step == "finish" else WindowState.CLOSED
        assert office.window(1).state is state, "not a trace"
        again = office.closing.finish if step == "finish" else office.signing.sign_next
        again(instant(day(9)))
    found = [office.rows(question) for question in BOOKS]
    assert [len(rows) for rows in found] == [1, 2, 1]
    office.check()  # the verifier makes them once more, from the journal
