"""Enrolling: many wishes in one transaction and a handful of statements, each accepted or refused on its own.

A wish that loses a race against another call finds a unique constraint in its way. Then the whole transaction is
undone and tried again: now it sees the winner, and answers with a replay or a refusal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import psycopg.errors
from sqlalchemy import Connection, any_, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import Uuid

from services.identity.domain.identifiers import Identifier, IdentifierType
from services.identity.domain.members import Enrolled, Wish
from services.identity.domain.telling import Telling
from services.identity.store.fresh import Fresh
from services.identity.store.lookup import Lookup
from services.identity.store.newcomers import Drawn, Newcomers
from services.identity.store.rows import COLUMNS, AnyRow, any_of, member_of, opened_text
from services.identity.store.sealing import Purpose, Vault
from services.identity.store.tables import CODES, IDENTIFIERS, MEMBER_KEYS, MEMBERS
from shared.db.errors import Contention
from shared.db.sessions import Sessions
from shared.refusal import Refusal

_ATTEMPTS = 5
_WAIT_MS = 100


class Enrolments:
    """Makes members of wishes."""

    def __init__(self, sessions: Sessions, vault: Vault, lookup: Lookup, fresh: Fresh) -> None:
        self._sessions = sessions
        self._vault = vault
        self._lookup = lookup
        self._fresh = fresh

    def enrol(
        self, wishes: Sequence[Wish], by: str, telling: Telling, at: datetime, within: float
    ) -> list[Enrolled | Refusal]:
        """One answer for each wish, in their order. `by` is the partner, or the operator, who owns the request ids.

        A wish that is repeated is answered whatever may be told: it says nothing new.
        """
        for _ in range(_ATTEMPTS):
            try:
                with self._sessions.writing(within) as connection:
                    return self._attempt(connection, wishes, by, telling, at)
            except DBAPIError as error:
                if not isinstance(error.orig, psycopg.errors.UniqueViolation):
                    raise
        raise Contention(retry_after_ms=_WAIT_MS)

    def _attempt(
        self, connection: Connection, wishes: Sequence[Wish], by: str, telling: Telling, at: datetime
    ) -> list[Enrolled | Refusal]:
        hashes = {item: self._lookup.of(item) for wish in wishes for item in wish.identifiers}
        taken = _taken(connection, hashes)  # before `earlier`: a rival that commits in between is then seen as a repeat
        earlier = self._earlier(connection, {wish.request_id for wish in wishes}, by)
        newcomers = Newcomers(by, at)
        answers: list[Enrolled | Refusal] = []
        for wish in wishes:
            request_hash = self._lookup.of_request(wish)
            if (before := earlier.get(wish.request_id)) is not None:
                answers.append(before.repeated(wish, request_hash))
            elif (withheld := telling.withheld()) is not None:
                answers.append(withheld)
            elif (clash := next((item for item in wish.identifiers if hashes[item] in taken), None)) is not None:
                answers.append(telling.taken(clash))
            else:
                earlier[wish.request_id] = new = Drawn.afresh(wish, request_hash, self._fresh, at)
                taken.update(hashes[item] for item in wish.identifiers)
                newcomers.add(new, wish, self._vault, self._lookup)
                answers.append(new.answer(wish))
        newcomers.insert(connection)
        return answers

    def _earlier(self, connection: Connection, request_ids: set[UUID], by: str) -> dict[UUID, Drawn]:
        statement = (
            select(
                *COLUMNS,
                MEMBERS.c.request_id,
                MEMBERS.c.request_hash,
                MEMBER_KEYS.c.wrapped_key,
                CODES.c.sealed_seed,
                IDENTIFIERS.c.sealed_value,
            )
            .join_from(MEMBERS, MEMBER_KEYS)
            .join(CODES, CODES.c.member_id == MEMBERS.c.member_id)
            .join(IDENTIFIERS, IDENTIFIERS.c.member_id == MEMBERS.c.member_id)
            .where(
                MEMBERS.c.enrolled_by == by,
                MEMBERS.c.request_id == any_(literal(list(request_ids), ARRAY(Uuid))),
                IDENTIFIERS.c.type == IdentifierType.MEMBER_NUMBER.value,
            )
        )
        return {row.request_id: self._earlier_of(row) for row in connection.execute(statement)}

    def _earlier_of(self, row: AnyRow) -> Drawn:
        key = self._vault.unwrapped(row.member_id, row.wrapped_key)
        seed = key.opened(Purpose.CODE_SEED, row.sealed_seed)
        return Drawn(row.request_hash, member_of(row), opened_text(key, row.sealed_value), seed)


def _taken(connection: Connection, hashes: Mapping[Identifier, bytes]) -> set[bytes]:
    statement = select(IDENTIFIERS.c.lookup).where(IDENTIFIERS.c.lookup == any_of(hashes.values()))
    return set(connection.scalars(statement))
