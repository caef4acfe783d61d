"""Funding over the wire: the operator's own money is proposed here, and what can be paid is told."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import grpc
from coalition.settlement.v1 import funding_pb2 as pb
from coalition.settlement.v1 import funding_pb2_grpc as rpc
from sqlalchemy import Connection

from services.settlement.api.once import Once
from services.settlement.domain.prefunding import Prefunding, Standing
from services.settlement.domain.refusals import CurrencyUnknown
from services.settlement.store import prefundings
from shared.clock import Clock
from shared.db.sessions import Sessions
from shared.instants import instant, micros
from shared.money import UnknownCurrency, exponent_of
from shared.rpc import wire
from shared.rpc.caller import caller
from shared.rpc.deadline import time_left
from shared.rpc.pages import open_page, page_size, query_fingerprint, seal_page

_BEFORE_ALL = datetime(1, 1, 1, tzinfo=UTC)


class FundingServicer(rpc.FundingServiceServicer):
    """Has prefundings proposed, lists them, and says what is free."""

    def __init__(self, sessions: Sessions, clock: Clock, page_key: bytes) -> None:
        self._sessions = sessions
        self._clock = clock
        self._page_key = page_key
        self._once = Once(sessions, clock)

    def AddPrefunding(self, request: pb.AddPrefundingRequest, context: grpc.ServicerContext) -> pb.Prefunding:
        by, at, request_id = caller(context).principal, self._clock.now(), UUID(request.request_id)
        currency, minor = _amount(request.prefunding)
        source = request.prefunding.source

        def propose(connection: Connection) -> str:
            return prefundings.propose(connection, currency, minor, source, by, at, request_id).name

        proposal = self._once("AddPrefunding", request.request_id, [currency, minor, source], context, propose)
        return pb.Prefunding(
            name=f"prefundings/{request_id}",
            amount=wire.money_pb(minor, currency),
            source=source,
            proposal=proposal,
        )

    def GetPrefunding(self, request: pb.GetPrefundingRequest, context: grpc.ServicerContext) -> pb.Prefunding:
        with self._sessions.reading(time_left(context)) as connection:
            return _prefunding_pb(prefundings.found(connection, request.name))

    def ListPrefundings(
        self, request: pb.ListPrefundingsRequest, context: grpc.ServicerContext
    ) -> pb.ListPrefundingsResponse:
        size, bound = page_size(request.page_size), query_fingerprint("ListPrefundings", caller(context), request)
        position = open_page(self._page_key, bound, request.page_token)
        after = (instant(int(position[0])), str(position[1])) if position else (_BEFORE_ALL, "")
        with self._sessions.reading(time_left(context)) as connection:
            found = prefundings.page(connection, after, size + 1)
        last = found[size - 1] if len(found) > size else None
        token = seal_page(self._page_key, bound, [micros(last.created_at), last.name]) if last else ""
        return pb.ListPrefundingsResponse(
            prefundings=[_prefunding_pb(one) for one in found[:size]], next_page_token=token
        )

    def GetFunding(self, request: pb.GetFundingRequest, context: grpc.ServicerContext) -> pb.Funding:
        with self._sessions.snapshot(time_left(context)) as connection:
            return pb.Funding(currencies=[_standing_pb(one) for one in prefundings.standing(connection)])


def _amount(prefunding: pb.Prefunding) -> tuple[str, int]:
    """Currency and minor units. Raises CurrencyUnknown, NotMoney."""
    currency = prefunding.amount.currency_code
    try:
        exponent_of(currency)
    except UnknownCurrency:
        raise CurrencyUnknown(field="prefunding.amount.currency_code", currency=currency[:8]) from None
    minor = wire.minor_of(prefunding.amount, currency, "prefunding.amount")
    if not minor:
        raise wire.NotMoney(field="prefunding.amount", currency=currency)
    return currency, minor


def _prefunding_pb(one: Prefunding) -> pb.Prefunding:
    return pb.Prefunding(
        name=one.name,
        amount=wire.money_pb(one.amount_minor, one.currency),
        source=one.source,
        proposal=one.proposal,
        create_time=wire.timestamp(one.created_at),
    )


def _standing_pb(one: Standing) -> pb.CurrencyFunding:
    return pb.CurrencyFunding(
        free=wire.money_pb(one.free_minor, one.currency),
        waiting=wire.money_pb(one.waiting_minor, one.currency),
        missing=wire.money_pb(one.missing_minor, one.currency),
    )
