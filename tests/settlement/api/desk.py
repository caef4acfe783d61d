"""What tests ask settlement for, in few words."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

import grpc
from coalition.settlement.v1 import settlement_pb2 as pb
from google.protobuf.message import Message

from shared.rpc.wire import decimal_pb, timestamp
from tests.support.platform import BEGINNING, RunningPlatform
from tests.support.refused import Refused

Answer = TypeVar("Answer", bound=Message)

SECONDS = 20.0


def fresh_id() -> str:
    return str(uuid.uuid4())


def version(
    billing: str = "0.012", reimbursement: str = "0.009", *, since: datetime = BEGINNING, currency: str = "USD"
) -> pb.ContractVersion:
    return pb.ContractVersion(
        effective_from=timestamp(since),
        timing=pb.TIMING_AT_ISSUANCE,
        rate_at_issuance=decimal_pb(Decimal(billing)),
        reimbursement_rate=decimal_pb(Decimal(reimbursement)),
        currency=currency,
    )


def publication(partner: str, terms: pb.ContractVersion, request_id: str = "") -> pb.PublishContractVersionRequest:
    return pb.PublishContractVersionRequest(
        parent=f"partners/{partner}", request_id=request_id or fresh_id(), contract_version=terms
    )


def open_window(platform: RunningPlatform) -> pb.Window:
    return platform.operator.windows.GetWindow(pb.GetWindowRequest(name="windows/open"), timeout=SECONDS)


def verdict(platform: RunningPlatform) -> pb.VerifyBooksResponse:
    """The last word of a verification."""
    *_, last = platform.operator.windows.VerifyBooks(pb.VerifyBooksRequest(), timeout=60)
    return last


def replayed(call: grpc.Call) -> bool:
    return any(key == "idempotent-replay" for key, _ in call.trailing_metadata() or ())


def refused(call: Callable[[], object]) -> tuple[str, str]:
    """Code and reason of the refusal that the call must meet."""
    found = Refused.of(call)
    assert found.well_formed(), found.text
    return found.code.name, found.reason
