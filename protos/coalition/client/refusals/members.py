"""What identity refuses: identifiers, rotating codes, credentials."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from coalition.client.refused import Refused


class MemberNotFound(Refused):
    """Unknown or blocked; the two look alike."""


class IdentifierTaken(Refused):
    """Another member has it."""


class CodeInvalid(Refused):
    """The rotating code is not right."""


class CodeExpired(Refused):
    """The rotating code was right a moment ago."""


class CodeAlreadyUsed(Refused):
    """Each rotating code counts once: wait for the next."""


class TooManyMisses(Refused):
    """Too many wrong identifiers or codes; see `retry_after`."""


class CredentialRefused(Refused):
    """Identity does not take the credential and its secret."""


TYPES: Final[Mapping[str, type[Refused]]] = {
    "MEMBER_NOT_FOUND": MemberNotFound,
    "IDENTIFIER_TAKEN": IdentifierTaken,
    "CODE_INVALID": CodeInvalid,
    "CODE_EXPIRED": CodeExpired,
    "CODE_ALREADY_USED": CodeAlreadyUsed,
    "TOO_MANY_MISSES": TooManyMisses,
    "CREDENTIAL_REFUSED": CredentialRefused,
}
