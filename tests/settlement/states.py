"""The page of all state machines, written from the tables that the code reads.

`python -m tests.settlement.states` writes it anew; a test fails while it is not what the tables say.
"""

from __future__ import annotations

from itertools import groupby

from services.settlement.domain.machines import MACHINES, NEW, Machine
from tests.architecture.sources import ROOT

PAGE = ROOT / "deploy" / "settlement-states.md"
_HEAD = """# What may follow what in settlement

Written by `python -m tests.settlement.states` from `services/settlement/domain/machines.py`. Every pair that is not
here is refused with `TRANSITION_REFUSED`. What begins a resource has no state before it. An act with a capital is a
call; one in lower case happens by itself. Each move is one row in a chain of hashes: `StepService.ListTransitions`.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *map(_section, MACHINES)])


def _section(machine: Machine) -> str:
    rows = sorted((one.frm, one.to, one.act) for one in machine.transitions)
    lines = [f"## {machine.resource}", "", "| from | to | by |", "|---|---|---|"]
    for (frm, to), found in groupby(rows, key=lambda row: row[:2]):
        acts = ", ".join(act if act[0].islower() else f"`{act}`" for _, _, act in found)
        lines.append(f"| {frm if frm != NEW else '-'} | {to} | {acts} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    PAGE.write_text(page())
