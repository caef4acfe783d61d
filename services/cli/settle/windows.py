"""Windows: what is open, closing one, checking one."""

from __future__ import annotations

from typing import Annotated

import typer
from coalition.settlement.v1 import approvals_pb2, batches_pb2, funding_pb2, steps_pb2
from coalition.settlement.v1 import reconciliation_pb2 as bank_pb
from coalition.settlement.v1 import settlement_pb2 as pb

from services.cli.options import HomeOption, Output, OutputOption
from services.cli.settle.patience import patiently
from services.cli.settle.ways import (
    BLOCKED,
    DONE,
    LOCAL,
    NEEDS_A_PERSON,
    SECONDS,
    PersonOption,
    calls,
    money,
    named,
    pages,
    request_id,
    tell,
)
from services.sandbox.clients import Calls
from shared.rpc.channel import call
from shared.rpc.remote import RemoteRefusal

_CLOSE_SECONDS = 600.0
_ENDED = {batches_pb2.BATCH_STATE_SETTLED, batches_pb2.BATCH_STATE_CANCELLED}


def status(person: PersonOption = LOCAL, output: OutputOption = Output.TEXT, home: HomeOption = None) -> None:
    """What is open, what is blocked, and what needs a person."""
    settlement = calls(home, person)
    window = call(settlement.windows.GetWindow, pb.GetWindowRequest(name="windows/open"), timeout=SECONDS)
    waiting = [
        proposal.name
        for page in pages(
            settlement.approvals.ListProposals,
            approvals_pb2.ListProposalsRequest(state=approvals_pb2.PROPOSAL_STATE_PROPOSED),
        )
        for proposal in page.proposals
    ]
    blocked = [
        f"{step.name}: {step.blocked_because}"
        for page in pages(settlement.steps.ListSteps, steps_pb2.ListStepsRequest(state=steps_pb2.STEP_STATE_BLOCKED))
        for step in page.steps
    ]
    found = [
        one
        for page in pages(settlement.reconciliation.ListBreaks, bank_pb.ListBreaksRequest(pending=True))
        for one in page.breaks
    ]
    breaks = [f"{one.name} {one.reason}" for one in found]
    stopped = sorted({one.amount.currency_code for one in found if one.stops_releases})
    batches = [f"{one.name} {_state(one)}" for one in _live(settlement)]
    funding = call(settlement.funding.GetFunding, funding_pb2.GetFundingRequest(), timeout=SECONDS).currencies
    missing = [money(one.missing) for one in funding if one.missing.units or one.missing.nanos]
    facts = {
        "open": window.name,
        "entries": window.entry_count,
        "batches": batches,
        "proposals": waiting,
        "breaks": breaks,
        "blocked": blocked,
        "stopped": stopped,
        "missing": missing,
    }
    code = BLOCKED if blocked or stopped else NEEDS_A_PERSON if waiting or breaks or missing else DONE
    tell(facts, then=_next(stopped, waiting, batches, window.name, missing), code=code, output=output)


def close(
    window: Annotated[str, typer.Argument(help="W42; without it the open one.", show_default="the open window")] = "",
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Close a window at a fresh checkpoint. Again with the same window: the same closing."""
    settlement = calls(home, person)
    name = named("W", window) if window else ""
    if not name:
        name = call(settlement.windows.GetWindow, pb.GetWindowRequest(name="windows/open"), timeout=SECONDS).name
    try:
        request = pb.CloseWindowRequest(name=name, request_id=request_id("close", name))
        closed = patiently(settlement.windows.CloseWindow, request, "closing", timeout=_CLOSE_SECONDS)
    except RemoteRefusal as refusal:
        if refusal.reason != "WINDOW_WAITS":
            raise
        tell({"window": name, "waits": str(refusal)}, then="coalition settle status", code=BLOCKED, output=output)
        return
    facts = {
        "window": closed.name,
        "entries": closed.entry_count,
        "late": closed.late_entry_count,
        "nets": [{"partner": net.partner, "net": money(net.net)} for net in closed.nets],
    }
    tell(facts, then="coalition settle run", output=output)


def verify(
    window: Annotated[str, typer.Argument(help="W42")],
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Calculate a closed window again from its entries and compare; 4 is a difference."""
    name = named("W", window)
    verify_ = calls(home, person).windows.VerifyWindow
    found = patiently(verify_, pb.VerifyWindowRequest(name=name), "calculating", timeout=_CLOSE_SECONDS)
    if found.difference.subject:
        difference = found.difference
        what = f"{difference.subject} {difference.name}: {difference.detail}"
        tell({"window": name, "difference": what}, code=BLOCKED, output=output)
    else:
        tell({"window": name, "lines": found.lines, "verified": True}, output=output)


def _live(settlement: Calls) -> list[batches_pb2.Batch]:
    return [
        one
        for page in pages(settlement.batches.ListBatches, batches_pb2.ListBatchesRequest())
        for one in page.batches
        if one.state not in _ENDED
    ]


def _state(batch: batches_pb2.Batch) -> str:
    return batches_pb2.BatchState.Name(batch.state).removeprefix("BATCH_STATE_")


def _next(stopped: list[str], waiting: list[str], batches: list[str], window: str, missing: list[str]) -> str:
    if stopped:
        return "coalition settle breaks"
    if waiting:
        return f"coalition settle proposals {waiting[0].replace('proposals/', 'P')}"
    if missing:
        return f"coalition settle fund '{missing[0]}' --source ..., or wait for what is collected"
    if batches:
        return f"coalition settle run --batch {batches[0].split()[0].replace('batches/', 'B')}"
    return f"coalition settle close {window.replace('windows/', 'W')}"
