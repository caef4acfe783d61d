"""Each partner has its own name for a member, and only identity finds the way back."""

from __future__ import annotations

import re
import secrets
import uuid
from concurrent.futures import ThreadPoolExecutor

from services.identity.api.pairwise import PairwiseNames

NAMES = PairwiseNames(secrets.token_bytes(32))
ANNA, BERT = uuid.uuid4(), uuid.uuid4()


def test_a_name_is_stable_and_leads_back() -> None:
    name = NAMES.of(ANNA, "grocer")
    assert name == NAMES.of(ANNA, "grocer")
    assert re.fullmatch(r"partners/grocer/members/[a-z2-7]{52}", name)
    assert NAMES.member_id(name) == ANNA


def test_no_two_partners_share_a_name() -> None:
    names = {NAMES.of(member, partner) for member in (ANNA, BERT) for partner in ("grocer", "baker")}
    assert len({name.rpartition("/")[2] for name in names}) == 4


def test_another_partners_name_does_not_open() -> None:
    assert NAMES.member_id(NAMES.of(ANNA, "grocer").replace("grocer", "baker")) is None


def test_a_changed_or_made_up_name_does_not_open() -> None:
    name = NAMES.of(ANNA, "grocer")
    for place in range(len("partners/grocer/members/"), len(name)):
        changed = "a" if name[place] != "a" else "b"
        assert NAMES.member_id(name[:place] + changed + name[place + 1 :]) is None
    assert NAMES.member_id("partners/grocer/members/" + "a" * 52) is None
    assert NAMES.member_id("partners/grocer/members/" + "a" * 16) is None


def test_another_key_gives_other_names() -> None:
    assert PairwiseNames(secrets.token_bytes(32)).member_id(NAMES.of(ANNA, "grocer")) is None


def test_many_threads_may_ask_at_once() -> None:
    members = [uuid.uuid4() for _ in range(200)] * 10
    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(lambda member: NAMES.of(member, "grocer"), members))
        assert list(pool.map(NAMES.member_id, names)) == members
