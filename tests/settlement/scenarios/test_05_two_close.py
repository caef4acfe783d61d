"""5: two people close one window. Same request id: same answer; else one wins and the other is told."""

from __future__ import annotations

from uuid import uuid4

from services.settlement.domain.refusals import WindowClosedByAnother
from services.settlement.store import windows
from shared.refusal import Kind
from tests.settlement.paper import day
from tests.settlement.store.office import ANNA, BEN, PATIENCE, Office
from tests.support.together import at_once


def asked(office: Office, id_: object, by: str) -> str:
    try:
        with office.sessions.writing(PATIENCE) as connection:
            return "again" if windows.ask_to_close(connection, 1, id_, by) else "first"  # type: ignore[arg-type]
    except WindowClosedByAnother:
        return "refused"


def test_the_same_request_gets_the_same_closing(office: Office) -> None:
    id_ = uuid4()
    answers = at_once([lambda: asked(office, id_, ANNA), lambda: asked(office, id_, BEN)] * 3)
    assert sorted(answers) == ["again"] * 5 + ["first"]


def test_of_two_wishes_one_wins_and_the_other_is_aborted(office: Office) -> None:
    assert WindowClosedByAnother.kind is Kind.CHANGED
    answers = at_once([lambda: asked(office, uuid4(), ANNA), lambda: asked(office, uuid4(), BEN)])
    assert sorted(answers) == ["first", "refused"]
    office.closing.fix_edge(1, office.paper.checkpoint(day(1)))
    (by,) = office.rows("SELECT by FROM settlement.transitions WHERE name = 'windows/1' AND state = 'CLOSING'")
    assert by == office.rows("SELECT asked_by FROM settlement.windows WHERE number = 1")[0]
    assert by[0] in {ANNA, BEN}
