"""Partners, their stores and the credentials they call with."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from shared.refusal import Kind, Refusal

OPERATOR = "operator"
"""The operator takes part under this id, so no partner may have it."""


class PartnerNotFound(Refusal):
    """No such partner, or not the caller's own."""

    kind = Kind.NOT_THERE
    message = "There is no partner {partner} that you may see."
    remedy = "Check the name."


class PartnerAlreadyExists(Refusal):
    """The id is taken."""

    kind = Kind.ALREADY
    message = "The partner id {partner} is taken."
    remedy = "Choose another id, or use the partner that has it."


class StoreAlreadyExists(Refusal):
    """The partner has a store of this id."""

    kind = Kind.ALREADY
    message = "Partner {partner} already has a store {store}."
    remedy = "Choose another id, or use the store that has it."


class CredentialNotFound(Refusal):
    """No such credential, or not the caller's own."""

    kind = Kind.NOT_THERE
    message = "There is no credential {credential} that you may see."
    remedy = "Check the name."


class CredentialRefused(Refusal):
    """Unknown, revoked, somebody else's or a wrong secret: they look alike on purpose."""

    kind = Kind.UNAUTHENTICATED
    message = "The credential and its secret do not fit together, or the credential has ended."
    remedy = "Check both, or ask for a new credential. The client certificate must name the same partner."


@dataclass(frozen=True, slots=True)
class Partner:
    """A business in the programme."""

    partner_id: str
    display_name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Store:
    """A place of business of a partner."""

    partner_id: str
    store_id: str
    display_name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Credential:
    """What a partner exchanges for tokens. Only the hash of its secret is kept."""

    partner_id: str
    credential_id: UUID
    display_name: str
    secret_hash: str = field(repr=False)
    created_at: datetime
    revoked_at: datetime | None = None
