"""34: no partner, one partner, own points accepted. And what Mojaloop stumbled over: an empty window, at once."""

from __future__ import annotations

from typing import Any

from tests.settlement.clerk import Clerk


def test_a_window_without_partners_settles_without_a_payment(clerk: Clerk) -> None:
    """S1; there it never became SETTLED (Mojaloop #936)."""
    number = clerk.window()
    batch = clerk.release_batch(clerk.ready_batch(number))
    assert (batch.state, clerk.window_state(number)) == ("SETTLED", "SETTLED")
    assert clerk.rows("SELECT count(*) FROM settlement.payment_files") == [(0,)]


def test_one_partner_and_its_own_points_settle_with_the_line_shown(clerk: Clerk) -> None:
    """S5 with nobody else."""
    number = clerk.window([("a", "a", 400)])
    batch = clerk.release_batch(clerk.ready_batch(number))
    assert (batch.state, clerk.window_state(number)) == ("SETTLED", "SETTLED")
    document: Any = clerk.document(batch)
    assert document["dues"] == [["a", "a", "EUR", "REDEMPTION", 400]]
    assert document["nets"] == [["a", "EUR", 0, 0, 0, 0]]


def test_nets_of_zero_settle_without_a_file(clerk: Clerk) -> None:
    """S2."""
    number = clerk.window([("a", "b", 100), ("b", "c", 100), ("c", "a", 100)])
    batch = clerk.release_batch(clerk.ready_batch(number))
    assert (batch.state, clerk.window_state(number)) == ("SETTLED", "SETTLED")


def test_a_window_that_was_closed_this_instant_can_be_settled_a_thousand_times(clerk: Clerk) -> None:
    """There, a settlement right after the close fails as inapplicable (Mojaloop #2105). No sleep, no retry."""
    for number in range(1, 1_001):
        assert clerk.window([("a", "b", number)]) == number
        assert clerk.create(number).name == f"batches/{number}"
