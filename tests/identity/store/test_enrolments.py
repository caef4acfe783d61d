"""Whatever batches arrive in whatever order, they do what one wish after the other would have done."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.identity.domain.identifiers import Identifier, IdentifierTaken, IdentifierType
from services.identity.domain.members import Enrolled, Member, Personal, RequestIdReused, Wish
from services.identity.domain.telling import Plainly
from services.identity.store.enrolments import Enrolments
from services.identity.store.fresh import Fresh
from services.identity.store.lookup import Lookup
from services.identity.store.sealing import Vault
from shared.db.engine import make_engine
from shared.db.sessions import Sessions
from shared.refusal import Refusal
from tests.identity.house import BEGINNING, House

Answer = tuple[Member, Personal, bytes | None]

CALLERS = ("operator", "grocer")
ITEMS = st.tuples(st.integers(0, 4), st.sets(st.integers(0, 5), min_size=1, max_size=3), st.booleans())
BATCHES = st.lists(st.tuples(st.sampled_from(CALLERS), st.lists(ITEMS, min_size=1, max_size=6)), max_size=6)


class Model:
    """One wish after the other, in two dictionaries."""

    def __init__(self) -> None:
        self.meant: dict[tuple[str, uuid.UUID], tuple[bytes, Answer]] = {}
        self.owners: set[Identifier] = set()

    def check(self, by: str, wish: Wish, answer: Enrolled | Refusal) -> None:
        before = self.meant.get((by, wish.request_id))
        if before is not None and before[0] != wish.meaning():
            assert isinstance(answer, RequestIdReused)
        elif before is not None:
            assert isinstance(answer, Enrolled)
            assert answer.replay
            assert (answer.member, answer.personal, answer.code_seed) == before[1]
        elif self.owners & set(wish.identifiers):
            assert isinstance(answer, IdentifierTaken)
        else:
            assert isinstance(answer, Enrolled)
            assert not answer.replay
            self.meant[by, wish.request_id] = (wish.meaning(), (answer.member, answer.personal, answer.code_seed))
            self.owners |= set(wish.identifiers)


@pytest.fixture(scope="module")
def enrolments(house: House) -> Iterator[Enrolments]:
    engine = make_engine(house.settings, pool_size=1)
    vault, lookup = Vault([secrets.token_bytes(32)], secrets.token_bytes), Lookup(secrets.token_bytes(32))
    yield Enrolments(Sessions(engine), vault, lookup, Fresh(secrets.token_bytes))
    engine.dispose()


@settings(max_examples=60)
@given(BATCHES)
def test_batches_do_what_single_wishes_do(
    enrolments: Enrolments, batches: list[tuple[str, list[tuple[int, set[int], bool]]]]
) -> None:
    model, world = Model(), uuid.uuid4()
    for hour, (by, items) in enumerate(batches):
        wishes = [wish(world, *item) for item in items]
        at = BEGINNING + timedelta(hours=hour)
        for wished, answer in zip(wishes, enrolments.enrol(wishes, by, Plainly(), at, within=10), strict=True):
            model.check(by, wished, answer)


def wish(world: uuid.UUID, request: int, cards: set[int], with_seed: bool) -> Wish:
    """A wish in a world of its own: few request ids, few cards, so that they collide."""
    return Wish(
        request_id=uuid.uuid5(world, str(request)),
        identifiers=tuple(Identifier(IdentifierType.CARD, f"{world.hex[:20]}{card}".upper()) for card in sorted(cards)),
        terms_version="2026-01",
        full_name="Anna Example",
        with_code_seed=with_seed,
    )
