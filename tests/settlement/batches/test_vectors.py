"""The worked examples of settlement.json as batches: from their lines to payments, states and what is carried."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from services.settlement.domain.instruction import Method
from services.settlement.domain.netting import Model
from tests.settlement.clerk import Clerk, terms
from tests.support.vectors import Example, example


def vector(id_: str) -> Example:
    return example(id_, "settlement.json")


def windows_of(then: dict[str, Any]) -> list[dict[str, Any]]:
    """Each with its lines and, where all windows share them, its payments."""
    return [{"payments": then.get("payments"), **one} for one in then.get("windows", {"W1": then}).values()]


def paid(clerk: Clerk, batch: int) -> list[dict[str, object]]:
    """As the vectors write payments."""
    found: list[dict[str, object]] = [
        {
            "do": "PAY" if one.method is Method.CREDIT_TRANSFER else "COLLECT",
            "partner": one.partner.upper(),
            "amount_minor": one.amount_minor,
        }
        for one in clerk.instructions(batch).values()
    ]
    return sorted(found, key=lambda one: (str(one["do"]), str(one["partner"])))


def owed(lines: list[dict[str, Any]]) -> list[tuple[str, str, int]]:
    """What each pays each: two lines of a pair differ by their rates alone, which a batch does not see."""
    sums: Counter[tuple[str, str]] = Counter()
    for one in lines:
        sums[one["debtor"].lower(), one["creditor"].lower()] += one["booked_minor"]
    return [(*pair, minor) for pair, minor in sums.items()]


@pytest.mark.parametrize("id_", ["G2", "S1", "S2", "S3", "S4", "S5"])
def test_every_window_is_paid_as_the_example_says(clerk: Clerk, id_: str) -> None:
    given, then = vector(id_)["given"], vector(id_)["then"]
    names = [name.lower() for name in given["partners"]]
    clerk.ready(*names)
    for name, minor in given.get("minimum_payment_minor", {}).items():
        clerk.agrees(name.lower(), terms(minimum_payment_minor=minor))
    for window in windows_of(then):
        number = clerk.window(owed(window["lines"]))
        opening = {name: minor for name, minor in window.get("opening_minor", {}).items() if minor}
        assert {name.upper(): minor for (name, _), minor in clerk.open().items()} == opening
        batch = clerk.settle(number)
        assert paid(clerk, batch.number) == (window["payments"] or [])
        assert batch.state == then.get("batch_state", window.get("batch_state", "SETTLED"))
        carried = {name.upper(): minor for (name, _), minor in clerk.open().items()}
        assert carried == window.get("carried_minor", {})
        assert sum(carried.values()) == window.get("clearing_balance_minor", 0)
        moves = clerk.rows(
            "SELECT state FROM settlement.transitions WHERE name = %s ORDER BY step", f"windows/{number}"
        )
        assert [state for (state,) in moves] == then.get("window_states", ["OPEN", "CLOSING", "CLOSED", "SETTLED"])
    if "payment_files" in then:
        assert clerk.rows("SELECT count(*) FROM settlement.payment_files") == [(then["payment_files"],)]


def test_g1_is_paid_by_its_nets_and_a_debt_that_is_set_off_has_no_payment(clerk: Clerk) -> None:
    then = vector("G1")["then"]
    clerk.ready("a", "b", "c")
    batch = clerk.settle(clerk.window(owed(then["lines"])))
    payments = then["models"][Model.MULTILATERAL.value]["payments"]
    assert paid(clerk, batch.number) == payments
    (way,) = then["explain"]
    assert way["creditor_payment"] in payments
    assert way["debtor_payment"] is None
    debtor = way["line"]["debtor"]
    assert [one["do"] for one in payments if one["partner"] == debtor] == ["PAY"], "its debt is set off"


def test_g1_rounded_cumulatively_moves_a_cent(clerk: Clerk) -> None:
    then = vector("G1")["variant"]["then"]
    clerk.ready("a", "b", "c")
    lines = [(*pair.lower().split(">"), minor) for pair, minor in then["booked_minor"].items()]
    batch = clerk.settle(clerk.window(lines))
    assert paid(clerk, batch.number) == then["payments"]
