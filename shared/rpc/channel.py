"""How one service calls another: its own leaf, patience where a repeat is safe, refusals kept whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final, TypeVar

import grpc

from shared.log import fields
from shared.rpc.context import REQUEST_ID
from shared.rpc.remote import RemoteRefusal, remote_refusal
from shared.rpc.tls import channel_credentials
from shared.settings import ServiceSettings

__all__ = ["RemoteRefusal", "call", "calling_metadata", "open_channel", "peer_channel", "service_channel"]

Request = TypeVar("Request")
Response = TypeVar("Response")

# A repeat is safe because whatever moves points carries a request id.
_SERVICE_CONFIG: Final = {
    "loadBalancingConfig": [{"round_robin": {}}],
    "methodConfig": [
        {
            "name": [{}],
            "retryPolicy": {
                "maxAttempts": 4,
                "initialBackoff": "0.1s",
                "maxBackoff": "2s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ],
    "retryThrottling": {"maxTokens": 100, "tokenRatio": 0.1},
}
_OPTIONS: Final = (
    ("grpc.service_config", json.dumps(_SERVICE_CONFIG)),
    ("grpc.enable_retries", 1),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.max_receive_message_length", 16 * 1024 * 1024),
)
_PEER_OPTIONS: Final = (
    ("grpc.enable_retries", 0),
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.max_receive_message_length", -1),
)


def service_channel(target: str, settings: ServiceSettings) -> grpc.Channel:
    """A channel to another service with this service's own leaf."""
    return open_channel(target, settings.ca_file, settings.certificate_file, settings.key_file)


def peer_channel(target: str, settings: ServiceSettings) -> grpc.Channel:
    """A channel to another process of this service. It repeats nothing: the caller looks who to ask instead."""
    credentials = channel_credentials(settings.ca_file, settings.certificate_file, settings.key_file)
    return grpc.secure_channel(target, credentials, options=_PEER_OPTIONS)


def open_channel(target: str, ca_file: Path, certificate_file: Path, key_file: Path) -> grpc.Channel:
    """A channel with any leaf: an operator's on a command line, a partner's in a test."""
    return grpc.secure_channel(target, channel_credentials(ca_file, certificate_file, key_file), options=_OPTIONS)


def call(stub_method: grpc.UnaryUnaryMultiCallable[Request, Response], request: Request, *, timeout: float) -> Response:
    """The answer, or the callee's refusal as RemoteRefusal, to be handled by `reason` or passed on as it is."""
    try:
        return stub_method(request, timeout=timeout, metadata=calling_metadata())
    except grpc.RpcError as error:
        raise remote_refusal(error) from error


def calling_metadata() -> tuple[tuple[str, str | bytes], ...]:
    """What a call made on behalf of another carries: that call's id, so that the logs of both can be joined."""
    call_id = fields().get("call_id")
    return ((REQUEST_ID, call_id),) if isinstance(call_id, str) else ()
