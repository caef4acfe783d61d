"""How a client connects: mutual TLS, a ping each half minute, and patience where a repeat is safe."""

from __future__ import annotations

import json
from typing import Final

import grpc
from coalition.client.kit import Kit

DEADLINE_SECONDS: Final = 10.0
"""What a call gets that names no timeout of its own."""

# UNAVAILABLE says that nothing happened, and what moves points carries a request id: a repeat is safe.
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
OPTIONS: Final = (
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


def credentials_of(kit: Kit) -> grpc.ChannelCredentials:
    """The partner's certificate. A connection lives with the one it began with: connect again after a renewal."""
    return grpc.ssl_channel_credentials(kit.authority, private_key=kit.key, certificate_chain=kit.certificate)
