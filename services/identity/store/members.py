"""Members: found by what they show, looked at, and changed by the operator."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import insert

from services.identity.domain.identifiers import Identifier, IdentifierTaken, IdentifierType
from services.identity.domain.members import Member, MemberNotFound, MemberState, Personal
from services.identity.store.fresh import Fresh
from services.identity.store.lookup import Lookup
from services.identity.store.rows import COLUMNS, any_of, member_of, opened_profile, opened_text
from services.identity.store.sealing import MemberKey, Purpose, Vault
from services.identity.store.tables import CHANGES, IDENTIFIERS, MEMBER_KEYS, MEMBERS, PROFILES
from shared.db.sessions import Sessions


class Members:
    """The members of the programme. Nobody but the operator's calls may lead to the methods that open seals."""

    def __init__(self, sessions: Sessions, vault: Vault, lookup: Lookup, fresh: Fresh) -> None:
        self._sessions = sessions
        self._vault = vault
        self._lookup = lookup
        self._fresh = fresh

    def found(self, identifiers: Collection[Identifier], within: float) -> Mapping[Identifier, Member]:
        """Whom the identifiers find, blocked members too: one query for all of them."""
        by_hash = {self._lookup.of(identifier): identifier for identifier in identifiers}
        statement = (
            select(IDENTIFIERS.c.lookup, *COLUMNS)
            .join_from(IDENTIFIERS, MEMBERS)
            .where(IDENTIFIERS.c.lookup == any_of(by_hash))
        )
        with self._sessions.reading(within) as connection:
            rows = connection.execute(statement).all()
        return {by_hash[row.lookup]: member_of(row) for row in rows}

    def get(self, member_id: UUID, within: float) -> Member:
        """Raises MemberNotFound."""
        statement = select(*COLUMNS).where(MEMBERS.c.member_id == member_id)
        with self._sessions.reading(within) as connection:
            row = connection.execute(statement).first()
        if row is None:
            raise MemberNotFound
        return member_of(row)

    def opened(self, member_id: UUID, within: float) -> tuple[Member, Personal]:
        """A member with the personal data. Raises MemberNotFound."""
        with self._sessions.reading(within) as connection:
            return self._opened(connection, member_id)

    def add_identifier(
        self, member_id: UUID, identifier: Identifier, by: str, at: datetime, within: float
    ) -> tuple[Member, Personal]:
        """Add what finds a member; adding it again changes nothing. Raises MemberNotFound, IdentifierTaken."""
        with self._sessions.writing(within) as connection:
            key = self._key(connection, member_id)
            hashed = self._lookup.of(identifier)
            row = {
                "lookup": hashed,
                "member_id": member_id,
                "type": identifier.type.value,
                "sealed_value": key.seal(Purpose.IDENTIFIER, identifier.value.encode()),
                "created_at": at,
            }
            statement = insert(IDENTIFIERS).on_conflict_do_nothing().returning(IDENTIFIERS.c.lookup)
            if connection.execute(statement, row).first():
                self._note(connection, key, member_id, "IDENTIFIER_ADDED", by, at)
            elif connection.scalar(select(IDENTIFIERS.c.member_id).where(IDENTIFIERS.c.lookup == hashed)) != member_id:
                raise IdentifierTaken(type=identifier.type.value)
            return self._opened(connection, member_id)

    def set_state(
        self, member_id: UUID, state: MemberState, reason: str, by: str, at: datetime, within: float
    ) -> tuple[Member, Personal]:
        """Block a member or end the block, and keep why. Raises MemberNotFound."""
        with self._sessions.writing(within) as connection:
            key = self._key(connection, member_id)
            self._update(connection, member_id, state=state.value, updated_at=at)
            self._note(connection, key, member_id, state.value, by, at, reason)
            return self._opened(connection, member_id)

    def set_segments(
        self, member_id: UUID, segments: Collection[str], by: str, at: datetime, within: float
    ) -> tuple[Member, Personal]:
        """All segments of a member from now on. Raises MemberNotFound."""
        with self._sessions.writing(within) as connection:
            key = self._key(connection, member_id)
            self._update(connection, member_id, segments=sorted(segments), updated_at=at)
            self._note(connection, key, member_id, "SEGMENTS_SET", by, at)
            return self._opened(connection, member_id)

    def _opened(self, connection: Connection, member_id: UUID) -> tuple[Member, Personal]:
        statement = (
            select(*COLUMNS, MEMBER_KEYS.c.wrapped_key, PROFILES.c.sealed_profile)
            .join_from(MEMBERS, MEMBER_KEYS)
            .join(PROFILES, PROFILES.c.member_id == MEMBERS.c.member_id)
            .where(MEMBERS.c.member_id == member_id)
        )
        row = connection.execute(statement).first()
        if row is None:
            raise MemberNotFound
        key = self._vault.unwrapped(member_id, row.wrapped_key)
        found = connection.execute(
            select(IDENTIFIERS.c.type, IDENTIFIERS.c.sealed_value)
            .where(IDENTIFIERS.c.member_id == member_id)
            .order_by(IDENTIFIERS.c.created_at, IDENTIFIERS.c.lookup)
        )
        identifiers = [Identifier(IdentifierType(item.type), opened_text(key, item.sealed_value)) for item in found]
        number = next(item.value for item in identifiers if item.type is IdentifierType.MEMBER_NUMBER)
        chosen = tuple(item for item in identifiers if item.type is not IdentifierType.MEMBER_NUMBER)
        return member_of(row), Personal(number, opened_profile(key, row.sealed_profile), chosen)

    def _key(self, connection: Connection, member_id: UUID) -> MemberKey:
        wrapped = connection.scalar(select(MEMBER_KEYS.c.wrapped_key).where(MEMBER_KEYS.c.member_id == member_id))
        if wrapped is None:
            raise MemberNotFound
        return self._vault.unwrapped(member_id, wrapped)

    def _update(self, connection: Connection, member_id: UUID, **values: object) -> None:
        connection.execute(update(MEMBERS).where(MEMBERS.c.member_id == member_id).values(values))

    def _note(
        self,
        connection: Connection,
        key: MemberKey,
        member_id: UUID,
        change: str,
        by: str,
        at: datetime,
        reason: str | None = None,
    ) -> None:
        """Keep who did what; the reason is free text about a person, so it is sealed like the rest."""
        row = {
            "change_id": self._fresh.id(at),
            "member_id": member_id,
            "change": change,
            "sealed_reason": key.seal(Purpose.REASON, reason.encode()) if reason is not None else None,
            "changed_by": by,
            "changed_at": at,
        }
        connection.execute(insert(CHANGES).values(row))
