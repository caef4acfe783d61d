"""Every method of every service, and calls of raw bytes: what a stranger with any certificate can send."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import grpc
from coalition.catalogue.v1 import catalogue_pb2
from coalition.identity.v1 import identity_pb2
from coalition.ledger.v1 import ledger_pb2, peers_pb2
from coalition.settlement.v1 import (
    approvals_pb2,
    batches_pb2,
    corrections_pb2,
    funding_pb2,
    payments_pb2,
    proofs_pb2,
    reconciliation_pb2,
    reference_pb2,
    reports_pb2,
    settlement_pb2,
    steps_pb2,
)
from google.protobuf import descriptor_pool

from services.catalogue.access import ACCESS as CATALOGUE
from services.identity.access import ACCESS as IDENTITY
from services.ledger.access import ACCESS as LEDGER
from services.settlement.access import ACCESS as SETTLEMENT
from shared.credentials.authority import Leaf
from shared.rpc.caller import Role
from shared.rpc.tls import channel_credentials

SECONDS = 30.0
ACCESS: Mapping[str, Mapping[str, frozenset[Role]]] = {
    "identity": IDENTITY,
    "ledger": LEDGER,
    "catalogue": CATALOGUE,
    "settlement": SETTLEMENT,
}
_CONTRACTS: Mapping[str, tuple[ModuleType, ...]] = {
    "identity": (identity_pb2,),
    "ledger": (ledger_pb2, peers_pb2),
    "catalogue": (catalogue_pb2,),
    "settlement": (
        approvals_pb2,
        batches_pb2,
        corrections_pb2,
        funding_pb2,
        proofs_pb2,
        reports_pb2,
        payments_pb2,
        reconciliation_pb2,
        reference_pb2,
        settlement_pb2,
        steps_pb2,
    ),
}
METHODS = {method: roles for table in ACCESS.values() for method, roles in table.items()}

Metadata = tuple[tuple[str, str], ...]


def declared(service: str) -> set[str]:
    """The methods that a service's contract declares."""
    services = [one for file in _CONTRACTS[service] for one in file.DESCRIPTOR.services_by_name.values()]
    return {f"/{one.full_name}/{method.name}" for one in services for method in one.methods}


@dataclass(frozen=True)
class Line:
    """A connection to each service with one certificate, or with none, and what every call on it carries."""

    channels: Mapping[str, grpc.Channel]
    metadata: Metadata = ()

    def send(self, method: str, content: bytes = b"") -> grpc.StatusCode:
        """What a method says to these bytes. Of a stream the first message counts."""
        channel = self.channels[service_of(method)]
        try:
            if _streams(method):
                many = channel.unary_stream(method, request_serializer=bytes, response_deserializer=bytes)
                stream = many(content, timeout=SECONDS, metadata=self.metadata)
                next(iter(stream), None)
                stream.cancel()
            else:
                one = channel.unary_unary(method, request_serializer=bytes, response_deserializer=bytes)
                one(content, timeout=SECONDS, metadata=self.metadata)
        except grpc.RpcError as error:
            return error.code()
        return grpc.StatusCode.OK

    def close(self) -> None:
        """Let the connections go."""
        for channel in self.channels.values():
            channel.close()

    def with_metadata(self, *metadata: tuple[str, str]) -> Line:
        """The same connections, with other headers."""
        return Line(self.channels, metadata)


def line_of(targets: Mapping[str, str], leaf: Leaf) -> Line:
    """Connections with this certificate. They do not try again."""
    return _opened(targets, channel_credentials(leaf.ca_file, leaf.certificate_file, leaf.key_file))


def line_without_certificate(targets: Mapping[str, str], ca_file: Path) -> Line:
    """Connections of somebody who knows whom to trust and shows nothing."""
    return _opened(targets, grpc.ssl_channel_credentials(ca_file.read_bytes()))


def line_with_foreign_certificate(targets: Mapping[str, str], ca_file: Path, leaf: Leaf) -> Line:
    """Connections of somebody who trusts our authority and shows another one's certificate."""
    return _opened(targets, channel_credentials(ca_file, leaf.certificate_file, leaf.key_file))


def bearer(token: str) -> tuple[str, str]:
    """The header with a token."""
    return ("authorization", f"Bearer {token}")


def service_of(method: str) -> str:
    """`ledger` for `/coalition.ledger.v1.LedgerService/AwardPoints`."""
    return method.split(".")[1]


def _streams(method: str) -> bool:
    service, name = method.lstrip("/").split("/")
    return bool(descriptor_pool.Default().FindServiceByName(service).methods_by_name[name].server_streaming)


def _opened(targets: Mapping[str, str], credentials: grpc.ChannelCredentials) -> Line:
    options = (("grpc.enable_retries", 0), ("grpc.use_local_subchannel_pool", 1))
    return Line({service: grpc.secure_channel(target, credentials, options) for service, target in targets.items()})
