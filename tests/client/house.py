"""A small platform for the client alone: real stubs over real mTLS, answers as the test says.

What the platform itself says is tried against the running one in `test_against_the_platform.py`.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn, TypeVar

import grpc
from coalition.identity.v1 import identity_pb2 as identity
from coalition.ledger.v1 import ledger_pb2 as ledger
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from shared.credentials.authority import Authority

Request = TypeVar("Request", bound=Message)
Behaviour = Callable[[Request, grpc.ServicerContext], Message]

ISSUE = "/coalition.identity.v1.TokenService/IssueToken"
AWARD = "/coalition.ledger.v1.LedgerService/AwardPoints"
LIST = "/coalition.ledger.v1.LedgerService/ListEntries"
PROVE = "/coalition.ledger.v1.LedgerService/GetInclusionProof"
REQUESTS: dict[str, type[Message]] = {
    ISSUE: identity.IssueTokenRequest,
    AWARD: ledger.AwardPointsRequest,
    LIST: ledger.ListEntriesRequest,
    PROVE: ledger.GetInclusionProofRequest,
}
SECRET = "the secret"


class House(grpc.GenericRpcHandler):
    """One server that stands for all four services, the kit of one partner, and what it was asked."""

    def __init__(self, folder: Path, *, concurrent: int | None = None, largest: int = 4 * 1024 * 1024) -> None:
        self.authority = Authority.founded(folder / "authority")
        self.kit = folder / "kit"
        self.lifetime = timedelta(minutes=15)
        self.issued: list[str] = []
        self.bearers: list[str] = []
        self.seconds: list[float] = []
        self.good: set[str] = set()
        self.behaviours: dict[str, Behaviour[Message]] = {ISSUE: self._issue}
        self._server = grpc.server(
            ThreadPoolExecutor(8),
            maximum_concurrent_rpcs=concurrent,
            options=[("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", largest)],
        )
        self._server.add_generic_rpc_handlers((self,))
        self.port = self._server.add_secure_port("127.0.0.1:0", self._credentials())
        self._server.start()
        self.write_kit()

    def on(self, method: str, behaviour: Behaviour[Request]) -> None:
        """Say how a method answers from now on."""
        self.behaviours[method] = behaviour  # type: ignore[assignment]  # REQUESTS says which type it gets

    def write_kit(self) -> None:
        leaf = self.authority.partner("grocer")
        self.kit.mkdir(exist_ok=True)
        for name, source in (
            ("ca.pem", leaf.ca_file),
            ("tls.pem", leaf.certificate_file),
            ("tls.key", leaf.key_file),
        ):
            (self.kit / name).write_bytes(source.read_bytes())
        (self.kit / "secret").write_text(SECRET + "\n")
        target = f"127.0.0.1:{self.port}"
        content = {
            "partner": "grocer",
            "credential": "partners/grocer/credentials/0190b6a0-0000-7000-8000-000000000000",
            "targets": dict.fromkeys(("identity", "ledger", "catalogue", "settlement"), target),
        }
        (self.kit / "credential.json").write_text(json.dumps(content))

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Message, Message] | None:
        """gRPC asks for each call; a method without a behaviour is unknown here."""
        behaviour = self.behaviours.get(details.method)
        if behaviour is None:
            return None
        return grpc.unary_unary_rpc_method_handler(
            lambda request, context: self._answer(details.method, behaviour, request, context),
            request_deserializer=REQUESTS[details.method].FromString,
            response_serializer=lambda message: message.SerializeToString(),
        )

    def stop(self) -> None:
        self._server.stop(None).wait()

    def _answer(
        self, method: str, behaviour: Behaviour[Message], request: Message, context: grpc.ServicerContext
    ) -> Message:
        if method != ISSUE:
            bearer = dict(context.invocation_metadata()).get("authorization", "")
            assert isinstance(bearer, str)
            self.bearers.append(bearer.removeprefix("Bearer "))
            self.seconds.append(context.time_remaining())
            if self.bearers[-1] not in self.good:
                refuse(context, grpc.StatusCode.UNAUTHENTICATED, "TOKEN_EXPIRED")
        return behaviour(request, context)

    def _issue(self, request: Message, context: grpc.ServicerContext) -> Message:
        assert isinstance(request, identity.IssueTokenRequest)
        assert "authorization" not in dict(context.invocation_metadata())
        if request.secret != SECRET:
            refuse(context, grpc.StatusCode.UNAUTHENTICATED, "CREDENTIAL_REFUSED")
        self.issued.append(secrets.token_hex(8))
        self.good = {self.issued[-1]}
        answer = identity.IssueTokenResponse(access_token=self.issued[-1])
        answer.expire_time.FromDatetime(datetime.now(UTC) + self.lifetime)
        return answer

    def _credentials(self) -> grpc.ServerCredentials:
        leaf = self.authority.service("ledger")
        pair = (leaf.key_file.read_bytes(), leaf.certificate_file.read_bytes())
        return grpc.ssl_server_credentials([pair], leaf.ca_file.read_bytes(), require_client_auth=True)


def refuse(
    context: grpc.ServicerContext,
    code: grpc.StatusCode,
    reason: str,
    metadata: dict[str, str] | None = None,
    details: Sequence[Message] = (),
) -> NoReturn:
    """Answer as the platform does."""
    status = status_of(code, reason, metadata, details)
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()), ("x-request-id", "c0ffee")))
    context.abort(code, status.message)
    raise AssertionError("abort raises")


def status_of(
    code: grpc.StatusCode, reason: str, metadata: dict[str, str] | None = None, details: Sequence[Message] = ()
) -> Status:
    """A refusal as it travels."""
    status = Status(code=code.value[0], message=f"That is {reason}.")
    for detail in (ErrorInfo(reason=reason, domain="coalition", metadata=metadata or {}), *details):
        packed = AnyMessage()
        packed.Pack(detail)
        status.details.append(packed)
    return status
