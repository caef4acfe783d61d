"""22: a debtor does not pay."""

from __future__ import annotations

from typing import Any

import pytest

from services.settlement.domain.batch.refusals import NothingUnpaid
from services.settlement.domain.default import Share, waterfall
from services.settlement.domain.terms import Cover
from services.settlement.store.batches import defaulting, rows
from services.settlement.store.batches.rows import Batch
from tests.settlement.clerk import ANNA, BEN, Clerk, terms

ORDER = (Cover.COLLATERAL, Cover.GUARANTEE, Cover.OPERATOR, Cover.SURVIVORS)


def declared(clerk: Clerk, batch: Batch, partner: str, covers: dict[str, dict[Cover, int]]) -> str:
    return clerk.do(
        lambda connection: defaulting.propose(
            connection, rows.locked(connection, batch.name), partner, covers, "grace is over", ANNA, clerk.clock.now()
        )
    ).name


def test_pay_files_wait_for_the_debtor_and_the_loss_is_shared_exactly(clerk: Clerk) -> None:
    """A owes 100.00; its collateral covers 30.00, a guarantee 5.00, the operator 15.01: survivors share 49.99."""
    clerk.ready("a", "b", "c", "d")
    clerk.agrees("a", terms(collateral_minor=3_000, default_order=ORDER))
    number = clerk.window([("a", "b", 6_000), ("a", "c", 4_000), ("b", "d", 3_000), ("c", "d", 1_000)])
    batch = clerk.release_batch(clerk.ready_batch(number))
    clerk.pay(batch, without=["a"])
    assert clerk.states(1)["B1-b-1"] == "FROZEN"  # FUNDING_SHORT: nothing has come
    with pytest.raises(NothingUnpaid):
        declared(clerk, batch, "b", {})
    clerk.approve(declared(clerk, batch, "a", {"EUR": {Cover.GUARANTEE: 500, Cover.OPERATOR: 1_501}}), BEN)
    assert {name: state for name, state in clerk.states(1).items() if "-a-" not in name} == {
        "B1-b-1": "CANCELLED",
        "B1-c-1": "CANCELLED",
        "B1-d-1": "CANCELLED",
    }
    assert clerk.rows("SELECT state FROM settlement.payment_files") == [("WITHDRAWN",)]
    successor = clerk.calculate(clerk.batch("batches/2"))
    document: Any = clerk.document(successor)
    shares = {debtor: minor for debtor, creditor, _, _, minor in document["dues"] if creditor == "@default"}
    # B is billed 30.00, C 10.00: of 49.99 they bear 37.4925 and 12.4975, no more than the 30.00 each waits for.
    assert shares == {"@collateral": 3_000, "@guarantee": 500, "operator": 1_501, "b": 3_000, "c": 1_999}
    assert sum(shares.values()) == 10_000
    paid = {one.partner: one.amount_minor for one in clerk.instructions(2).values()}
    assert paid == {"c": 1_001, "d": 4_000}
    assert [one.name for one in clerk.blocked(successor)] == ["FUNDING_SHORT"]
    clerk.prefund(5_001)  # collateral, guarantee and the operator's own are moved in
    assert clerk.blocked(successor) == []
    successor = clerk.pay(clerk.release_batch(clerk.approved_batch(clerk.submit(successor))))
    assert set(clerk.states(2).values()) == {"FINAL"}
    assert successor.state == "SETTLED"


def test_who_was_paid_is_not_asked_for_it_back(clerk: Clerk) -> None:
    clerk.ready("a", "b")
    clerk.prefund(10_000)
    batch = clerk.release_batch(clerk.ready_batch(clerk.window([("a", "b", 6_000)])))
    clerk.pay(batch, without=["a"])
    assert clerk.states(1)["B1-b-1"] == "FINAL"
    clerk.approve(declared(clerk, batch, "a", {}), BEN)
    assert clerk.states(1)["B1-b-1"] == "FINAL"
    successor = clerk.calculate(clerk.batch("batches/2"))
    assert clerk.instructions(2) == {}
    document: Any = clerk.document(successor)
    assert [(debtor, minor) for debtor, _, _, _, minor in document["dues"]] == [("operator", 6_000)]


C, G, F, S = ORDER


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (ORDER, [(C, "@collateral", 40), (G, "@guarantee", 30), (F, "operator", 20), (S, "b", 7), (S, "c", 3)]),
        ((S, C), [(S, "b", 50), (S, "c", 30), (C, "@collateral", 20)]),
        ((G,), [(G, "@guarantee", 30), (F, "operator", 70)]),
    ],
)
def test_the_order_is_the_contracts_and_what_nobody_bears_is_the_operators(
    order: tuple[Cover, ...], expected: list[tuple[Cover, str, int]]
) -> None:
    covers = {Cover.COLLATERAL: 40, Cover.GUARANTEE: 30, Cover.OPERATOR: 20}
    found = waterfall(100, order, covers, {"b": 200, "c": 100}, {"b": 50, "c": 30})
    assert found == [Share(*one) for one in expected]
