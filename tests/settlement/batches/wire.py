"""What tests ask about batches and caps over the wire, in few words. Two persons: the operator and a colleague."""

from __future__ import annotations

import uuid
from decimal import Decimal

from coalition.settlement.v1 import approvals_pb2, batches_pb2, settlement_pb2

from shared.rpc.wire import decimal_pb, money_pb, timestamp
from tests.support.platform import BEGINNING, RunningPlatform

SECONDS = 20.0


def fresh() -> str:
    return str(uuid.uuid4())


def approve(platform: RunningPlatform, proposal: str) -> approvals_pb2.Proposal:
    """The colleague reads it and approves exactly that."""
    stub = platform.sandbox.colleague.approvals
    read = stub.GetProposal(approvals_pb2.GetProposalRequest(name=proposal), timeout=SECONDS)
    request = approvals_pb2.ApproveRequest(name=proposal, sha256=read.sha256, request_id=fresh())
    return stub.Approve(request, timeout=SECONDS)


def agree(platform: RunningPlatform, partner: str, *, billing: str = "0.012", reimbursement: str = "0.009") -> None:
    """A contract in US dollars, from before everything."""
    terms = settlement_pb2.ContractVersion(
        effective_from=timestamp(BEGINNING),
        timing=settlement_pb2.TIMING_AT_ISSUANCE,
        rate_at_issuance=decimal_pb(Decimal(billing)),
        reimbursement_rate=decimal_pb(Decimal(reimbursement)),
        currency="USD",
    )
    request = settlement_pb2.PublishContractVersionRequest(
        parent=f"partners/{partner}", request_id=fresh(), contract_version=terms
    )
    proposed = platform.operator.contracts.PublishContractVersion(request, timeout=SECONDS)
    approve(platform, proposed.proposal)


def set_cap(platform: RunningPlatform, partner: str, minor: int, *, weight: str = "") -> None:
    """A net debit cap in US dollars."""
    cap = batches_pb2.Cap(net_debit_cap=money_pb(minor, "USD"))
    if weight:
        cap.outstanding_weight.value = weight
    request = batches_pb2.SetCapRequest(parent=f"partners/{partner}", request_id=fresh(), cap=cap)
    approve(platform, platform.operator.caps.SetCap(request, timeout=SECONDS).proposal)


def cap_of(platform: RunningPlatform, partner: str) -> batches_pb2.Cap:
    request = batches_pb2.GetCapRequest(name=f"partners/{partner}/cap")
    return platform.operator.caps.GetCap(request, timeout=SECONDS)
