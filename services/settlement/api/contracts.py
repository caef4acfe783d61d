"""Terms: proposed by the operator, read by the partner they bind."""

from __future__ import annotations

import grpc
from coalition.settlement.v1 import settlement_pb2 as pb
from coalition.settlement.v1 import settlement_pb2_grpc as rpc
from sqlalchemy import Connection

from services.settlement.api.answers import position_pb, version_pb
from services.settlement.api.once import Once
from services.settlement.api.terms import terms_of
from services.settlement.domain.lines import line_of
from services.settlement.domain.refusals import ContractNotFound
from services.settlement.store import books, caps, contracts
from services.settlement.store.contracts import Contracts, price_book, versions_known
from services.settlement.store.ingest import positions
from services.settlement.store.positions import NO_WEIGHT, position
from shared.clock import Clock
from shared.db.sessions import Sessions
from shared.rpc.caller import Caller, Role, caller
from shared.rpc.deadline import time_left
from shared.rpc.pages import open_page, page_size, query_fingerprint, seal_page


class ContractServicer(rpc.ContractServiceServicer):
    """Has versions proposed, lists them, and says what a partner owes now."""

    def __init__(self, sessions: Sessions, clock: Clock, page_key: bytes) -> None:
        self._sessions = sessions
        self._contracts = Contracts(sessions)
        self._once = Once(sessions, clock)
        self._clock = clock
        self._page_key = page_key

    def PublishContractVersion(
        self, request: pb.PublishContractVersionRequest, context: grpc.ServicerContext
    ) -> pb.ContractVersion:
        partner, terms = request.parent.removeprefix("partners/"), terms_of(request.contract_version)
        by, at = caller(context).principal, self._clock.now()

        def propose(connection: Connection) -> str:
            return contracts.propose(connection, partner, terms, by, at)

        meaning = {**terms.form, "partner": partner}
        name = self._once("PublishContractVersion", request.request_id, meaning, context, propose)
        with self._sessions.reading(time_left(context)) as connection:
            return version_pb(contracts.proposed(connection, name))

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
            cap = caps.in_force(connection, [partner]).get(partner)
            stands = position(connection, partner, self._clock.now(), cap.weight if cap else NO_WEIGHT)
            owed = [(line_of(rollup, book), rollup.points) for rollup in books.open_rollups(connection, partner)]
            entry_count = sum(reached.seq for reached, _ in positions(connection).values())
        return position_pb(stands, [one for one in owed if one[0].currency == stands.currency], entry_count)


def check_own(by: Caller, partner: str) -> None:
    """Another partner's contract is not there."""
    if by.role is Role.PARTNER and by.partner != partner:
        raise ContractNotFound(partner=partner)
