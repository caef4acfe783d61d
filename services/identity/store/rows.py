"""From rows to members and back; what several stores need."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any, TypeAlias

from sqlalchemy import CollectionAggregate, LargeBinary, Row, any_, literal
from sqlalchemy.dialects.postgresql import ARRAY

from services.identity.domain.members import Member, MemberState
from services.identity.store.sealing import MemberKey, Purpose
from services.identity.store.tables import MEMBERS

AnyRow: TypeAlias = Row[*tuple[Any, ...]]
"""A row of whatever its statement selects: SQLAlchemy cannot know the types of a list of columns."""

COLUMNS = (
    MEMBERS.c.member_id,
    MEMBERS.c.wallet_id,
    MEMBERS.c.state,
    MEMBERS.c.terms_version,
    MEMBERS.c.segments,
    MEMBERS.c.created_at,
)


def member_of(row: AnyRow) -> Member:
    """The member in a row that has COLUMNS."""
    return Member(
        member_id=row.member_id,
        wallet_id=row.wallet_id,
        state=MemberState(row.state),
        terms_version=row.terms_version,
        segments=tuple(row.segments),
        created_at=row.created_at,
    )


def any_of(hashes: Collection[bytes]) -> CollectionAggregate[bool]:
    """All of them as one parameter, so that a statement is planned once, whatever their number."""
    return any_(literal(list(hashes), ARRAY(LargeBinary)))


def sealed_profile(key: MemberKey, full_name: str) -> bytes:
    """A profile as it is kept: JSON, so that later versions may say more."""
    return key.seal(Purpose.PROFILE, json.dumps({"full_name": full_name}).encode())


def opened_profile(key: MemberKey, sealed: bytes) -> str:
    """The full name in a sealed profile."""
    return str(json.loads(key.opened(Purpose.PROFILE, sealed))["full_name"])


def opened_text(key: MemberKey, sealed: bytes) -> str:
    """The value of a sealed identifier."""
    return key.opened(Purpose.IDENTIFIER, sealed).decode()
