"""Policies: set once for each revision, known at once where they were set and soon everywhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import pytest
from sqlalchemy import Engine

from services.ledger.domain.refusals.terms import PolicyChanged, PolicyNotFound
from services.ledger.domain.terms import NegativeBalance, Policy
from services.ledger.store.policies import Policies
from shared.db.engine import make_engine
from tests.support.databases import Databases
from tests.support.together import at_once, until

FIRST = Policy(14, NegativeBalance.ALLOW_NEGATIVE, 200, 400, 5_000, revision=1)


class Still:
    def now(self) -> datetime:
        return datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def engine(databases: Databases) -> Iterator[Engine]:
    settings = databases.fresh("ledger")
    engine = make_engine(databases.service_settings(settings), pool_size=8)
    yield engine
    engine.dispose()
    databases.drop(settings)


@pytest.fixture
def processes(engine: Engine) -> Iterator[tuple[Policies, Policies]]:
    both = Policies(engine, Still()), Policies(engine, Still())
    for policies in both:
        policies.start()
    yield both
    for policies in both:
        policies.stop()


def test_who_sets_a_policy_has_it_at_once_and_the_others_within_two_seconds(
    processes: tuple[Policies, Policies],
) -> None:
    here, there = processes
    assert here.set("grocer", FIRST) is False
    assert here.current()["grocer"] == FIRST
    began = time.monotonic()
    until(lambda: there.current().get("grocer") == FIRST)
    assert time.monotonic() - began < 2
    assert there.of("grocer") == FIRST


def test_a_snapshot_does_not_change_under_the_batch_that_took_it(processes: tuple[Policies, Policies]) -> None:
    here, _ = processes
    before = here.current()
    here.set("snapshot", FIRST)
    assert "snapshot" not in before


def test_a_revision_is_set_once_and_never_goes_back(processes: tuple[Policies, Policies]) -> None:
    here, there = processes
    third = replace(FIRST, revision=3)
    here.set("florist", third)
    assert there.set("florist", third) is True
    for other in (replace(third, pending_days=15), replace(third, revision=2), FIRST):
        with pytest.raises(PolicyChanged) as refused:
            there.set("florist", other)
        assert refused.value.facts == {"partner": "florist", "revision": 3}
    assert here.of("florist") == third
    fourth = replace(FIRST, revision=4, negative_balance=NegativeBalance.WRITE_OFF)
    assert there.set("florist", fourth) is False
    assert here.of("florist") == fourth


def test_of_many_that_set_one_revision_differently_at_once_exactly_one_prevails(
    processes: tuple[Policies, Policies],
) -> None:
    def set_by(number: int) -> Policy | None:
        policy = replace(FIRST, pending_days=number)
        try:
            processes[number % 2].set("baker", policy)
        except PolicyChanged:
            return None
        return policy

    prevailed = [policy for policy in at_once([partial(set_by, number) for number in range(8)]) if policy]
    assert prevailed == [processes[0].of("baker")]


def test_who_has_no_policy_is_told_so(processes: tuple[Policies, Policies]) -> None:
    with pytest.raises(PolicyNotFound):
        processes[0].of("nobody")
