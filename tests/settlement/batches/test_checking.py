"""Verifying finds whatever was changed of a batch behind everybody's back, and names it."""

from __future__ import annotations

from services.settlement.domain.terms import Cover
from services.settlement.store.batches import defaulting, rows
from services.settlement.store.batches.checking import check_batches
from shared.verifying import Differs
from tests.settlement.clerk import ANNA, Clerk, terms

DAMAGE = {
    "a net of a closed window": ("lines", "booked_minor = booked_minor + 1", "booked_minor = booked_minor - 1"),
    "the amount of a payment": ("instructions", "amount_minor = amount_minor + 1", "amount_minor = amount_minor - 1"),
    "what was taken in": ("openings", "minor = minor + 1", "minor = minor - 1"),
    "a content": ("batch_contents", "content = content || ' '", "content = substr(content, 1, length(content) - 1)"),
    "a number of a calculation": ("batches", "take = take + 1", "take = take - 1"),
    "who did it": ("transitions", "by = by || '!'", "by = rtrim(by, '!')"),
}
"""Table, what somebody does to its rows, how it is undone."""


def found(clerk: Clerk) -> str:
    """The first difference, or nothing."""
    with clerk.sessions.snapshot(20) as connection:
        try:
            check_batches(connection)
        except Differs as differs:
            return differs.difference.name
    return ""


def test_every_damage_is_found_and_named(clerk: Clerk) -> None:
    clerk.ready("a", "b", "c")
    clerk.agrees("b", terms(minimum_payment_minor=500))
    clerk.settle(clerk.window([("a", "b", 317), ("a", "c", 900)]))
    clerk.settle(clerk.window([("a", "b", 250)]))
    cancelled = clerk.cancel(clerk.calculate(clerk.create(clerk.window([("a", "c", 250)]))))
    assert (cancelled.state, found(clerk)) == ("CANCELLED", "")
    for damage, (table, done, undone) in DAMAGE.items():
        clerk.rows(f"UPDATE settlement.{table} SET {done} RETURNING 1")
        assert found(clerk), damage
        clerk.rows(f"UPDATE settlement.{table} SET {undone} RETURNING 1")
        assert found(clerk) == "", damage


def test_a_batch_that_a_default_stopped_still_follows_from_its_rows(clerk: Clerk) -> None:
    clerk.ready("a", "b")
    batch = clerk.release_batch(clerk.ready_batch(clerk.window([("a", "b", 6_000)])))
    proposed = clerk.do(
        lambda connection: defaulting.propose(
            connection, rows.locked(connection, batch.name), "a", {"EUR": {Cover.OPERATOR: 1}}, "late", ANNA,
            clerk.clock.now(),
        )
    )  # fmt: skip
    clerk.approve(proposed.name)
    clerk.calculate(clerk.batch("batches/2"))
    assert found(clerk) == ""
