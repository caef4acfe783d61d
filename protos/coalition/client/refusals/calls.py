"""What any call may meet: the request, the id, the token, the service, and gRPC's own answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from coalition.client.refused import Refused


class InvalidRequest(Refused):
    """A field breaks a rule of the contract: see `violations`."""


class RequestIdReused(Refused):
    """The id was used before, with another meaning."""

    @property
    def first(self) -> str:
        """The name of what it was used for: an entry, or another resource."""
        return self.fact("entry") or self.fact("first")


class ReceiptAlreadyUsed(Refused):
    """The receipt has earned already."""

    @property
    def first(self) -> str:
        """What it earned then: the name of the entry or of the purchase."""
        return self.fact("entry") or self.fact("purchase")


class NotAllowed(Refused):
    """Not for partners."""


class TokenExpired(Refused):
    """The client renews tokens by itself; this one could not be renewed."""


class TokenInvalid(Refused):
    """Not a token for this service."""


class RateLimited(Refused):
    """Too many calls; see `retry_after`."""


class OutcomeUnknown(Refused):
    """Nobody knows yet whether it counted. Repeat with the same request id: the answer says what happened."""


class InternalFault(Refused):
    """A bug of the platform."""

    @property
    def incident(self) -> str:
        """What to report to the operator."""
        return self.fact("incident")


class ServiceUnavailable(Refused):
    """Nothing answered, or what answered could not work: gRPC's own answer."""


class DeadlineExceeded(Refused):
    """No answer in time: whether it happened is not known. gRPC's own answer."""


class ServiceBusy(Refused):
    """More calls at once than the service takes: gRPC's own answer."""


class MessageTooLarge(Refused):
    """Larger than the method, or gRPC, takes."""

    @property
    def repeatable(self) -> bool:
        return False


class MethodUnknown(Refused):
    """The service does not have the method: this client is newer than it. gRPC's own answer."""


class CallCancelled(Refused):
    """The call was given up before it was answered: gRPC's own answer."""


TYPES: Final[Mapping[str, type[Refused]]] = {
    "INVALID_REQUEST": InvalidRequest,
    "REQUEST_ID_REUSED": RequestIdReused,
    "RECEIPT_ALREADY_USED": ReceiptAlreadyUsed,
    "NOT_ALLOWED": NotAllowed,
    "TOKEN_EXPIRED": TokenExpired,
    "TOKEN_INVALID": TokenInvalid,
    "RATE_LIMITED": RateLimited,
    "OUTCOME_UNKNOWN": OutcomeUnknown,
    "INTERNAL_FAULT": InternalFault,
    "SERVICE_UNAVAILABLE": ServiceUnavailable,
    "DEADLINE_EXCEEDED": DeadlineExceeded,
    "SERVICE_BUSY": ServiceBusy,
    "MESSAGE_TOO_LARGE": MessageTooLarge,
    "METHOD_UNKNOWN": MethodUnknown,
    "CALL_CANCELLED": CallCancelled,
}
