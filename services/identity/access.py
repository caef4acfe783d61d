"""Who may call what. A method without a row is nobody's; a row says roles, whose object it is says the method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from shared.rpc.caller import Role

_OPERATOR = frozenset({Role.OPERATOR})
_PARTNER = frozenset({Role.PARTNER})
_BOTH = _OPERATOR | _PARTNER
_PARTNERS = "/coalition.identity.v1.PartnerService"
_TOKENS = "/coalition.identity.v1.TokenService"
_MEMBERS = "/coalition.identity.v1.MemberService"

ACCESS: Final[Mapping[str, frozenset[Role]]] = {
    f"{_PARTNERS}/CreatePartner": _OPERATOR,
    f"{_PARTNERS}/GetPartner": _BOTH | {Role.CATALOGUE, Role.SETTLEMENT},
    f"{_PARTNERS}/ListPartners": _OPERATOR | {Role.CATALOGUE, Role.SETTLEMENT},
    f"{_PARTNERS}/CreateStore": _BOTH,
    f"{_PARTNERS}/ListStores": _BOTH,
    f"{_PARTNERS}/CreateCredential": _OPERATOR,
    f"{_PARTNERS}/RevokeCredential": _BOTH,
    f"{_TOKENS}/IssueToken": _PARTNER,
    f"{_MEMBERS}/EnrolMember": _BOTH,
    f"{_MEMBERS}/BatchEnrolMembers": _BOTH,
    f"{_MEMBERS}/GetMember": _BOTH,
    f"{_MEMBERS}/AddIdentifier": _OPERATOR,
    f"{_MEMBERS}/BlockMember": _OPERATOR,
    f"{_MEMBERS}/UnblockMember": _OPERATOR,
    f"{_MEMBERS}/SetSegments": _OPERATOR,
    f"{_MEMBERS}/ResolveMember": _BOTH,
    f"{_MEMBERS}/BatchResolveMembers": _PARTNER,
}

TOKENLESS: Final = frozenset({f"{_TOKENS}/IssueToken"})
"""A partner's certificate alone is enough to ask for the token that all other calls need."""

METHOD_BYTES: Final[Mapping[str, int]] = {
    f"{_MEMBERS}/BatchEnrolMembers": 2 * 1024 * 1024,
    f"{_MEMBERS}/BatchResolveMembers": 256 * 1024,
}
"""Batches of 500; everything else keeps to the limit of small messages."""
