"""F17, of the adjustment itself: what cannot be posted for one partner is undone whole, and posted by the repeat."""

from __future__ import annotations

import pytest

from services.settlement.domain.proposal import Kind
from services.settlement.store import adjustments, disputes, proposals
from services.settlement.store.adjustments import Adjustment, Wanted
from shared.db.errors import DatabaseUnavailable
from shared.instants import instant
from tests.settlement.paper import day, terms
from tests.settlement.store.office import ANNA, BEN, PATIENCE, Office
from tests.settlement.writes import failing
from tests.support.vectors import checks

AT = instant(day(3))


def proposed(office: Office, partner: str) -> Adjustment:
    """Half of what its line says is given back."""
    wanted = Wanted(partner, 1, 1, -500, in_money=False, reason="half of it")
    with office.sessions.writing(PATIENCE) as connection:
        return adjustments.propose(connection, wanted, ANNA, AT)


def approve(office: Office, one: Adjustment) -> None:
    with office.sessions.writing(PATIENCE) as connection:
        digest = proposals.found(connection, one.proposal).sha256
        proposals.approve(connection, one.proposal, digest, BEN, AT, {Kind.ADJUSTMENT: disputes.adjusted})


def states(office: Office) -> list[tuple[object, ...]]:
    return office.rows(
        "SELECT a.partner, a.state, p.state FROM settlement.adjustments a"
        " JOIN settlement.proposals p ON p.name = a.proposal ORDER BY a.number"
    )


def test_what_cannot_be_posted_for_one_partner_is_undone_and_posted_once_by_the_repeat(office: Office) -> None:
    row = checks("settlement.json")["F17"]
    for partner in ("acorn", "birch"):
        office.publish(partner, terms(since=day(-1)))
        office.paper.award(1_000, partner)
    office.closed(day(2))
    one, other = (proposed(office, partner) for partner in ("acorn", "birch"))
    with failing(office, "own_entries", f"NEW.subject LIKE '%{one.name}'"):
        with pytest.raises(DatabaseUnavailable):
            approve(office, one)
        assert row["others_continue"]
        approve(office, other)
        assert states(office) == [("acorn", "PROPOSED", "PROPOSED"), ("birch", "POSTED", "APPROVED")]
    approve(office, one)
    assert states(office)[0] == ("acorn", "POSTED", "APPROVED")
    posted = office.rows("SELECT subject, window_number FROM settlement.own_entries ORDER BY seq")
    assert posted == [(other.name, 2), (one.name, 2)], "into the open window, once"
