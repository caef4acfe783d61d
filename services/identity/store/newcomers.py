"""New members: what is drawn for each, and their rows, gathered so that every table is written once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, insert

from services.identity.domain.codes import NEVER
from services.identity.domain.identifiers import Identifier, IdentifierType
from services.identity.domain.members import Enrolled, Member, MemberState, Personal, RequestIdReused, Wish
from services.identity.store.fresh import Fresh
from services.identity.store.lookup import Lookup
from services.identity.store.rows import sealed_profile
from services.identity.store.sealing import Purpose, Vault
from services.identity.store.tables import CODES, IDENTIFIERS, MEMBER_KEYS, MEMBERS, PROFILES
from shared.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a request id stands for: what was drawn for its member, and a hash of what was wished."""

    request_hash: bytes
    member: Member
    number: str = field(repr=False)
    seed: bytes = field(repr=False)

    @classmethod
    def afresh(cls, wish: Wish, request_hash: bytes, fresh: Fresh, at: datetime) -> Drawn:
        member = Member(
            member_id=fresh.id(at),
            wallet_id=fresh.wallet_id(),
            state=MemberState.ACTIVE,
            terms_version=wish.terms_version,
            segments=(),
            created_at=at,
        )
        return cls(request_hash, member, fresh.member_number(), fresh.code_seed())

    def repeated(self, wish: Wish, request_hash: bytes) -> Enrolled | Refusal:
        """The answer to a wish whose request id was used before."""
        if request_hash != self.request_hash:
            return RequestIdReused(request_id=wish.request_id)
        return self.answer(wish, replay=True)

    def answer(self, wish: Wish, *, replay: bool = False) -> Enrolled:
        """It follows from what was wished and what was drawn, not from what happened since: a repeat gets the same."""
        member = Member(
            member_id=self.member.member_id,
            wallet_id=self.member.wallet_id,
            state=MemberState.ACTIVE,
            terms_version=wish.terms_version,
            segments=(),
            created_at=self.member.created_at,
        )
        personal = Personal(self.number, wish.full_name, wish.identifiers)
        return Enrolled(member, personal, self.seed if wish.with_code_seed else None, replay)


class Newcomers:
    """The rows of all new members of one transaction."""

    def __init__(self, by: str, at: datetime) -> None:
        self._by = by
        self._at = at
        self._members: list[dict[str, object]] = []
        self._keys: list[dict[str, object]] = []
        self._profiles: list[dict[str, object]] = []
        self._codes: list[dict[str, object]] = []
        self._identifiers: list[dict[str, object]] = []

    def add(self, new: Drawn, wish: Wish, vault: Vault, lookup: Lookup) -> None:
        member_id = new.member.member_id
        key, wrapped = vault.fresh_key(member_id)
        self._members.append(
            {
                "member_id": member_id,
                "wallet_id": new.member.wallet_id,
                "state": new.member.state.value,
                "terms_version": new.member.terms_version,
                "segments": [],
                "enrolled_by": self._by,
                "request_id": wish.request_id,
                "request_hash": new.request_hash,
                "created_at": self._at,
                "updated_at": self._at,
            }
        )
        self._keys.append({"member_id": member_id, "wrapped_key": wrapped, "created_at": self._at})
        profile = sealed_profile(key, wish.full_name)
        self._profiles.append({"member_id": member_id, "sealed_profile": profile, "updated_at": self._at})
        seed = key.seal(Purpose.CODE_SEED, new.seed)
        self._codes.append({"member_id": member_id, "sealed_seed": seed, "last_step": NEVER})
        for item in (Identifier(IdentifierType.MEMBER_NUMBER, new.number), *wish.identifiers):
            self._identifiers.append(
                {
                    "lookup": lookup.of(item),
                    "member_id": member_id,
                    "type": item.type.value,
                    "sealed_value": key.seal(Purpose.IDENTIFIER, item.value.encode()),
                    "created_at": self._at,
                }
            )

    def insert(self, connection: Connection) -> None:
        """Unique keys in one order for everybody: two calls may wait for each other, but never in a circle."""
        if not self._members:
            return
        self._members.sort(key=lambda row: str(row["request_id"]))
        self._identifiers.sort(key=lambda row: str(row["lookup"]))
        connection.execute(insert(MEMBERS), self._members)
        connection.execute(insert(MEMBER_KEYS), self._keys)
        connection.execute(insert(PROFILES), self._profiles)
        connection.execute(insert(CODES), self._codes)
        connection.execute(insert(IDENTIFIERS), self._identifiers)
