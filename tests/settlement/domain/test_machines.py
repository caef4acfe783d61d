"""The state machines as a whole: what the tables promise beside each single pair."""

from __future__ import annotations

import pytest

from services.settlement.domain.machines import MACHINES, NEW, Machine
from tests.settlement.states import PAGE, page


def test_the_page_for_people_is_what_the_tables_say() -> None:
    assert PAGE.read_text() == page(), "run python -m tests.settlement.states"


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.resource)
def test_every_state_can_be_reached(machine: Machine) -> None:
    reached = {NEW}
    while more := {one.to for one in machine.transitions if one.frm in reached} - reached:
        reached |= more
    assert reached - {NEW} == machine.states


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.resource)
def test_nothing_becomes_new_again_and_something_begins(machine: Machine) -> None:
    assert NEW not in machine.states
    assert any(one.frm == NEW for one in machine.transitions)


def test_windows_only_go_forward() -> None:
    order = ["", "OPEN", "CLOSING", "CLOSED", "SETTLED"]
    assert all(order.index(one.to) == order.index(one.frm) + 1 for one in MACHINES[0].transitions)


def test_no_timer_leaves_unknown() -> None:
    """Only evidence of the bank or two persons."""
    (instruction,) = (machine for machine in MACHINES if machine.resource == "instruction")
    assert {one.act for one in instruction.transitions if one.frm == "UNKNOWN"} == {"evidence", "ResolveUnknown"}
