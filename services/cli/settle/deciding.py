"""Four eyes: what waits for a second person, and that person's yes or no to exactly what the hash says."""

from __future__ import annotations

from typing import Annotated

import typer
from coalition.settlement.v1 import approvals_pb2 as pb
from coalition.settlement.v1 import batches_pb2

from services.cli.options import HomeOption, Output, OutputOption
from services.cli.settle.ways import (
    LOCAL,
    NEEDS_A_PERSON,
    SECONDS,
    PersonOption,
    calls,
    named,
    pages,
    request_id,
    tell,
)
from shared.rpc.channel import call

SubjectArgument = Annotated[str, typer.Argument(help="B42, a batch; or P7, a proposal.")]
HashOption = Annotated[str, typer.Option("--sha256", help="The hash of what you have read, in hex.")]


def proposals(
    proposal: Annotated[str, typer.Argument(help="P7: show it whole.", show_default="list all that wait")] = "",
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """What waits for a second person."""
    settlement = calls(home, person)
    if proposal:
        one = call(settlement.approvals.GetProposal, pb.GetProposalRequest(name=named("P", proposal)), timeout=SECONDS)
        facts = {
            "proposal": one.name,
            "kind": one.kind,
            "subject": one.subject,
            "by": one.proposed_by,
            "content": one.content.decode(),
            "sha256": one.sha256.hex(),
        }
        short = one.name.replace("proposals/", "P")
        then = f"another person: coalition settle approve {short} --sha256 {one.sha256.hex()}"
        waits = one.state == pb.PROPOSAL_STATE_PROPOSED
        tell(facts, then=then if waits else "", code=NEEDS_A_PERSON if waits else 0, output=output)
        return
    request = pb.ListProposalsRequest(state=pb.PROPOSAL_STATE_PROPOSED)
    found = [
        {"proposal": one.name, "kind": one.kind, "subject": one.subject, "by": one.proposed_by}
        for page in pages(settlement.approvals.ListProposals, request)
        for one in page.proposals
    ]
    tell({"proposals": found}, code=NEEDS_A_PERSON if found else 0, output=output)


def approve(
    subject: SubjectArgument,
    sha256: HashOption,
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Say yes to exactly this content."""
    settlement, digest = calls(home, person), digest_of(sha256)
    if _is_proposal(subject):
        name = named("P", subject)
        request = pb.ApproveRequest(name=name, request_id=request_id("approve", name, sha256, person), sha256=digest)
        done = call(settlement.approvals.Approve, request, timeout=SECONDS)
        tell({"proposal": done.name, "subject": done.subject, "approved": True}, output=output)
        return
    name = named("B", subject)
    approved = call(
        settlement.batches.ApproveBatch,
        batches_pb2.ApproveBatchRequest(
            name=name, request_id=request_id("approve", name, sha256, person), content_sha256=digest
        ),
        timeout=SECONDS,
    )
    then = f"coalition settle release {approved.name.replace('batches/', 'B')}"
    tell({"batch": approved.name, "approved": True}, then=then, code=NEEDS_A_PERSON, output=output)


def decline(
    subject: SubjectArgument,
    sha256: HashOption,
    why: Annotated[str, typer.Option("--why", help="The reason, for the record.")],
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Say no to exactly this content."""
    settlement, digest = calls(home, person), digest_of(sha256)
    if _is_proposal(subject):
        name = named("P", subject)
        request = pb.DeclineRequest(
            name=name, request_id=request_id("decline", name, sha256, person), sha256=digest, why=why
        )
        done = call(settlement.approvals.Decline, request, timeout=SECONDS)
        tell({"proposal": done.name, "declined": True}, output=output)
        return
    name = named("B", subject)
    rejected = call(
        settlement.batches.RejectBatch,
        batches_pb2.RejectBatchRequest(
            name=name, request_id=request_id("decline", name, sha256, person), reason=why, content_sha256=digest
        ),
        timeout=SECONDS,
    )
    then = f"coalition settle revise {rejected.name.replace('batches/', 'B')} --why ..."
    tell({"batch": rejected.name, "rejected": True}, then=then, code=NEEDS_A_PERSON, output=output)


def _is_proposal(subject: str) -> bool:
    return subject.lower().startswith("p")


def digest_of(sha256: str) -> bytes:
    """The hash that is written in hex."""
    try:
        digest = bytes.fromhex(sha256)
    except ValueError:
        digest = b""
    if len(digest) != 32:
        raise typer.BadParameter("a SHA-256 has 64 hexadecimal digits")
    return digest
