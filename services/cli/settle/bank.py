"""The bank: its files come in, lines are matched, breaks are shown, what nobody knows is decided."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Annotated

import typer
from coalition.settlement.v1 import payments_pb2
from coalition.settlement.v1 import reconciliation_pb2 as pb

from services.cli.options import HomeOption, Output, OutputOption
from services.cli.refusals import FileUnreadable
from services.cli.settle.ways import (
    DONE,
    LOCAL,
    NEEDS_A_PERSON,
    SECONDS,
    PersonOption,
    calls,
    money,
    pages,
    request_id,
    tell,
)
from shared.rpc.channel import call

app = typer.Typer(help="What the bank says.", no_args_is_help=True)
_IMPORT_SECONDS = 600.0


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="pain.002, camt.05x, pacs.004 or MT940.")],
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Take a file of the bank, and match what is in it. The same file again changes nothing."""
    content = read(file)
    taken = call(
        calls(home, person).reconciliation.ImportBankFile,
        pb.ImportBankFileRequest(
            request_id=request_id("import", sha256(content).hexdigest()), file_name=file.name, content=content
        ),
        timeout=_IMPORT_SECONDS,
    )
    facts = {
        "file": taken.name,
        "paper": taken.paper,
        "matched": taken.matched_count,
        "proposed": taken.proposed_count,
        "broken": taken.broken_count,
    }
    wrong = taken.broken_count or taken.proposed_count
    tell(facts, then="coalition settle breaks" if wrong else "", code=NEEDS_A_PERSON if wrong else DONE, output=output)


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
    done = call(bank.RunMatching, pb.RunMatchingRequest(), timeout=_IMPORT_SECONDS)
    facts = {"matched": done.matched_count, "proposed": done.proposed_count, "broken": done.broken_count}
    tell(facts, output=output)


def breaks(
    name: Annotated[str, typer.Argument(help="breaks/7, with one of the options.", show_default="list them")] = "",
    explain: Annotated[str, typer.Option(help="Say what it is.")] = "",
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
            {"break": one.name, "reason": one.reason, "subject": one.subject, "amount": money(one.amount)}
            for page in pages(bank.ListBreaks, pb.ListBreaksRequest(pending=True))
            for one in page.breaks
        ]
        tell({"breaks": found}, code=NEEDS_A_PERSON if found else DONE, output=output)
        return
    if explain:
        explained = pb.ExplainBreakRequest(
            name=name, request_id=request_id("explain", name, explain), explanation=explain
        )
        _tell(call(bank.ExplainBreak, explained, timeout=SECONDS), output)
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
    then = f"another person: coalition settle proposals {found.proposal.replace('proposals/', 'P')}"
    tell({"instruction": found.name, "proposal": found.proposal}, then=then, code=NEEDS_A_PERSON, output=output)


def read(file: Path) -> bytes:
    """Raises FileUnreadable."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise FileUnreadable(file=file, why=error.strerror or error) from None


def _tell(one: pb.Break, output: Output) -> None:
    facts = {
        "break": one.name,
        "state": pb.BreakState.Name(one.state).removeprefix("BREAK_STATE_"),
        "reason": one.reason,
        "subject": one.subject,
        "detail": one.detail,
        "explanation": one.explanation,
    }
    then = (
        f"another person: coalition settle proposals {one.proposal.replace('proposals/', 'P')}" if one.proposal else ""
    )
    pending = one.state in {pb.BREAK_STATE_OPEN, pb.BREAK_STATE_EXPLAINED}
    tell(facts, then=then, code=NEEDS_A_PERSON if pending else DONE, output=output)
