"""The bank: its files come in, lines are matched, breaks are shown, what nobody knows is decided."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Annotated

import typer
from coalition.settlement.v1 import payments_pb2, proofs_pb2
from coalition.settlement.v1 import reconciliation_pb2 as pb
from coalition.settlement.v1.reconciliation_pb2_grpc import ReconciliationServiceStub

from services.cli.options import HomeOption, Output, OutputOption
from services.cli.settle.papers import read
from services.cli.settle.patience import patiently
from services.cli.settle.shown import listed, shown
from services.cli.settle.uploads import uploaded
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
    second_person,
    tell,
)
from shared.rpc.channel import call

app = typer.Typer(help="What the bank says.", no_args_is_help=True)
_MATCH_SECONDS = 600.0


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="pain.002, camt.05x, pacs.004 or MT940.")],
    batch: Annotated[str, typer.Option(help="The only batch it may move: B42.")] = "",
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Take a file of the bank, of up to 64 MiB, and match what is in it. The same file again changes nothing."""
    only = named("B", batch) if batch else ""
    taken = uploaded(calls(home, person).reconciliation, file.name, read(file), only)
    facts = {
        "file": taken.name,
        "paper": taken.paper,
        "matched": taken.matched_count,
        "proposed": taken.proposed_count,
        "broken": taken.broken_count,
    }
    wrong = taken.broken_count or taken.proposed_count
    tell(facts, then="coalition settle breaks" if wrong else "", code=NEEDS_A_PERSON if wrong else DONE, output=output)


@app.command()
def lines(
    outcome: Annotated[str, typer.Option(help="NEW, MATCHED, PROPOSED, BROKEN or NOTED.")] = "",
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Lines of the bank's files, oldest first; 3 when a person has to say what one is."""
    if outcome and outcome not in {"NEW", "MATCHED", "PROPOSED", "BROKEN", "NOTED"}:
        raise typer.BadParameter("--outcome is NEW, MATCHED, PROPOSED, BROKEN or NOTED")
    request = pb.ListBankLinesRequest(outcome=f"BANK_LINE_OUTCOME_{outcome}" if outcome else None)
    found = listed(calls(home, person).reconciliation.ListBankLines, request, "bank_lines")
    waits = [one for one in found if one["outcome"] == "PROPOSED"]
    then = f"coalition settle match {waits[0]['name']} ..." if waits else ""
    tell({"lines": found}, then=then, code=NEEDS_A_PERSON if waits else DONE, output=output)


@app.command()
def line(
    name: Annotated[str, typer.Argument(help="bankLines/7")],
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """From a line of the bank back to payments, batches and statements."""
    request = proofs_pb2.ExplainBankLineRequest(name=name)
    tell(shown(call(calls(home, person).proofs.ExplainBankLine, request, timeout=SECONDS)), output=output)


def match(
    line: Annotated[str, typer.Argument(help="bankLines/7", show_default="match all that is new")] = "",
    instruction: Annotated[str, typer.Argument(help="batches/42/instructions/...")] = "",
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Match what is new; or say which payment a line is."""
    bank = calls(home, person).reconciliation
    if line:
        request = pb.MatchBankLineRequest(
            name=line, request_id=request_id("match", line, instruction), instruction=instruction
        )
        matched = call(bank.MatchBankLine, request, timeout=SECONDS)
        tell({"line": matched.name, "instructions": list(matched.instructions)}, output=output)
        return
    done = patiently(bank.RunMatching, pb.RunMatchingRequest(), "matching", timeout=_MATCH_SECONDS)
    facts = {"matched": done.matched_count, "proposed": done.proposed_count, "broken": done.broken_count}
    tell(facts, output=output)


def breaks(
    name: Annotated[str, typer.Argument(help="breaks/7, with one of the options.", show_default="list them")] = "",
    explain: Annotated[str, typer.Option(help="Say what it is.")] = "",
    refute: Annotated[str, typer.Option(help="Say why the explanation is wrong.")] = "",
    resolve: Annotated[str, typer.Option(help="Say why it is over: a document, or adjustments/7.")] = "",
    document: Annotated[Path | None, typer.Option(help="The document that shows it.")] = None,
    write_off: Annotated[str, typer.Option("--write-off", help="Propose to give the amount up: why.")] = "",
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """What does not fit, and what a person says about it."""
    bank = calls(home, person).reconciliation
    if not name:
        found = [
            {
                "break": one.name,
                "reason": one.reason,
                "subject": one.subject,
                "amount": money(one.amount),
                "stops": one.amount.currency_code if one.stops_releases else "",
            }
            for page in pages(bank.ListBreaks, pb.ListBreaksRequest(pending=True))
            for one in page.breaks
        ]
        stopped = any(one["stops"] for one in found)
        tell({"breaks": found}, code=BLOCKED if stopped else NEEDS_A_PERSON if found else DONE, output=output)
        return
    if explain or refute:
        _tell(_explained(bank, name, explain, refute), output)
    elif resolve:
        resolved = pb.ResolveBreakRequest(
            name=name,
            request_id=request_id("resolve", name, resolve),
            resolution=resolve,
            evidence_sha256=sha256(read(document)).digest() if document else b"",
        )
        _tell(call(bank.ResolveBreak, resolved, timeout=SECONDS), output)
    elif write_off:
        given_up = pb.WriteOffBreakRequest(
            name=name, request_id=request_id("write-off", name, write_off), reason=write_off
        )
        _tell(call(bank.WriteOffBreak, given_up, timeout=SECONDS), output)
    else:
        _tell(call(bank.GetBreak, pb.GetBreakRequest(name=name), timeout=SECONDS), output)


def resolve_unknown(
    instruction: Annotated[str, typer.Argument(help="batches/42/instructions/...")],
    outcome: Annotated[str, typer.Option(help="BOOKED or REJECTED.")],
    document: Annotated[Path, typer.Option(help="What shows it: a letter of the bank.")],
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Propose what became of a payment that nobody knows of; another person approves."""
    if outcome not in {"BOOKED", "REJECTED"}:
        raise typer.BadParameter("--outcome is BOOKED or REJECTED")
    content = read(document)
    request = payments_pb2.ResolveUnknownRequest(
        name=instruction,
        request_id=request_id("resolve-unknown", instruction, outcome, sha256(content).hexdigest()),
        outcome=f"INSTRUCTION_STATE_{outcome}",
        document=content,
        document_title=document.name,
    )
    found = call(calls(home, person).payments.ResolveUnknown, request, timeout=SECONDS)
    then = second_person(found.proposal)
    tell({"instruction": found.name, "proposal": found.proposal}, then=then, code=NEEDS_A_PERSON, output=output)


def _explained(bank: ReconciliationServiceStub, name: str, explain: str, refute: str) -> pb.Break:
    """What it is, or that it is not what somebody said. It goes to and fro, so a repeat is known by how it stands."""
    one = call(bank.GetBreak, pb.GetBreakRequest(name=name), timeout=SECONDS)
    if explain and one.explanation != explain:
        explained = pb.ExplainBreakRequest(
            name=name, request_id=request_id("explain", name, explain, one.etag), explanation=explain, etag=one.etag
        )
        return call(bank.ExplainBreak, explained, timeout=SECONDS)
    if refute and one.state != pb.BREAK_STATE_OPEN:
        refuted = pb.RefuteBreakRequest(
            name=name, request_id=request_id("refute", name, refute, one.etag), reason=refute, etag=one.etag
        )
        return call(bank.RefuteBreak, refuted, timeout=SECONDS)
    return one


def _tell(one: pb.Break, output: Output) -> None:
    facts = {
        "break": one.name,
        "state": pb.BreakState.Name(one.state).removeprefix("BREAK_STATE_"),
        "reason": one.reason,
        "subject": one.subject,
        "detail": one.detail,
        "expected": money(one.expected) if one.HasField("expected") else "",
        "found": money(one.found) if one.HasField("found") else "",
        "explanation": one.explanation,
        "stops": one.amount.currency_code if one.stops_releases else "",
    }
    then = second_person(one.proposal)
    pending = one.state in {pb.BREAK_STATE_OPEN, pb.BREAK_STATE_EXPLAINED}
    code = BLOCKED if one.stops_releases else NEEDS_A_PERSON if pending else DONE
    tell(facts, then=then, code=code, output=output)
