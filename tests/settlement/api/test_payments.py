"""Bank accounts and payments over the wire: two people, masked numbers, and refusals that repeat nothing."""

from __future__ import annotations

from datetime import date

import pytest
from coalition.settlement.v1 import approvals_pb2
from coalition.settlement.v1 import payments_pb2 as pb

from services.sandbox.clients import Calls
from shared.rpc.wire import date_pb
from tests.settlement.accounts import german
from tests.settlement.api.desk import SECONDS, fresh_id, refused, replayed
from tests.support.platform import RunningPlatform
from tests.support.refused import Refused

GOOD, WRONG = german(4711), "DE89370400440532013001"


@pytest.fixture(scope="module")
def anna(platform: RunningPlatform) -> Calls:
    return platform.operator


@pytest.fixture(scope="module")
def ben(platform: RunningPlatform) -> Calls:
    return platform.sandbox.colleague


def addition(partner: str, iban: str = GOOD, **facts: object) -> pb.AddBankAccountRequest:
    account = {"currency": "EUR", "holder": "Corner Shop", "iban": iban, "bic": "MOCKDEFF", **facts}
    return pb.AddBankAccountRequest(
        parent=f"partners/{partner}",
        request_id=fresh_id(),
        bank_account=pb.BankAccount(**account),  # type: ignore[arg-type]
    )


def verification(name: str) -> pb.VerifyBankAccountRequest:
    channel = pb.VERIFICATION_CHANNEL_PHONE
    return pb.VerifyBankAccountRequest(name=name, request_id=fresh_id(), channel=channel, note="called back")


def approval(proposal: str, calls: Calls) -> approvals_pb2.ApproveRequest:
    read = calls.approvals.GetProposal(approvals_pb2.GetProposalRequest(name=proposal), timeout=SECONDS)
    return approvals_pb2.ApproveRequest(name=proposal, request_id=fresh_id(), sha256=read.sha256)


def test_an_account_takes_two_people_and_a_second_channel(anna: Calls, ben: Calls) -> None:
    request = addition(
        "shop-one", "de" + GOOD[2:], mandate=pb.Mandate(mandate_id="M-1", sign_date=date_pb(date(2026, 1, 5)))
    )
    entered, call = anna.bank_accounts.AddBankAccount.with_call(request, timeout=SECONDS)
    assert (entered.name, entered.iban) == ("partners/shop-one/bankAccounts/1", GOOD)
    assert entered.state == pb.BANK_ACCOUNT_STATE_ENTERED
    assert not replayed(call)
    again, call = anna.bank_accounts.AddBankAccount.with_call(request, timeout=SECONDS)
    assert again == entered
    assert replayed(call)

    verify = verification(entered.name)
    early = refused(lambda: ben.bank_accounts.VerifyBankAccount(verify, timeout=SECONDS))
    assert early == ("FAILED_PRECONDITION", "TRANSITION_REFUSED")
    own = refused(lambda: anna.approvals.Approve(approval(entered.proposal, anna), timeout=SECONDS))
    assert own == ("PERMISSION_DENIED", "OWN_PROPOSAL")
    ben.approvals.Approve(approval(entered.proposal, ben), timeout=SECONDS)
    own = refused(lambda: anna.bank_accounts.VerifyBankAccount(verification(entered.name), timeout=SECONDS))
    assert own == ("PERMISSION_DENIED", "OWN_BANK_ACCOUNT")
    verified = ben.bank_accounts.VerifyBankAccount(verify, timeout=SECONDS)
    assert verified.state == pb.BANK_ACCOUNT_STATE_VERIFIED
    assert verified.usable_time == verified.verify_time, "a first account need not cool off"


def test_lists_mask_what_one_account_shows_and_a_proposal_has_only_its_hash(anna: Calls) -> None:
    entered = anna.bank_accounts.AddBankAccount(addition("shop-two"), timeout=SECONDS)
    listed = anna.bank_accounts.ListBankAccounts(
        pb.ListBankAccountsRequest(parent="partners/shop-two"), timeout=SECONDS
    )
    assert [one.iban for one in listed.bank_accounts] == [f"DE..{GOOD[-4:]}"]
    shown = anna.bank_accounts.GetBankAccount(pb.GetBankAccountRequest(name=entered.name), timeout=SECONDS)
    assert shown.iban == GOOD
    read = anna.approvals.GetProposal(approvals_pb2.GetProposalRequest(name=entered.proposal), timeout=SECONDS)
    assert GOOD.encode() not in read.content
    assert entered.sha256.hex().encode() in read.content


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"iban": WRONG}, "iban"),
        ({"bic": "NOTABAN"}, "bic"),
        ({"holder": "Bäcker"}, "holder"),
        ({"clearing": True}, "clearing"),
    ],
)
def test_what_cannot_be_right_is_refused_and_not_repeated(anna: Calls, facts: dict[str, str], field: str) -> None:
    request = addition("shop-three", **facts)
    found = Refused.of(lambda: anna.bank_accounts.AddBankAccount(request, timeout=SECONDS))
    assert (found.code.name, found.reason) == ("INVALID_ARGUMENT", "BANK_ACCOUNT_INVALID")
    assert found.metadata["field"] == field
    assert WRONG not in found.text + str(found.metadata)
    listed = pb.ListBankAccountsRequest(parent="partners/shop-three")
    assert not anna.bank_accounts.ListBankAccounts(listed, timeout=SECONDS).bank_accounts


def test_no_account_number_is_in_the_log(platform: RunningPlatform, anna: Calls) -> None:
    anna.bank_accounts.AddBankAccount(addition("shop-four"), timeout=SECONDS)
    refused(lambda: anna.bank_accounts.AddBankAccount(addition("shop-four", WRONG), timeout=SECONDS))
    written = b"".join(path.read_bytes() for path in platform.home.logs.glob("settlement*"))
    assert written
    assert GOOD.encode() not in written
    assert WRONG.encode() not in written


def test_what_is_not_there_is_said_to_be_so(anna: Calls) -> None:
    instruction = "batches/99/instructions/B99-nobody-1"
    calls = anna.payments
    missing = ("NOT_FOUND", "INSTRUCTION_NOT_FOUND")
    assert refused(lambda: calls.GetInstruction(pb.GetInstructionRequest(name=instruction), timeout=SECONDS)) == missing
    supersede = pb.SupersedeInstructionRequest(name=instruction, request_id=fresh_id(), why="a test")
    assert refused(lambda: calls.SupersedeInstruction(supersede, timeout=SECONDS)) == missing
    carry = pb.CarryOverRequest(name=instruction, request_id=fresh_id(), why="a test")
    assert refused(lambda: calls.CarryOver(carry, timeout=SECONDS)) == missing
    resolve = pb.ResolveUnknownRequest(
        name=instruction,
        request_id=fresh_id(),
        outcome=pb.INSTRUCTION_STATE_BOOKED,
        document=b"a letter",
        document_title="letter",
    )
    assert refused(lambda: calls.ResolveUnknown(resolve, timeout=SECONDS)) == missing
    missing = ("NOT_FOUND", "PAYMENT_FILE_NOT_FOUND")
    name = "files/B99-R1-F1"
    assert refused(lambda: calls.GetPaymentFile(pb.GetPaymentFileRequest(name=name), timeout=SECONDS)) == missing
    assert refused(lambda: calls.DownloadFile(pb.DownloadFileRequest(name=name), timeout=SECONDS)) == missing
    approve = pb.ApproveFileRequest(name=name, request_id=fresh_id(), sha256=bytes(32))
    assert refused(lambda: calls.ApproveFile(approve, timeout=SECONDS)) == missing
    mark = pb.MarkTransmittedRequest(name=name, request_id=fresh_id())
    assert refused(lambda: calls.MarkTransmitted(mark, timeout=SECONDS)) == missing
    resolve.outcome = pb.INSTRUCTION_STATE_FINAL
    assert refused(lambda: calls.ResolveUnknown(resolve, timeout=SECONDS))[0] == "INVALID_ARGUMENT"


def test_lists_without_anything_are_empty(anna: Calls) -> None:
    listed = anna.payments.ListInstructions(pb.ListInstructionsRequest(parent="batches/99"), timeout=SECONDS)
    assert not listed.instructions
    files = anna.payments.ListPaymentFiles(pb.ListPaymentFilesRequest(parent="batches/99"), timeout=SECONDS)
    assert not files.payment_files
