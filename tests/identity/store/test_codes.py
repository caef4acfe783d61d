"""Looking for nobody costs what looking for somebody costs: the same seals are opened."""

from __future__ import annotations

import secrets
from uuid import UUID, uuid4

from services.identity.domain.identifiers import Identifier, IdentifierType
from services.identity.domain.members import Wish
from services.identity.domain.telling import Plainly
from services.identity.store.codes import Codes
from services.identity.store.enrolments import Enrolments
from services.identity.store.fresh import Fresh
from services.identity.store.lookup import Lookup
from services.identity.store.sealing import MemberKey, Vault
from shared.db.engine import make_engine
from shared.db.sessions import Sessions
from tests.identity.house import BEGINNING, House


class CountingVault(Vault):
    """A vault that counts how often it is asked for a key."""

    asked = 0

    def unwrapped(self, member_id: UUID, wrapped: bytes) -> MemberKey:
        self.asked += 1
        return super().unwrapped(member_id, wrapped)


def test_a_key_is_unwrapped_for_an_unknown_identifier_too(house: House) -> None:
    engine = make_engine(house.settings, pool_size=1)
    try:
        sessions, lookup = Sessions(engine), Lookup(secrets.token_bytes(32))
        vault = CountingVault([secrets.token_bytes(32)], secrets.token_bytes)
        card = Identifier(IdentifierType.CARD, uuid4().hex.upper())
        somebody = Wish(uuid4(), (card,), "2026-01", "Anna Example", with_code_seed=False)
        enrolments = Enrolments(sessions, vault, lookup, Fresh(secrets.token_bytes))
        enrolments.enrol([somebody], "operator", Plainly(), BEGINNING, within=10)
        codes = Codes(sessions, vault, lookup)
        for shown, known in ((card, True), (Identifier(IdentifierType.CARD, "NOBODY"), False)):
            before = vault.asked
            assert (codes.found(shown, within=10) is not None) is known
            assert vault.asked == before + 1
    finally:
        engine.dispose()
