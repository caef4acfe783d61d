"""Resource names on the wire, and whose they are."""

from __future__ import annotations

from uuid import UUID

from services.identity.domain.partners import PartnerNotFound
from shared.rpc.caller import Caller


def partner_in(name: str, by: Caller) -> str:
    """The partner that `partners/{partner}...` names, if the caller may see it: a partner sees itself alone."""
    partner = name.split("/")[1]
    if by.partner is not None and by.partner != partner:
        raise PartnerNotFound(partner=partner)
    return partner


def last_part(name: str) -> str:
    """The id at the end of a name."""
    return name.rpartition("/")[2]


def uuid_in(name: str) -> UUID | None:
    """The id at the end of a name, in its one spelling; None when it is no UUID."""
    try:
        found = UUID(last_part(name))
    except ValueError:
        return None
    return found if str(found) == last_part(name) else None


def partner_name(partner: str) -> str:
    return f"partners/{partner}"


def store_name(partner: str, store: str) -> str:
    return f"partners/{partner}/stores/{store}"


def credential_name(partner: str, credential: UUID) -> str:
    return f"partners/{partner}/credentials/{credential}"


def member_name(member_id: UUID) -> str:
    """As the operator knows a member; partners have pairwise names."""
    return f"members/{member_id}"
