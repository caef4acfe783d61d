"""`validate_only` on every write: it answers as the call would, and then nothing of it is there.

What proves that is the same request sent again for good: it is no replay, and it finds everything as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, TypeVar

import pytest
from coalition.settlement.v1 import approvals_pb2, batches_pb2, payments_pb2, reconciliation_pb2
from coalition.settlement.v1 import settlement_pb2 as pb
from google.protobuf import descriptor_pool
from google.protobuf.message import Message

from services.sandbox.clients import Calls
from services.settlement.access import ACCESS
from shared.rpc.wire import money_pb
from tests.settlement.accounts import german
from tests.settlement.api.desk import SECONDS, fresh_id, open_window, publication, refused, replayed, version
from tests.settlement.api.test_funding import wanted
from tests.settlement.api.test_payments import addition, verification
from tests.settlement.control.test_approvals import rates
from tests.settlement.reconciling.papers import Said, statement
from tests.support.platform import RunningPlatform

M = TypeVar("M", bound=Message)


@pytest.fixture(scope="module")
def anna(platform: RunningPlatform) -> Calls:
    return platform.operator


@pytest.fixture(scope="module")
def ben(platform: RunningPlatform) -> Calls:
    return platform.sandbox.colleague


def rehearsed(stub: Any, request: M, seconds: float = SECONDS) -> Any:  # noqa: ANN401 - whatever the call answers
    """The answer for good, after one as if that was the same but for what the server numbers and dates."""
    dry = type(request)()
    dry.CopyFrom(request)
    dry.validate_only = True  # type: ignore[attr-defined]
    as_if, call = stub.with_call(dry, timeout=seconds)
    assert not replayed(call)
    done, call = stub.with_call(request, timeout=seconds)
    assert not replayed(call), "the rehearsal was remembered"
    assert _stable(as_if) == _stable(done)
    return done


def _stable(answer: Message) -> dict[str, object]:
    numbered = {"proposal", "etag", "name"}
    return {
        field.name: value
        for field, value in answer.ListFields()
        if field.name not in numbered and not field.name.endswith("_time")
    }


def approval(ben: Calls, proposal: str) -> approvals_pb2.ApproveRequest:
    read = ben.approvals.GetProposal(approvals_pb2.GetProposalRequest(name=proposal), timeout=SECONDS)
    return approvals_pb2.ApproveRequest(name=proposal, request_id=fresh_id(), sha256=read.sha256)


def test_every_write_has_it_and_no_question() -> None:
    pool = descriptor_pool.Default()
    for method in ACCESS:
        service, name = method.lstrip("/").split("/")
        request: Any = pool.FindServiceByName(service).methods_by_name[name].input_type
        if name == "UploadBankFile":
            request = reconciliation_pb2.BankFileHeader.DESCRIPTOR
        writes = "request_id" in request.fields_by_name or name == "RunMatching"
        assert ("validate_only" in request.fields_by_name) is writes, name


def test_a_contract_is_proposed_approved_and_declined_as_if(platform: RunningPlatform, anna: Calls, ben: Calls) -> None:
    partner = platform.partner(terms=None).id
    made = rehearsed(anna.contracts.PublishContractVersion, publication(partner, version()))
    own = approval(ben, made.proposal)
    own.validate_only = True
    assert refused(lambda: anna.approvals.Approve(own, timeout=SECONDS)) == ("PERMISSION_DENIED", "OWN_PROPOSAL")
    approved = rehearsed(ben.approvals.Approve, approval(ben, made.proposal))
    assert approved.state == approvals_pb2.PROPOSAL_STATE_APPROVED
    rates_ = rehearsed(anna.reference.LoadFxSet, rates(USD="1.08"))
    sha256 = approval(ben, rates_.proposal).sha256
    no = approvals_pb2.DeclineRequest(name=rates_.proposal, request_id=fresh_id(), sha256=sha256, why="stale")
    assert rehearsed(ben.approvals.Decline, no).state == approvals_pb2.PROPOSAL_STATE_DECLINED


def test_money_accounts_and_caps_as_if(platform: RunningPlatform, anna: Calls, ben: Calls) -> None:
    rehearsed(anna.funding.AddPrefunding, wanted(100, "ISK"))
    entered = rehearsed(anna.bank_accounts.AddBankAccount, addition("shop-dry"))
    rehearsed(ben.approvals.Approve, approval(ben, entered.proposal))
    verified = rehearsed(ben.bank_accounts.VerifyBankAccount, verification(entered.name))
    assert verified.state == payments_pb2.BANK_ACCOUNT_STATE_VERIFIED
    partner = platform.partner().name
    cap = batches_pb2.Cap(net_debit_cap=money_pb(80_00, "USD"))
    rehearsed(anna.caps.SetCap, batches_pb2.SetCapRequest(parent=partner, request_id=fresh_id(), cap=cap))
    stop = batches_pb2.SuspendPartnerRequest(partner=partner, request_id=fresh_id(), reason="a test")
    assert rehearsed(anna.caps.SuspendPartner, stop).suspended
    go = batches_pb2.ResumePartnerRequest(partner=partner, request_id=fresh_id(), reason="a test")
    assert not rehearsed(ben.caps.ResumePartner, go).suspended


def test_a_window_is_not_closed_and_a_batch_not_made(platform: RunningPlatform, anna: Calls, ben: Calls) -> None:
    platform.close_window()  # with whatever other tests have done
    name = open_window(platform).name
    close = pb.CloseWindowRequest(name=name, request_id=fresh_id(), validate_only=True)
    for _ in range(2):
        assert anna.windows.CloseWindow(close, timeout=SECONDS).name == name
        assert open_window(platform).name == name
    window = platform.close_window().name
    batches = anna.batches
    other = rehearsed(batches.CreateBatch, batches_pb2.CreateBatchRequest(request_id=fresh_id(), windows=[window]))
    give_up = batches_pb2.CancelBatchRequest(name=other.name, request_id=fresh_id(), reason="a test")
    assert rehearsed(batches.CancelBatch, give_up).state == batches_pb2.BATCH_STATE_CANCELLED
    batch = rehearsed(batches.CreateBatch, batches_pb2.CreateBatchRequest(request_id=fresh_id(), windows=[window]))
    calculate = batches_pb2.CalculateBatchRequest(name=batch.name, request_id=fresh_id())
    batch = rehearsed(batches.CalculateBatch, calculate)
    submit = batches_pb2.SubmitBatchRequest(name=batch.name, request_id=fresh_id())
    assert rehearsed(batches.SubmitBatch, submit).state == batches_pb2.BATCH_STATE_PENDING_APPROVAL
    facts = {"name": batch.name, "request_id": fresh_id(), "content_sha256": batch.content_sha256}
    approved = rehearsed(ben.batches.ApproveBatch, batches_pb2.ApproveBatchRequest(**facts))
    assert approved.state == batches_pb2.BATCH_STATE_APPROVED
    facts["request_id"] = fresh_id()
    released = rehearsed(batches.ReleaseBatch, batches_pb2.ReleaseBatchRequest(**facts))
    assert released.state == batches_pb2.BATCH_STATE_SETTLED, "an empty window"


def test_a_file_of_the_bank_is_read_as_if_and_its_break_explained_as_if(
    platform: RunningPlatform, anna: Calls, ben: Calls
) -> None:
    iban, bank = german(8801), anna.reconciliation
    entered = anna.bank_accounts.AddBankAccount(
        addition("operator", iban, clearing=True, currency="PLN"), timeout=SECONDS
    )
    platform.approve(entered.proposal)
    ben.bank_accounts.VerifyBankAccount(verification(entered.name), timeout=SECONDS)
    content = statement(iban, date(2026, 3, 2), [Said(777, currency="PLN")], currency="PLN")
    request = reconciliation_pb2.ImportBankFileRequest(request_id=fresh_id(), file_name="a", content=content)
    taken = rehearsed(bank.ImportBankFile, request)
    assert (taken.broken_count, taken.duplicate) == (1, False)
    gap = statement(iban, date(2026, 3, 3), [], number=9, opening=1, currency="PLN")
    dry = reconciliation_pb2.ImportBankFileRequest(
        request_id=fresh_id(), file_name="b", content=gap, validate_only=True
    )
    before = _breaks(anna)
    assert refused(lambda: bank.ImportBankFile(dry, timeout=SECONDS))[1] == "STATEMENT_GAP"
    assert _breaks(anna) == before, "a refused statement opens a break, but not as if"
    [(name, _)] = [one for one in before if one[1] == "7.77 PLN"]
    moves: list[tuple[Callable[..., Any], Any]] = [
        (bank.ExplainBreak, reconciliation_pb2.ExplainBreakRequest(name=name, request_id=fresh_id(), explanation="x")),
        (bank.RefuteBreak, reconciliation_pb2.RefuteBreakRequest(name=name, request_id=fresh_id(), reason="y")),
        (bank.ResolveBreak, reconciliation_pb2.ResolveBreakRequest(name=name, request_id=fresh_id(), resolution="z")),
    ]
    for stub, move in moves:
        rehearsed(stub, move)
    bank.RunMatching(reconciliation_pb2.RunMatchingRequest(validate_only=True), timeout=SECONDS)


def _breaks(anna: Calls) -> list[tuple[str, str]]:
    request = reconciliation_pb2.ListBreaksRequest(page_size=1000)
    found = anna.reconciliation.ListBreaks(request, timeout=SECONDS).breaks
    return [
        (one.name, f"{one.amount.units}.{one.amount.nanos // 10**7:02} {one.amount.currency_code}") for one in found
    ]
