"""Rotating codes: a member with the seed, and the step that counts once."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select, update

from services.identity.domain.codes import SEED_BYTES, CodeAlreadyUsed
from services.identity.domain.identifiers import Identifier
from services.identity.domain.members import Member
from services.identity.store.lookup import Lookup
from services.identity.store.rows import COLUMNS, member_of
from services.identity.store.sealing import Purpose, Vault
from services.identity.store.tables import CODES, IDENTIFIERS, MEMBER_KEYS, MEMBERS
from shared.db.sessions import Sessions

_NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Possession:
    """A member who may prove to be there: the seed of the code and the last step that counted."""

    member: Member
    seed: bytes = field(repr=False)
    last_step: int


class Codes:
    """The rotating codes of all members."""

    def __init__(self, sessions: Sessions, vault: Vault, lookup: Lookup) -> None:
        self._sessions = sessions
        self._vault = vault
        self._lookup = lookup
        key, self._decoy_key = vault.fresh_key(_NOBODY)
        self._decoy_seed = key.seal(Purpose.CODE_SEED, bytes(SEED_BYTES))

    def found(self, identifier: Identifier, within: float) -> Possession | None:
        """Whom the identifier finds, blocked or not. For nobody the same seals are opened: time must not tell."""
        statement = (
            select(*COLUMNS, MEMBER_KEYS.c.wrapped_key, CODES.c.sealed_seed, CODES.c.last_step)
            .join_from(IDENTIFIERS, MEMBERS)
            .join(MEMBER_KEYS, MEMBER_KEYS.c.member_id == MEMBERS.c.member_id)
            .join(CODES, CODES.c.member_id == MEMBERS.c.member_id)
            .where(IDENTIFIERS.c.lookup == self._lookup.of(identifier))
        )
        with self._sessions.reading(within) as connection:
            row = connection.execute(statement).first()
        if row is None:
            self._vault.unwrapped(_NOBODY, self._decoy_key).opened(Purpose.CODE_SEED, self._decoy_seed)
            return None
        key = self._vault.unwrapped(row.member_id, row.wrapped_key)
        return Possession(member_of(row), key.opened(Purpose.CODE_SEED, row.sealed_seed), row.last_step)

    def use(self, member_id: UUID, step: int, within: float) -> None:
        """Use a step up: of any number of calls at once exactly one succeeds. Raises CodeAlreadyUsed."""
        statement = (
            update(CODES)
            .where(CODES.c.member_id == member_id, CODES.c.last_step < step)
            .values(last_step=step)
            .returning(CODES.c.last_step)
        )
        with self._sessions.writing(within) as connection:
            if connection.execute(statement).first() is None:
                raise CodeAlreadyUsed
