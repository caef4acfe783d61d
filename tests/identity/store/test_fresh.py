"""What is drawn is uniform and never repeats."""

from __future__ import annotations

import secrets
from collections import Counter
from datetime import UTC, datetime, timedelta

from services.identity.domain.numbers import is_member_number
from services.identity.store.fresh import Fresh

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FRESH = Fresh(secrets.token_bytes)


def test_ids_follow_time_and_wallet_ids_do_not() -> None:
    ids = [FRESH.id(NOW + timedelta(milliseconds=step)) for step in range(1000)]
    assert ids == sorted(set(ids))
    assert {found.version for found in ids} == {7}
    wallets = [FRESH.wallet_id() for _ in range(1000)]
    assert len(set(wallets)) == 1000
    assert wallets != sorted(wallets)


def test_numbers_and_seeds_are_drawn_from_the_source_that_is_named() -> None:
    assert is_member_number(FRESH.member_number())
    assert len(FRESH.code_seed()) == 20
    assert Fresh(bytes).member_number() == "1000000000000007"


def test_the_first_digits_of_member_numbers_are_evenly_spread() -> None:
    counts = Counter(FRESH.member_number()[0] for _ in range(9000))
    assert set(counts) == set("123456789")
    assert all(750 < count < 1250 for count in counts.values())
