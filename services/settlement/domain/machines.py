"""The state machines of settlement, as data: what may follow what, and by which act. Docs, access rows and tests read
these tables; whatever pair is not in them is refused. Guards live beside the act that moves.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from services.settlement.domain.refusals import TransitionRefused

NEW = ""
"""Where everything begins: before it is there."""


class Transition(NamedTuple):
    """`act` is a call, or, in lower case, what happens by itself."""

    frm: str
    to: str
    act: str


@dataclass(frozen=True, slots=True)
class Machine:
    """The transitions of one kind of resource."""

    resource: str
    transitions: frozenset[Transition]

    @property
    def states(self) -> frozenset[str]:
        return frozenset(one.to for one in self.transitions)

    def sources(self, to: str, act: str) -> frozenset[str]:
        """The states from which this act leads there."""
        return frozenset(one.frm for one in self.transitions if one.to == to and one.act == act)

    def check(self, name: str, frm: str, to: str, act: str) -> None:
        """Raises TransitionRefused unless the table has it."""
        if Transition(frm, to, act) not in self.transitions:
            raise TransitionRefused(name=name, state=frm or "not there", to=to, act=act)


def _machine(resource: str, rows: Iterable[tuple[str, str, str]]) -> Machine:
    """Rows are `from, from | to, to | act, act`, blanks between."""
    found = {
        Transition("" if frm == "-" else frm, to, act)
        for sources, targets, acts in rows
        for frm in sources.split()
        for to in targets.split()
        for act in acts.split()
    }
    return Machine(resource, frozenset(found))


WINDOW = _machine(
    "window",
    [
        ("-", "OPEN", "predecessor"),
        ("OPEN", "CLOSING", "CloseWindow calendar"),
        ("CLOSING", "CLOSED", "ingest"),
        ("CLOSED", "SETTLED", "settled"),
    ],
)
BATCH = _machine(
    "batch",
    [
        ("-", "DRAFT", "CreateBatch"),
        ("DRAFT CALCULATED", "CALCULATED", "CalculateBatch"),
        ("CALCULATED", "PENDING_APPROVAL", "SubmitBatch"),
        ("PENDING_APPROVAL", "APPROVED", "ApproveBatch"),
        ("PENDING_APPROVAL", "REJECTED", "RejectBatch"),
        ("CALCULATED REJECTED APPROVED", "DRAFT", "ReviseBatch"),
        ("DRAFT CALCULATED PENDING_APPROVAL APPROVED REJECTED", "CANCELLED", "CancelBatch"),
        ("APPROVED", "RELEASING SETTLED", "ReleaseBatch"),
        ("RELEASING", "IN_PAYMENT", "released"),
        ("IN_PAYMENT", "PARTIALLY_SETTLED", "rejected"),
        ("PARTIALLY_SETTLED", "IN_PAYMENT", "repaired"),
        ("IN_PAYMENT PARTIALLY_SETTLED", "SETTLED", "settled"),
    ],
)
INSTRUCTION = _machine(
    "instruction",
    [
        ("-", "PENDING", "CalculateBatch SupersedeInstruction"),
        ("PENDING", "FROZEN", "built"),
        ("PENDING FROZEN", "CANCELLED", "ReviseBatch CancelBatch default"),
        ("FROZEN", "SENT", "transport"),
        ("SENT", "UNKNOWN", "silence"),
        ("SENT UNKNOWN", "ACCEPTED", "evidence"),
        ("SENT UNKNOWN ACCEPTED", "REJECTED BOOKED", "evidence"),
        ("UNKNOWN", "REJECTED BOOKED", "ResolveUnknown"),
        ("REJECTED", "BOOKED", "evidence"),
        ("REJECTED", "ACCEPTED", "evidence"),  # the bank's later word: without it the order of messages would matter
        ("REJECTED", "FROZEN", "refiled"),
        ("REJECTED RETURNED", "SUPERSEDED", "SupersedeInstruction"),
        ("REJECTED RETURNED", "CARRIED", "CarryOver"),
        ("BOOKED", "RETURNED", "evidence"),
        ("BOOKED", "FINAL", "period"),
    ],
)
FILE = _machine(
    "file",
    [
        ("-", "BUILT", "CalculateBatch refiled SupersedeInstruction"),
        ("BUILT", "APPROVED", "ApproveBatch ApproveFile"),
        ("APPROVED", "RELEASED", "ReleaseBatch"),
        ("RELEASED", "TRANSMITTED", "transport MarkTransmitted"),
        ("TRANSMITTED", "ACKNOWLEDGED REJECTED", "evidence"),
        ("BUILT APPROVED", "WITHDRAWN", "ReviseBatch CancelBatch default"),
    ],
)
BREAK = _machine(
    "break",
    [
        ("-", "OPEN", "found"),
        ("OPEN", "EXPLAINED", "ExplainBreak"),
        ("EXPLAINED", "OPEN", "RefuteBreak"),
        ("OPEN EXPLAINED", "RESOLVED", "ResolveBreak evidence"),
        ("EXPLAINED", "WRITTEN_OFF", "WriteOffBreak"),
    ],
)
DISPUTE = _machine(
    "dispute",
    [
        ("-", "OPEN", "OpenDispute"),
        ("OPEN ESCALATED", "ACCEPTED REJECTED", "AnswerDispute"),
        ("OPEN", "ESCALATED", "EscalateDispute overdue"),
        ("ACCEPTED", "CLOSED", "posted"),
        ("REJECTED", "CLOSED", "answered"),
        ("OPEN", "CLOSED", "WithdrawDispute"),
    ],
)
ADJUSTMENT = _machine(
    "adjustment",
    [
        ("-", "PROPOSED", "ProposeAdjustment"),
        ("PROPOSED", "APPROVED", "Approve"),
        ("PROPOSED", "DECLINED", "Decline"),
        ("APPROVED", "POSTED", "post"),
    ],
)
ACCOUNT = _machine(
    "account",
    [
        ("-", "ENTERED", "AddBankAccount"),
        ("ENTERED", "APPROVED", "Approve"),
        ("APPROVED", "VERIFIED", "VerifyBankAccount"),
    ],
)
PROPOSAL = _machine(
    "proposal",
    [
        ("-", "PROPOSED", "propose"),
        ("PROPOSED", "APPROVED", "Approve"),
        ("PROPOSED", "DECLINED", "Decline"),
        ("PROPOSED", "VOIDED", "change"),
    ],
)
MACHINES = (WINDOW, BATCH, INSTRUCTION, FILE, BREAK, DISPUTE, ADJUSTMENT, ACCOUNT, PROPOSAL)
