"""Corrections: adjustments, and the operator's answers to disputes."""

from __future__ import annotations

from typing import Annotated

import typer
from coalition.settlement.v1 import corrections_pb2 as pb

from services.cli.options import HomeOption, Output, OutputOption
from services.cli.settle.ways import (
    DONE,
    LOCAL,
    NEEDS_A_PERSON,
    SECONDS,
    PersonOption,
    calls,
    pages,
    request_id,
    second_person,
    tell,
)
from shared.rpc.channel import call


def adjust(
    statement: Annotated[str, typer.Argument(help="partners/{partner}/statements/{window}")],
    line: Annotated[int, typer.Argument(help="The line, counted from 1.")],
    why: Annotated[str, typer.Option("--why", help="The reason, for the record.")],
    points: Annotated[int, typer.Option(help="Points to add to the line, or to take from it.")] = 0,
    minor: Annotated[int, typer.Option(help="Minor units instead of points: for fees.")] = 0,
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Propose to correct a line of a closed statement; another person approves."""
    if bool(points) == bool(minor):
        raise typer.BadParameter("name --points or --minor, one of both")
    adjustment = pb.Adjustment(statement=statement, line=line, reason=why)
    if points:
        adjustment.points = points
    else:
        adjustment.amount_minor = minor
    made = call(
        calls(home, person).corrections.ProposeAdjustment,
        pb.ProposeAdjustmentRequest(
            request_id=request_id("adjust", statement, line, points, minor, why), adjustment=adjustment
        ),
        timeout=SECONDS,
    )
    then = second_person(made.proposal)
    tell({"adjustment": made.name, "proposal": made.proposal}, then=then, code=NEEDS_A_PERSON, output=output)


def dispute(
    name: Annotated[str, typer.Argument(help="disputes/7", show_default="list them")] = "",
    uphold: Annotated[int, typer.Option(help="Points that are upheld.")] = 0,
    reject: Annotated[bool, typer.Option("--reject", help="Uphold nothing.")] = False,
    escalate: Annotated[bool, typer.Option("--escalate", help="Take it to the next level.")] = False,
    why: Annotated[str, typer.Option("--why", help="The answer.")] = "",
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Disputes, and the operator's answer to one."""
    corrections = calls(home, person).corrections
    if not name:
        found = [
            {"dispute": one.name, "state": _state(one), "statement": one.statement, "points": one.points}
            for page in pages(corrections.ListDisputes, pb.ListDisputesRequest())
            for one in page.disputes
            if one.state != pb.DISPUTE_STATE_CLOSED
        ]
        tell({"disputes": found}, code=NEEDS_A_PERSON if found else DONE, output=output)
        return
    if escalate:
        escalated = pb.EscalateDisputeRequest(name=name, request_id=request_id("escalate", name, why), reason=why)
        one = call(corrections.EscalateDispute, escalated, timeout=SECONDS)
    elif uphold or reject:
        answer = pb.AnswerDisputeRequest(
            name=name, request_id=request_id("answer", name, uphold, why), upheld_points=uphold, answer=why
        )
        one = call(corrections.AnswerDispute, answer, timeout=SECONDS)
    else:
        one = call(corrections.GetDispute, pb.GetDisputeRequest(name=name), timeout=SECONDS)
    facts = {
        "dispute": one.name,
        "state": _state(one),
        "points": one.points,
        "upheld": one.upheld_points,
        "adjustment": one.adjustment,
    }
    closed = one.state == pb.DISPUTE_STATE_CLOSED
    tell(
        facts,
        then="" if closed else "coalition settle proposals",
        code=DONE if closed else NEEDS_A_PERSON,
        output=output,
    )


def _state(one: pb.Dispute) -> str:
    return pb.DisputeState.Name(one.state).removeprefix("DISPUTE_STATE_")
