"""Bank accounts over the wire. Numbers come in here and go out to the operator only; no refusal and no log has one."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from uuid import UUID

import grpc
from coalition.settlement.v1 import payments_pb2 as pb
from coalition.settlement.v1 import payments_pb2_grpc as rpc
from sqlalchemy import Connection

from services.settlement.api.once import Once
from services.settlement.api.payment_answers import bank_account_pb
from services.settlement.domain.account import Account, Channel, Mandate, Purpose
from services.settlement.domain.contract import OPERATOR
from services.settlement.domain.refusals import BankAccountInvalid, CurrencyUnknown
from services.settlement.formats import bank_numbers
from services.settlement.store import accounts
from shared.clock import Clock
from shared.db.sessions import Sessions
from shared.money import UnknownCurrency, exponent_of
from shared.rpc import wire
from shared.rpc.caller import caller
from shared.rpc.deadline import time_left
from shared.rpc.pages import open_page, page_size, query_fingerprint, seal_page

_CHANNEL = "VERIFICATION_CHANNEL_"
_CHANNELS = {number: Channel(name.removeprefix(_CHANNEL)) for name, number in pb.VerificationChannel.items() if number}


class BankAccountServicer(rpc.BankAccountServiceServicer):
    """Enters accounts, has them confirmed, shows them. `cooling` is how long a changed account waits for money."""

    def __init__(self, sessions: Sessions, clock: Clock, page_key: bytes, cooling: timedelta) -> None:
        self._sessions = sessions
        self._clock = clock
        self._page_key = page_key
        self._cooling = cooling
        self._once = Once(sessions, clock)

    def AddBankAccount(self, request: pb.AddBankAccountRequest, context: grpc.ServicerContext) -> pb.BankAccount:
        account = _account(request)
        by, at, request_id = caller(context).principal, self._clock.now(), UUID(request.request_id)

        def enter(connection: Connection) -> str:
            return accounts.enter(connection, account, by, at, request_id).name

        meaning = sha256(account.bytes).hexdigest()
        return self._found(self._once("AddBankAccount", request.request_id, meaning, context, enter), context)

    def VerifyBankAccount(self, request: pb.VerifyBankAccountRequest, context: grpc.ServicerContext) -> pb.BankAccount:
        by, at, channel = caller(context).principal, self._clock.now(), _CHANNELS[request.channel]

        def verify(connection: Connection) -> str:
            return accounts.verify(connection, request.name, channel, request.note, self._cooling, by, at).name

        meaning = [request.name, channel.value, request.note]
        return self._found(self._once("VerifyBankAccount", request.request_id, meaning, context, verify), context)

    def GetBankAccount(self, request: pb.GetBankAccountRequest, context: grpc.ServicerContext) -> pb.BankAccount:
        return self._found(request.name, context)

    def ListBankAccounts(
        self, request: pb.ListBankAccountsRequest, context: grpc.ServicerContext
    ) -> pb.ListBankAccountsResponse:
        size, bound = page_size(request.page_size), query_fingerprint("ListBankAccounts", caller(context), request)
        position = open_page(self._page_key, bound, request.page_token)
        with self._sessions.reading(time_left(context)) as connection:
            owner = request.parent.removeprefix("partners/")
            found = accounts.page(connection, owner, int(position[0]) if position else 0, size + 1)
        more = len(found) > size
        token = seal_page(self._page_key, bound, [int(found[size - 1].name.rpartition("/")[2])]) if more else ""
        shown = [bank_account_pb(one, whole=False) for one in found[:size]]
        return pb.ListBankAccountsResponse(bank_accounts=shown, next_page_token=token)

    def _found(self, name: str, context: grpc.ServicerContext) -> pb.BankAccount:
        with self._sessions.reading(time_left(context)) as connection:
            return bank_account_pb(accounts.found(connection, name), whole=True)


def _account(request: pb.AddBankAccountRequest) -> Account:
    """The account, as it will be kept. Raises BankAccountInvalid, CurrencyUnknown."""
    wanted, partner = request.bank_account, request.parent.removeprefix("partners/")
    if wanted.clearing and partner != OPERATOR:
        raise BankAccountInvalid(field="clearing", why="only the operator has clearing accounts")
    try:
        exponent_of(wanted.currency)
    except UnknownCurrency:
        raise CurrencyUnknown(field="bank_account.currency", currency=wanted.currency) from None
    iban = bank_numbers.iban_of(wanted.iban)
    mandate = wanted.mandate
    return Account(
        partner=partner,
        purpose=Purpose.CLEARING if wanted.clearing else Purpose.PARTNER,
        currency=wanted.currency,
        holder=bank_numbers.holder_of(wanted.holder),
        iban=iban,
        bic=bank_numbers.bic_of(wanted.bic, iban),
        mandate=Mandate(mandate.mandate_id, wire.day(mandate.sign_date, "sign_date")) if mandate.mandate_id else None,
        creditor_id=wanted.creditor_id,
    )
