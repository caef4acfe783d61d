"""A batch that waits for funding goes when two people have put money of the operator's there."""

from __future__ import annotations

from uuid import uuid4

from sqlalchemy import Connection

from services.settlement.domain.double_entry import balances
from services.settlement.domain.prefunding import Standing
from services.settlement.domain.proposal import Proposal
from services.settlement.store import double_entry, prefundings
from tests.settlement.cashier import ANNA
from tests.settlement.clerk import Clerk


def prefunded(clerk: Clerk, minor: int) -> Proposal:
    """Proposed by Anna, approved by Ben."""

    def propose(connection: Connection) -> Proposal:
        return prefundings.propose(connection, "EUR", minor, "TRF", ANNA, clerk.clock.now(), uuid4())

    proposal = clerk.do(propose)
    clerk.approve(proposal.name)
    return proposal


def test_what_waits_for_funding_is_told_and_goes_at_once_when_it_is_prefunded(clerk: Clerk) -> None:
    clerk.ready("a", "b")
    clerk.release_batch(clerk.ready_batch(clerk.window([("a", "b", 700)])))
    clerk.step()
    assert clerk.states(1)["B1-b-1"] == "FROZEN"
    assert clerk.do(prefundings.standing) == [Standing("EUR", 0, 700)]
    assert clerk.do(prefundings.standing)[0].missing_minor == 700
    prefunded(clerk, 700)
    clerk.step()
    assert clerk.states(1)["B1-b-1"] == "SENT"
    assert clerk.do(prefundings.standing) == [Standing("EUR", 0, 0)]


def test_in_the_books_the_operators_own_money_leaves_suspense(clerk: Clerk) -> None:
    proposal = prefunded(clerk, 1_234)
    found = clerk.do(lambda connection: list(double_entry.entries(connection, 1, 9)))
    assert [one.subject for one in found] == [proposal.subject]
    assert balances(found) == {("suspense", "EUR"): 1_234, ("operator", "EUR"): -1_234}
