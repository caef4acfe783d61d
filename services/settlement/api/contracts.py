"""Terms: published by the operator, read by the partner they bind."""

from __future__ import annotations

from hashlib import sha256
from uuid import UUID

import grpc
from coalition.settlement.v1 import settlement_pb2 as pb
from coalition.settlement.v1 import settlement_pb2_grpc as rpc

from services.settlement.api.answers import position_pb, version_pb
from services.settlement.api.worker import Worker
from services.settlement.domain.contract import Rounding, Terms, Timing
from services.settlement.domain.lines import key_of
from services.settlement.domain.refusals import ContractNotFound, CurrencyUnknown, RateNotExact
from services.settlement.store import books
from services.settlement.store.contracts import Contracts, price_book, versions_known
from services.settlement.store.ingest import positions
from shared.canonical import canonical
from shared.clock import Clock
from shared.db.sessions import Sessions
from shared.instants import micros
from shared.money import NotARate, Rate, UnknownCurrency
from shared.rpc import wire
from shared.rpc.caller import Caller, Role, caller
from shared.rpc.deadline import time_left
from shared.rpc.pages import open_page, page_size, query_fingerprint, seal_page
from shared.rpc.replay import mark_replay

_HIGHEST = Rate.of("1000")
"""More per point is a slip of the pen, and would take a bill beyond 64 bits."""


class ContractServicer(rpc.ContractServiceServicer):
    """Publishes versions, lists them, and says what a partner owes now."""

    def __init__(self, sessions: Sessions, contracts: Contracts, worker: Worker, clock: Clock, page_key: bytes) -> None:
        self._sessions = sessions
        self._contracts = contracts
        self._worker = worker
        self._clock = clock
        self._page_key = page_key

    def PublishContractVersion(
        self, request: pb.PublishContractVersionRequest, context: grpc.ServicerContext
    ) -> pb.ContractVersion:
        partner, terms = request.parent.removeprefix("partners/"), _terms(request.contract_version)
        published, again = self._contracts.published(
            partner,
            terms,
            UUID(request.request_id),
            _meaning(partner, terms),
            self._clock.now(),
            time_left(context),
        )
        if again:
            mark_replay(context)
        self._worker.hurry()  # entries may have waited for these terms
        return version_pb(published)

    def ListContractVersions(
        self, request: pb.ListContractVersionsRequest, context: grpc.ServicerContext
    ) -> pb.ListContractVersionsResponse:
        by = caller(context)
        partner = request.parent.removeprefix("partners/")
        check_own(by, partner)
        size, bound = page_size(request.page_size), query_fingerprint("ListContractVersions", by, request)
        position = open_page(self._page_key, bound, request.page_token)
        found = self._contracts.of_partner(partner, int(position[0]) if position else 0, size + 1, time_left(context))
        token = seal_page(self._page_key, bound, [found[size - 1].version.id.number]) if len(found) > size else ""
        return pb.ListContractVersionsResponse(
            contract_versions=[version_pb(one) for one in found[:size]], next_page_token=token
        )

    def GetPosition(self, request: pb.GetPositionRequest, context: grpc.ServicerContext) -> pb.Position:
        partner = request.name.split("/")[1]
        check_own(caller(context), partner)
        with self._sessions.snapshot(time_left(context)) as connection:
            book = price_book(connection, versions_known(connection))
            newest = book.in_force(partner, micros(self._clock.now()))
            owed = books.open_points(connection, partner)
            entry_count = sum(position.seq for position, _ in positions(connection).values())
        if newest is None and not owed:
            raise ContractNotFound(partner=partner)
        currency = book.terms(newest or owed[0][1]).currency
        priced = [(key_of(leg, version, book), points) for leg, version, points in owed]
        own = [(key, points) for key, points in priced if key.currency == currency]
        return position_pb(partner, own, currency, entry_count)


def check_own(by: Caller, partner: str) -> None:
    """Another partner's contract is not there."""
    if by.role is Role.PARTNER and by.partner != partner:
        raise ContractNotFound(partner=partner)


def _terms(version: pb.ContractVersion) -> Terms:
    issuance = _rate(version.rate_at_issuance.value, "contract_version.rate_at_issuance")
    reimbursement = _rate(version.reimbursement_rate.value, "contract_version.reimbursement_rate")
    half_up = version.rounding == pb.ROUNDING_CUMULATIVE_HALF_UP
    try:
        return Terms(
            effective_from=micros(wire.instant(version.effective_from, "contract_version.effective_from")),
            timing=Timing.AT_ISSUANCE,
            rate_at_issuance=issuance,
            reimbursement_rate=reimbursement,
            currency=version.currency,
            rounding=Rounding.CUMULATIVE_HALF_UP if half_up else Rounding.CUMULATIVE_HALF_EVEN,
        )
    except UnknownCurrency:
        raise CurrencyUnknown(field="contract_version.currency", currency=version.currency) from None


def _rate(value: str, field: str) -> Rate:
    try:
        rate = Rate.of(value)
    except NotARate:
        raise RateNotExact(field=field, value=value[:50]) from None
    if rate > _HIGHEST:
        raise RateNotExact(field=field, value=value[:50])
    return rate


def _meaning(partner: str, terms: Terms) -> bytes:
    return sha256(canonical({**terms.form, "partner": partner})).digest()
