"""Bank accounts, instructions and files as messages."""

from __future__ import annotations

from coalition.settlement.v1 import payments_pb2 as pb

from services.settlement.domain.account import masked
from services.settlement.store import accounts
from services.settlement.store.files import File
from services.settlement.store.instructions import Stored
from shared.rpc import wire


def bank_account_pb(stored: accounts.Stored, *, whole: bool) -> pb.BankAccount:
    """An account; its number is masked unless it is wanted whole."""
    account = stored.account
    answer = pb.BankAccount(
        name=stored.name,
        clearing=account.is_clearing,
        currency=account.currency,
        holder=account.holder,
        iban=account.iban if whole else masked(account.iban),
        bic=account.bic,
        creditor_id=account.creditor_id,
        state=f"BANK_ACCOUNT_STATE_{stored.state}",
        proposal=stored.proposal,
        sha256=stored.sha256,
        entered_by=stored.entered_by,
        create_time=wire.timestamp(stored.entered_at),
        verified_by=stored.verified_by,
        verify_time=wire.timestamp(stored.verified_at) if stored.verified_at else None,
        usable_time=wire.timestamp(stored.usable_from) if stored.usable_from else None,
    )
    if account.mandate:
        mandate = pb.Mandate(mandate_id=account.mandate.id, sign_date=wire.date_pb(account.mandate.signed_on))
        answer.mandate.CopyFrom(mandate)
    return answer


def instruction_pb(stored: Stored, *, account_changing: bool = False, proposal: str = "") -> pb.Instruction:
    """An instruction."""
    return pb.Instruction(
        name=stored.name,
        end_to_end_id=stored.end_to_end_id,
        partner=stored.partner,
        method=f"PAYMENT_METHOD_{stored.method.value}",
        amount=wire.money_pb(stored.amount_minor, stored.currency),
        attempt=stored.attempt,
        reference=stored.reference,
        due_date=wire.date_pb(stored.due_on),
        bank_account=stored.bank_account,
        clearing_account=stored.clearing_account,
        file=f"files/{stored.msg_id}" if stored.msg_id else "",
        supersedes=stored.supersedes,
        state=f"INSTRUCTION_STATE_{stored.state}",
        etag=str(stored.etag),
        account_changing=account_changing,
        proposal=proposal,
        create_time=wire.timestamp(stored.created_at),
    )


def payment_file_pb(file: File) -> pb.PaymentFile:
    """A file without its bytes."""
    return pb.PaymentFile(
        name=file.name,
        batch=f"batches/{file.batch}",
        revision=file.revision,
        format=file.format,
        execution_date=wire.date_pb(file.on_day),
        payment_count=file.payments,
        control_sum=wire.money_pb(file.control_sum_minor, file.currency),
        sha256=file.sha256,
        replaces=f"files/{file.replaces}" if file.replaces else "",
        state=f"PAYMENT_FILE_STATE_{file.state}",
        etag=str(file.etag),
        create_time=wire.timestamp(file.created_at),
    )
