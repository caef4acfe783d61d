"""Allowances under many hands: spent to the last point, never beyond, and counted from the first award on.

A `Batch` here does with allowances what the writer's transactions do, and nothing else.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import Engine

from services.ledger.domain.refusals.terms import AllowanceChanged, AllowanceNotFound
from services.ledger.domain.wish import AwardWish, Line
from services.ledger.store.allowances import Allowances, Pools, ShortOfAllowance, left, spend
from services.ledger.store.deployment import prepare
from services.ledger.store.rows import Row
from services.ledger.store.session import writing
from shared.db.engine import make_engine
from tests.support.databases import Databases
from tests.support.together import at_once, until

Cursor = psycopg.Cursor[Row]
BUCKETS = STRIPES = 16
GROCER, FLORIST, BAKER = "grocer", "florist", "baker"


class Still:
    def now(self) -> datetime:
        return datetime(2026, 3, 1, tzinfo=UTC)


class Shop:
    """One ledger database: its allowances, and batches that spend them."""

    def __init__(self, databases: Databases) -> None:
        self._databases = databases
        self.settings = databases.fresh("ledger")
        self.engine = self._engine(8)
        prepare(self.engine, BUCKETS)
        self.allowances = Allowances(self.engine, Still(), BUCKETS)
        self.redone = 0

    def _engine(self, size: int) -> Engine:
        return make_engine(self._databases.service_settings(self.settings), pool_size=size)

    def awarded(self, stripe: int, *wished: tuple[str, int]) -> list[tuple[str, int]]:
        """Award what may be awarded of these, in one batch of this stripe: normally, then with the pools in hand."""
        for pooled in (False, True, True, True):
            try:
                with writing(self.engine) as cursor:
                    return self._with_pools(cursor, stripe, wished) if pooled else _plainly(cursor, stripe, wished)
            except ShortOfAllowance:
                self.redone += 1
        raise AssertionError("still short")

    def _with_pools(self, cursor: Cursor, stripe: int, wished: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
        pools = Pools(cursor, [_award(stripe, issuer, points) for issuer, points in wished], STRIPES)
        room = dict(pools.left)
        granted = []
        for issuer, points in wished:
            if points <= room.get(issuer, points):
                granted.append((issuer, points))
                room |= {issuer: room[issuer] - points} if issuer in room else {}
        if granted and pools.spend(cursor, _gross(stripe, granted)) != cursor.rowcount:
            raise ShortOfAllowance
        return granted

    def waiting(self) -> int:
        """How many of the application's transactions wait for a lock."""
        with psycopg.connect(self._databases.cluster.address(str(self.settings["database_name"]))) as admin:
            row = admin.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND usename = 'ledger_app' AND wait_event_type = 'Lock'"
            ).fetchone()
        return int(row[0]) if row else 0

    def close(self) -> None:
        self.engine.dispose()
        self._databases.drop(self.settings)


def _plainly(cursor: Cursor, stripe: int, wished: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    if spend(cursor, _gross(stripe, wished)) != cursor.rowcount:
        raise ShortOfAllowance
    return list(wished)


def _gross(stripe: int, granted: Sequence[tuple[str, int]]) -> dict[tuple[int, str], int]:
    found: dict[tuple[int, str], int] = {}
    for issuer, points in granted:
        found[stripe, issuer] = found.get((stripe, issuer), 0) + points
    return found


def _award(stripe: int, issuer: str, points: int) -> AwardWish:
    lines = (Line(issuer, points),)
    return AwardWish(bucket=stripe, partner=issuer, request_id=uuid4(), wallet=UUID(int=stripe), lines=lines)


@pytest.fixture
def shop(databases: Databases) -> Iterator[Shop]:
    made = Shop(databases)
    yield made
    made.close()


def test_without_an_allowance_awards_are_counted_and_not_limited(shop: Shop) -> None:
    assert shop.awarded(3, (GROCER, 10**12))
    assert shop.awarded(4, (GROCER, 5))
    assert shop.redone == 0
    with pytest.raises(AllowanceNotFound):
        shop.allowances.of(GROCER)
    allowance, again = shop.allowances.set(GROCER, 1, 10**12 + 105)
    assert (allowance.awarded, allowance.remaining, again) == (10**12 + 5, 100, False)


def test_e14_an_allowance_of_166_refuses_167_and_takes_166(shop: Shop) -> None:
    shop.awarded(0, (GROCER, 6_500))
    shop.allowances.set(GROCER, 1, 6_500 + 166)
    assert shop.awarded(5, (GROCER, 167)) == []
    assert shop.awarded(5, (GROCER, 166)) == [(GROCER, 166)]
    assert shop.awarded(9, (GROCER, 1)) == []
    shop.allowances.set(GROCER, 2, 6_500 + 166 + 750)
    assert shop.awarded(9, (GROCER, 751)) == []
    assert shop.awarded(9, (GROCER, 750)) == [(GROCER, 750)]
    found = shop.allowances.of(GROCER)
    assert (found.revision, found.limit, found.awarded, found.remaining) == (2, 7_416, 7_416, 0)


def test_of_a_batch_each_item_is_decided_in_its_order(shop: Shop) -> None:
    shop.allowances.set(GROCER, 1, 100)
    wished = [(GROCER, 60), (GROCER, 50), (FLORIST, 9), (GROCER, 40), (GROCER, 1)]
    assert shop.awarded(2, *wished) == [(GROCER, 60), (FLORIST, 9), (GROCER, 40)]


def test_a_revision_is_set_once_and_never_goes_back(shop: Shop) -> None:
    shop.allowances.set(GROCER, 5, 100)
    same, again = shop.allowances.set(GROCER, 5, 100)
    assert again
    assert same.remaining == 100
    for revision, limit in ((5, 101), (4, 100), (1, 10**6)):
        with pytest.raises(AllowanceChanged) as refused:
            shop.allowances.set(GROCER, revision, limit)
        assert refused.value.facts == {"partner": GROCER, "revision": 5}
    assert shop.allowances.set(GROCER, 6, 0)[0].remaining == 0
    assert shop.awarded(1, (GROCER, 1)) == []


def test_a_limit_below_what_was_awarded_leaves_nothing_and_a_higher_one_counts_from_the_first_award(
    shop: Shop,
) -> None:
    shop.awarded(7, (GROCER, 500))
    assert shop.allowances.set(GROCER, 1, 300)[0].remaining == 0
    assert shop.allowances.set(GROCER, 2, 510)[0].remaining == 10
    assert shop.awarded(8, (GROCER, 11)) == []
    assert shop.awarded(8, (GROCER, 10)) == [(GROCER, 10)]


def test_slices_spare_most_batches_the_pool(shop: Shop) -> None:
    shop.allowances.set(GROCER, 1, 1_000_000)
    for _ in range(50):
        for stripe in range(4):
            assert shop.awarded(stripe, (GROCER, 100))
    assert shop.redone <= 4
    shop.allowances.set(GROCER, 2, 2_000_000)
    assert shop.awarded(0, (GROCER, 100))
    assert shop.redone <= 4, "a higher limit leaves the slices where they are"


def test_an_issuer_at_its_cap_keeps_nobody_waiting(shop: Shop) -> None:
    shop.allowances.set(GROCER, 1, 5)
    with shop.engine.connect() as other:
        other.exec_driver_sql("SELECT * FROM ledger.allowances FOR UPDATE")
        assert shop.awarded(0, (GROCER, 6), (FLORIST, 3)) == [(FLORIST, 3)]


def test_a_count_beyond_all_numbers_stands_still_and_awards_go_on(shop: Shop) -> None:
    for _ in range(3):
        assert shop.awarded(0, (GROCER, 2**63 - 1))
    assert shop.awarded(0, (GROCER, 2**63 - 1), (GROCER, 2**63 - 1))
    assert shop.allowances.set(GROCER, 1, 10**18)[0].remaining == 0


def test_twenty_awards_at_once_on_the_last_point_give_exactly_one(shop: Shop) -> None:
    for round_ in range(1, 6):
        shop.allowances.set(GROCER, round_, round_)
        acts = [partial(shop.awarded, number % STRIPES, (GROCER, 1)) for number in range(20)]
        # a stripe's batches follow each other, as under the lock of its heads
        assert sum(map(len, at_once(_by_stripe(acts)))) == 1
        assert shop.allowances.of(GROCER).remaining == 0


def _by_stripe(acts: Sequence[partial[list[tuple[str, int]]]]) -> list[partial[list[tuple[str, int]]]]:
    def one_after_the_other(mine: Sequence[partial[list[tuple[str, int]]]]) -> list[tuple[str, int]]:
        return [granted for act in mine for granted in act()]

    return [partial(one_after_the_other, acts[stripe::STRIPES]) for stripe in range(STRIPES) if acts[stripe::STRIPES]]


def test_many_batches_and_new_limits_at_once_lose_no_point_and_never_lock_each_other_for_good(shop: Shop) -> None:
    """Batches of several issuers, some without an allowance, while settlement raises limits and sets first ones."""
    limits = {BAKER: 10**9, FLORIST: 12_000, GROCER: 30_000}
    for issuer in (FLORIST, GROCER):
        shop.allowances.set(issuer, 1, limits[issuer] // 2)

    def till(number: int) -> Counter[str]:
        dice = random.Random(number)
        found: Counter[str] = Counter()
        for _ in range(60):
            wished = [(dice.choice(sorted(limits)), dice.randint(1, 90)) for _ in range(dice.randint(1, 6))]
            for issuer, points in shop.awarded(number, *wished):
                found[issuer] += points
        return found

    def settlement() -> Counter[str]:
        for step in range(2, 12):
            for issuer in (GROCER, FLORIST):
                shop.allowances.set(issuer, step, limits[issuer] // 2 + limits[issuer] // 20 * (step - 1))
        shop.allowances.set(BAKER, 1, limits[BAKER])
        return Counter()

    acts: list[Callable[[], Counter[str]]] = [*(partial(till, number) for number in range(6)), settlement]
    granted = sum(at_once(acts), Counter[str]())
    for issuer, limit in limits.items():
        allowance = shop.allowances.of(issuer)
        assert (allowance.awarded, allowance.remaining) == (granted[issuer], limit - granted[issuer])
    with writing(shop.engine) as cursor:
        assert left(cursor, [GROCER, "nobody"], STRIPES) == {GROCER: limits[GROCER] - granted[GROCER]}


def test_who_holds_a_pool_waits_for_nobody_who_waits_for_it(shop: Shop) -> None:
    """It holds all slices of one issuer; a batch waits for one of them with a slice in hand that settlement waits for,
    which is about to cap an issuer that the pool's holder awards for as well."""
    shop.allowances.set(GROCER, 1, 1_000)
    wished = [(GROCER, 5), (BAKER, 7)]
    with ThreadPoolExecutor(2) as others:
        with writing(shop.engine) as cursor:
            pools = Pools(cursor, [_award(0, issuer, points) for issuer, points in wished], STRIPES)
            till = others.submit(shop.awarded, 1, *wished)
            until(lambda: shop.waiting() == 1)
            settlement = others.submit(shop.allowances.set, BAKER, 1, 100)
            until(lambda: shop.waiting() == 2)
            pools.spend(cursor, _gross(0, wished))
        assert till.result() == wished
        assert settlement.result()[0].limit == 100
    assert [shop.allowances.of(issuer).awarded for issuer in (GROCER, BAKER)] == [10, 14]


def test_the_first_allowance_of_an_issuer_is_exact_while_it_awards(shop: Shop) -> None:
    """A batch that makes the slice's row, and a limit set at that moment: one of them sees the other."""
    for number in range(15):
        issuer = f"shop-{number}"

        def till(stripe: int, issuer: str = issuer) -> int:
            return sum(points for _ in range(4) for _, points in shop.awarded(stripe, (issuer, 10)))

        def settlement(issuer: str = issuer) -> int:
            shop.allowances.set(issuer, 1, 60)
            return 0

        acts: list[Callable[[], int]] = [*(partial(till, stripe) for stripe in range(4)), settlement]
        total = sum(at_once(acts))
        found = shop.allowances.of(issuer)
        assert found.awarded == total
        assert found.remaining == max(0, 60 - total)
