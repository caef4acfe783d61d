"""F22: a ledger that is away is told later, and until then the old limit holds."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from coalition.ledger.v1 import ledger_pb2 as pb

from services.settlement.api.allowances import AllowanceTeller
from services.settlement.domain.proposal import Kind
from services.settlement.store import allowances, proposals
from shared.rpc.remote import RemoteRefusal
from tests.settlement.clerk import ANNA, Clerk, terms

METHOD = "/coalition.ledger.v1.LedgerService/SetAwardAllowance"


class Listening(grpc.GenericRpcHandler):
    """A ledger's ear: what it was told, by partner."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, int, int]] = []

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler[pb.SetAwardAllowanceRequest, pb.AwardAllowance]:
        assert handler_call_details.method == METHOD
        return grpc.unary_unary_rpc_method_handler(
            self._answer,
            request_deserializer=pb.SetAwardAllowanceRequest.FromString,
            response_serializer=pb.AwardAllowance.SerializeToString,
        )

    def _answer(self, request: pb.SetAwardAllowanceRequest, context: grpc.ServicerContext) -> pb.AwardAllowance:
        self.heard.append((request.partner, request.revision, request.limit_points))
        return pb.AwardAllowance(partner=request.partner, revision=request.revision)


@pytest.fixture
def ledger() -> Iterator[tuple[grpc.Server, Listening, int]]:
    """Not started yet, but its port is known."""
    ear, server = Listening(), grpc.server(ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers((ear,))
    port = server.add_insecure_port("127.0.0.1:0")
    yield server, ear, port
    server.stop(0)


def capped(clerk: Clerk, minor: int) -> None:
    content: Any = {"currency": "EUR", "cap_minor": minor, "alert_minor": 0, "outstanding_weight": "0"}
    at = clerk.clock.now()
    proposed = clerk.do(lambda connection: proposals.propose(connection, Kind.CAP, "partners/a", content, ANNA, at))
    clerk.approve(proposed.name)


def told(clerk: Clerk) -> tuple[int, bool]:
    return clerk.do(lambda connection: allowances.of(connection, "a"))


def test_what_could_not_be_told_is_told_when_the_ledger_is_back(
    clerk: Clerk, ledger: tuple[grpc.Server, Listening, int]
) -> None:
    server, ear, port = ledger
    clerk.agrees("a", terms())
    capped(clerk, 8_000)
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        teller = AllowanceTeller(clerk.sessions, channel, clerk.clock)
        with grpc.insecure_channel("127.0.0.1:1") as nowhere, pytest.raises(RemoteRefusal):
            AllowanceTeller(clerk.sessions, nowhere, clerk.clock).step()
        limit, heard = told(clerk)
        assert (limit > 0, heard) == (True, False)
        server.start()
        teller.step()
        assert ear.heard == [("a", 1, limit)]
        assert told(clerk) == (limit, True)
        teller.step()
        assert len(ear.heard) == 1, "what stays is not told again"
        capped(clerk, 0)
        teller.step()
        assert ear.heard[1:] == [("a", 2, 0)]
