"""Members: who collects, what is known of them, and the wish to become one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from uuid import UUID

from services.identity.domain.identifiers import Identifier
from shared.canonical import canonical
from shared.refusal import Kind, Refusal


class MemberState(Enum):
    """Whether a member may collect. The names are stored: they do not change."""

    ACTIVE = "ACTIVE"
    BLOCKED = "BLOCKED"


class MemberNotFound(Refusal):
    """Unknown, blocked, or known to another partner by that name: they look alike on purpose."""

    kind = Kind.NOT_THERE
    message = "There is no such member."
    remedy = "Check what the member showed."


class RequestIdReused(Refusal):
    """One id, two meanings."""

    kind = Kind.ALREADY
    message = "Request id {request_id} was used before to enrol somebody else, or with other details."
    remedy = "Make a new request id for each enrolment; repeat a request with the same content."


class CodeSeedNotAllowed(Refusal):
    """Who has the seed can spend."""

    kind = Kind.NOT_ALLOWED
    message = "The seed of the rotating code is for the operator alone."
    remedy = "Enrol without `with_code_seed`; the member's app gets the seed from the operator."


@dataclass(frozen=True, slots=True)
class Member:
    """A person or company that collects. Nothing here is personal data."""

    member_id: UUID
    wallet_id: UUID
    state: MemberState
    terms_version: str
    segments: tuple[str, ...]
    created_at: datetime

    @property
    def active(self) -> bool:
        return self.state is MemberState.ACTIVE


@dataclass(frozen=True, slots=True)
class Personal:
    """What only the operator sees."""

    number: str = field(repr=False)
    full_name: str = field(repr=False)
    identifiers: tuple[Identifier, ...]


@dataclass(frozen=True, slots=True)
class Wish:
    """The wish to become a member."""

    request_id: UUID
    identifiers: tuple[Identifier, ...]
    terms_version: str
    full_name: str = field(repr=False)
    with_code_seed: bool

    def meaning(self) -> bytes:
        """What two requests with one id must share. It holds personal data: keep a keyed hash, never the bytes."""
        return canonical(
            {
                "identifiers": sorted([found.type.value, found.value] for found in self.identifiers),
                "terms_version": self.terms_version,
                "full_name": self.full_name,
                "with_code_seed": int(self.with_code_seed),
            }
        )


@dataclass(frozen=True, slots=True)
class Enrolled:
    """The answer to a wish; a repeat gets the same one, whatever happened to the member since."""

    member: Member
    personal: Personal
    code_seed: bytes | None = field(repr=False)
    replay: bool
