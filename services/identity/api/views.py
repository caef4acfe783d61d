"""Members as each caller may see them."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime, time

from coalition.identity.v1 import identity_pb2 as pb

from services.identity.api.names import member_name
from services.identity.domain.identifiers import IdentifierType
from services.identity.domain.members import Member, MemberState, Personal
from shared.rpc.wire import timestamp

TYPES: Mapping[pb.IdentifierType, IdentifierType] = {
    pb.IDENTIFIER_TYPE_CARD: IdentifierType.CARD,
    pb.IDENTIFIER_TYPE_PHONE: IdentifierType.PHONE,
    pb.IDENTIFIER_TYPE_EMAIL: IdentifierType.EMAIL,
    pb.IDENTIFIER_TYPE_MEMBER_NUMBER: IdentifierType.MEMBER_NUMBER,
}
_TYPES_OUT = {ours: theirs for theirs, ours in TYPES.items()}
_STATES = {
    MemberState.ACTIVE: pb.MEMBER_STATE_ACTIVE,
    MemberState.BLOCKED: pb.MEMBER_STATE_BLOCKED,
}


def for_operator(member: Member, personal: Personal, code_seed: bytes | None = None) -> pb.Member:
    """Everything; the seed only in the answer to an enrolment that asked for it."""
    return pb.Member(
        name=member_name(member.member_id),
        member_number=personal.number,
        state=_STATES[member.state],
        profile=pb.Profile(full_name=personal.full_name),
        identifiers=[pb.Identifier(type=_TYPES_OUT[item.type], value=item.value) for item in personal.identifiers],
        segments=member.segments,
        terms_version=member.terms_version,
        create_time=timestamp(member.created_at),
        code_seed=base64.b32encode(code_seed).decode() if code_seed else "",
    )


def for_partner(member: Member, name: str, number: str = "") -> pb.Member:
    """No personal data, and nothing by which two partners could tell that they mean the same member.

    So of the time of joining only the day is said: to the microsecond it would name a member as well as a number does.
    """
    return pb.Member(
        name=name,
        member_number=number,
        state=_STATES[member.state],
        terms_version=member.terms_version,
        create_time=timestamp(_day(member.created_at)),
    )


def _day(instant: datetime) -> datetime:
    return datetime.combine(instant.date(), time(), instant.tzinfo)
