"""Caps over the wire: proposed here, in force when another person approves; and who is suspended."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import grpc
from coalition.settlement.v1 import batches_pb2 as pb
from coalition.settlement.v1 import batches_pb2_grpc as rpc
from google.type.money_pb2 import Money
from sqlalchemy import Connection

from services.settlement.api.once import Once
from services.settlement.domain.batch.refusals import CapNotFound
from services.settlement.domain.proposal import Kind
from services.settlement.domain.refusals import ContractNotFound, RateNotExact
from services.settlement.store import allowances, caps, proposals
from services.settlement.store.caps import Cap, Suspension
from services.settlement.store.positions import position
from shared.canonical import Canonical
from shared.clock import Clock
from shared.db.sessions import Sessions
from shared.money import decimal_text
from shared.rpc import wire
from shared.rpc.caller import Role, caller
from shared.rpc.deadline import time_left
from shared.rpc.pages import open_page, page_size, query_fingerprint, seal_page

_PLACES = 9


class CapServicer(rpc.CapServiceServicer):
    """`then` is called when a cap may have changed what partners may award."""

    def __init__(
        self, sessions: Sessions, clock: Clock, page_key: bytes, then: Callable[[], None] = lambda: None
    ) -> None:
        self._sessions = sessions
        self._clock = clock
        self._page_key = page_key
        self._once = Once(sessions, clock)
        self._then = then

    def SetCap(self, request: pb.SetCapRequest, context: grpc.ServicerContext) -> pb.Cap:
        by, at = caller(context).principal, self._clock.now()
        content: Canonical = _content(request.cap)

        def propose(connection: Connection) -> str:
            partner = request.parent.removeprefix("partners/")
            currency = position(connection, partner, at).currency
            if currency != request.cap.net_debit_cap.currency_code:
                raise wire.WrongCurrency(
                    field="cap.net_debit_cap", given=request.cap.net_debit_cap.currency_code, expected=currency
                )
            return proposals.propose(connection, Kind.CAP, request.parent, content, by, at).name

        proposal = self._once("SetCap", request.request_id, [request.parent, content], context, propose)
        answer = pb.Cap(name=f"{request.parent}/cap", proposal=proposal)
        answer.net_debit_cap.CopyFrom(request.cap.net_debit_cap)
        answer.alert_threshold.CopyFrom(request.cap.alert_threshold)
        answer.outstanding_weight.CopyFrom(request.cap.outstanding_weight)
        return answer

    def GetCap(self, request: pb.GetCapRequest, context: grpc.ServicerContext) -> pb.Cap:
        by, partner = caller(context), request.name.split("/")[1]
        if by.role is Role.PARTNER and by.partner != partner:
            raise CapNotFound(partner=partner)
        with self._sessions.snapshot(time_left(context)) as connection:
            return _cap_pb(connection, caps.found(connection, partner))

    def ListCaps(self, request: pb.ListCapsRequest, context: grpc.ServicerContext) -> pb.ListCapsResponse:
        size, bound = page_size(request.page_size), query_fingerprint("ListCaps", caller(context), request)
        opened = open_page(self._page_key, bound, request.page_token)
        with self._sessions.snapshot(time_left(context)) as connection:
            found = caps.page(connection, str(opened[0]) if opened else "", size + 1)
            shown = [_cap_pb(connection, one) for one in found[:size]]
        token = seal_page(self._page_key, bound, [found[size - 1].partner]) if len(found) > size else ""
        return pb.ListCapsResponse(caps=shown, next_page_token=token)

    def SuspendPartner(self, request: pb.SuspendPartnerRequest, context: grpc.ServicerContext) -> pb.Suspension:
        return self._decided("SuspendPartner", request, context, caps.suspend)

    def ResumePartner(self, request: pb.ResumePartnerRequest, context: grpc.ServicerContext) -> pb.Suspension:
        return self._decided("ResumePartner", request, context, caps.resume)

    def _decided(
        self,
        method: str,
        request: pb.SuspendPartnerRequest | pb.ResumePartnerRequest,
        context: grpc.ServicerContext,
        decide: Callable[..., Suspension],
    ) -> pb.Suspension:
        by, at = caller(context).principal, self._clock.now()
        partner = request.partner.removeprefix("partners/")

        def act(connection: Connection) -> str:
            decide(connection, partner, request.reason, by, at)
            return request.partner

        self._once(method, request.request_id, [request.partner, request.reason], context, act)
        self._then()
        with self._sessions.reading(time_left(context)) as connection:
            newest = caps.suspension(connection, partner)
        if newest is None:
            raise ContractNotFound(partner=partner)
        return pb.Suspension(
            partner=request.partner,
            suspended=newest.suspended,
            reason=newest.why,
            user=newest.by,
            decide_time=wire.timestamp(newest.at),
        )


def _content(cap: pb.Cap) -> dict[str, Canonical]:
    """What is approved. Raises WrongCurrency, NotMoney, RateNotExact."""
    currency = cap.net_debit_cap.currency_code
    weight = wire.decimal_of(cap.outstanding_weight, "cap.outstanding_weight") if _given(cap) else Decimal(0)
    places = weight.as_tuple().exponent
    if not 0 <= weight <= 1 or (isinstance(places, int) and places < -_PLACES):
        raise RateNotExact(field="cap.outstanding_weight", value=str(weight))
    return {
        "currency": currency,
        "cap_minor": _minor(cap.net_debit_cap, currency, "cap.net_debit_cap"),
        "alert_minor": _minor(cap.alert_threshold, currency, "cap.alert_threshold")
        if cap.HasField("alert_threshold")
        else 0,
        "outstanding_weight": decimal_text(weight),
    }


def _given(cap: pb.Cap) -> bool:
    return cap.HasField("outstanding_weight")


def _minor(amount: Money, currency: str, field: str) -> int:
    minor = wire.minor_of(amount, currency, field)
    if minor < 0:
        raise wire.NotMoney(field=field, currency=currency)
    return minor


def _cap_pb(connection: Connection, cap: Cap) -> pb.Cap:
    limit, told = allowances.of(connection, cap.partner)
    return pb.Cap(
        name=f"partners/{cap.partner}/cap",
        net_debit_cap=wire.money_pb(cap.cap_minor, cap.currency),
        alert_threshold=wire.money_pb(cap.alert_minor, cap.currency) if cap.alert_minor else None,
        outstanding_weight=wire.decimal_pb(cap.weight),
        version=cap.version,
        set_time=wire.timestamp(cap.set_at) if cap.set_at else None,
        limit_points=limit,
        told=told,
    )
