"""Kinds of refusals and gRPC's status codes: which is which, in both directions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import grpc

from shared.refusal import Kind

DOMAIN: Final = "coalition"
DETAILS_KEY: Final = "grpc-status-details-bin"

CODES: Final[Mapping[Kind, grpc.StatusCode]] = {
    Kind.MALFORMED: grpc.StatusCode.INVALID_ARGUMENT,
    Kind.UNAUTHENTICATED: grpc.StatusCode.UNAUTHENTICATED,
    Kind.NOT_ALLOWED: grpc.StatusCode.PERMISSION_DENIED,
    Kind.NOT_THERE: grpc.StatusCode.NOT_FOUND,
    Kind.NOT_NOW: grpc.StatusCode.FAILED_PRECONDITION,
    Kind.ALREADY: grpc.StatusCode.ALREADY_EXISTS,
    Kind.CHANGED: grpc.StatusCode.ABORTED,
    Kind.TOO_MUCH: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Kind.OUTSIDE: grpc.StatusCode.OUT_OF_RANGE,
    Kind.TOO_LATE: grpc.StatusCode.DEADLINE_EXCEEDED,
    Kind.DOWN: grpc.StatusCode.UNAVAILABLE,
    Kind.BUG: grpc.StatusCode.INTERNAL,
}
KINDS: Final[Mapping[grpc.StatusCode, Kind]] = {code: kind for kind, code in CODES.items()}

NUMBERS: Final[Mapping[grpc.StatusCode, int]] = {code: code.value[0] for code in grpc.StatusCode}
