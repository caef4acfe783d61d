"""The counts of the real year, which a demo of all baskets must reach."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from services.sandbox.demo import hours
from services.sandbox.demo.parquet import data_folder
from services.sandbox.demo.plan import Slice, made_from
from services.sandbox.demo.refusals import DemoDataMissing

try:
    FOLDER = data_folder()
except DemoDataMissing as missing:
    pytest.skip(f"{missing} {missing.advice}", allow_module_level=True)


def test_the_year_has_the_counts_that_it_is_known_for() -> None:
    chosen = made_from(FOLDER, Slice.named("all"))
    assert (chosen.basket_count, chosen.purchase_count, chosen.wish_count) == (155_848, 338_578, 2_102)
    assert len(chosen.households) == 2_469
    assert (chosen.first_day, chosen.last_day) == (date(2017, 1, 1), date(2017, 12, 31))
    purchases = points = returns = returned_points = wishes = worthless = 0
    closings: list[date] = []
    keys: set[str] = set()
    for day in chosen.days():
        sold = [purchase for uploads in day.uploads.values() for purchase in uploads]
        assert all(hours.opening(day.on) <= purchase.at <= hours.uploads_at(day.on) for purchase in sold)
        purchases += len(sold)
        points += sum(purchase.base_points for purchase in sold)
        worthless += sum(purchase.cents == 0 for purchase in sold)
        returns += len(day.returns)
        returned_points += sum(purchase.base_points for purchase in day.returns)
        wishes += sum(map(len, day.turns))
        keys |= {purchase.key for purchase in sold}
        closings += [day.on] if day.closes_window else []
    assert (purchases, points) == (338_578, 4_418_918)
    assert len(keys) == purchases
    assert (returns, returned_points) == (3_409, 43_960)
    assert wishes == 2_102
    assert worthless == 1_098, "nothing is negative; some purchases cost nothing"
    assert [closing.month for closing in closings] == [*range(1, 13), 1]
    assert closings[-1] == date(2018, 1, 1), "the last returns are settled too"


def test_the_first_four_weeks_begin_the_year() -> None:
    chosen = made_from(FOLDER, Slice.named(None))
    assert (chosen.basket_count, chosen.purchase_count, chosen.wish_count) == (11_532, 24_958, 17)
    days = list(chosen.days())
    assert len(days) == 29
    assert sum(p.base_points for day in days for sold in day.uploads.values() for p in sold) == 322_293


def test_the_first_baskets_are_those_of_the_first_morning() -> None:
    (today, _) = made_from(FOLDER, Slice.named("3")).days()
    sold = sorted((purchase.at, purchase.basket) for uploads in today.uploads.values() for purchase in uploads)
    assert sold[0] == (datetime(2017, 1, 1, 11, 53, 26, tzinfo=UTC), 31_198_570_044)
    assert len({basket for _, basket in sold}) == 3
