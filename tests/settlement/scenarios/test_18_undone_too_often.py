"""18: an undo that is larger than what remains, or of an unknown original. Suspense, counted."""

from __future__ import annotations

from services.settlement.domain.terms import Timing
from tests.settlement.paper import Wrote, day, terms
from tests.settlement.store.office import Office

SUSPENSE = "SELECT seq, reason FROM settlement.suspense ORDER BY seq"


def test_an_undo_beyond_what_remains_waits_and_is_counted(office: Office) -> None:
    office.publish("acorn", terms(since=day(-1)))
    award = office.paper.award(100)
    office.take_in()  # what is left is remembered across pages
    office.paper.reverse(award, 70)
    office.paper.reverse(award, 31)
    office.paper.reverse(award, 30)
    office.paper.reverse(Wrote(0, 99), 1)
    assert office.take_in() == 4
    assert office.rows(SUSPENSE) == [(3, "UNDONE_TOO_OFTEN"), (5, "UNKNOWN_ORIGINAL")]
    assert office.counts(1) == (5, 0)
    assert office.rows("SELECT sum(points)::int FROM settlement.all_rollups") == [(0,)], "all of it, once"
    waits = office.close(1, office.paper.checkpoint(day(1)))
    assert waits is not None
    assert waits.waits_for == "SUSPENSE"
    office.check()


def test_what_was_spent_cannot_come_back_twice_to_any_of_its_issuers(office: Office) -> None:
    hybrid = terms("0.004", "0.009", since=day(-1), timing=Timing.HYBRID, rate_at_redemption="0.008")
    for partner in ("acorn", "birch"):
        office.publish(partner, hybrid)
    spent = office.paper.redeem(300, "birch", issuer="acorn")
    office.paper.refund(spent, 200, "birch", issuer="acorn")
    office.paper.refund(spent, 101, "birch", issuer="acorn")
    office.take_in()
    assert office.rows(SUSPENSE) == [(3, "UNDONE_TOO_OFTEN")]
    sums = "SELECT leg, partner, points::int FROM settlement.all_rollups ORDER BY 1"
    assert office.rows(sums) == [("REDEMPTION", "acorn", 100), ("REIMBURSEMENT", "birch", 100)]
    office.check()
