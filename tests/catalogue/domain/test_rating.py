"""Rating: exact, one floor, and a condition for everything."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from services.catalogue.domain.rating import Unmet, rate
from services.catalogue.domain.receipt import MOST_MINOR
from services.catalogue.domain.refusals import PurchaseInvalid
from services.catalogue.domain.rules import Bonus, Condition, EarnRule, Exclude
from tests.catalogue.rules import lines, points, rated, receipt, rule, times, version

Vector = dict[str, Any]  # as the file says it
VECTORS = Path(__file__).parents[2] / "vectors" / "economics.json"


def example(name: str) -> Vector:
    return next(one for one in json.loads(VECTORS.read_text())["examples"] if one["id"] == name)


def test_e5_a_tier_bonus_is_floored_once_and_attributed_by_largest_remainder() -> None:
    e5 = example("E5")
    ids = {"A": "grocer", "OPERATOR": "operator"}
    rules = version(*(points(r["points_per_unit"], ids[r["payer"]], r["rule"]) for r in e5["given"]["rules"]))
    rating = rated(lines(e5["given"]["eligible_minor"]), rules)
    assert rating.points == e5["then"]["awarded"]
    assert rating.exact_points == Decimal(e5["then"]["points_exact"])
    assert rating.parts == {ids[payer]: points for payer, points in e5["then"]["payers"].items()}


def test_e5_says_the_same_when_gold_is_written_as_a_multiplier() -> None:
    rating = rated(lines(1999), version(points("1"), times("1.25", "operator")))
    assert (rating.points, rating.parts) == (24, {"grocer": 19, "operator": 5})
    assert [rating.exact(gain) for gain in rating.gains] == [Decimal("19.99"), Decimal("4.9975")]


def test_the_base_rule_is_a_point_for_each_whole_unit_of_the_total() -> None:
    assert rated(lines(99, 99, 102), version(points("1"))).points == 3


def test_multipliers_add_up_their_differences_instead_of_multiplying_each_other() -> None:
    both = version(points("1"), times("2", rule_id="double"), times("3", rule_id="triple"))
    assert rated(lines(1000), both).points == 10 + 10 + 20


def test_a_multiplier_multiplies_only_what_its_own_lines_earned() -> None:
    fuel = Condition(categories=frozenset({"FUEL"}))
    rules = version(points("1"), times("2", condition=fuel))
    assert rated(lines(("FUEL", 500), ("FOOD", 700)), rules).points == 5 + 12


def test_a_rate_by_category_counts_only_its_lines() -> None:
    rules = version(points("2", condition=Condition(categories=frozenset({"BREAD", "CAKE"}))))
    assert rated(lines(("BREAD", 100), ("CAKE", 200), ("WINE", 400)), rules).points == 6


@pytest.mark.parametrize(("total", "given"), [(4999, 49), (5000, 550)])
def test_a_bonus_comes_at_its_threshold_and_not_a_cent_before(total: int, given: int) -> None:
    bonus = rule("bonus", Bonus(500), condition=Condition(min_amount=5000))
    assert rated(lines(total), version(points("1"), bonus)).points == given


def test_excluded_lines_count_for_nothing_not_even_for_a_threshold() -> None:
    tobacco = rule("no-tobacco", Exclude(), condition=Condition(categories=frozenset({"TOBACCO"})))
    bonus = rule("bonus", Bonus(500), condition=Condition(min_amount=5000))
    rules = version(points("1"), tobacco, bonus)
    assert rated(lines(("FOOD", 4999), ("TOBACCO", 5000)), rules).points == 49


def test_an_exclusion_in_another_store_excludes_nothing() -> None:
    away = rule("not-here", Exclude(), condition=Condition(stores=frozenset({"2"})))
    rules = version(points("1"), away)
    assert rated(lines(1000), rules, store="1").points == 10
    assert rated(lines(1000), rules, store="2").points == 0


def test_segments_come_from_the_grant_and_one_of_them_is_enough() -> None:
    rules = version(points("1"), times("2", condition=Condition(segments=frozenset({"gold", "platinum"}))))
    assert [rated(lines(1000), rules, *has).points for has in ([], ["silver"], ["silver", "gold"])] == [10, 10, 20]


@pytest.mark.parametrize(
    ("condition", "unmet"),
    [
        (Condition(stores=frozenset({"7"})), Unmet.STORE),
        (Condition(segments=frozenset({"gold"})), Unmet.SEGMENT),
        (Condition(categories=frozenset({"WINE"})), Unmet.LINES),
        (Condition(categories=frozenset({"TOBACCO"})), Unmet.EXCLUDED),
        (Condition(min_amount=100_000), Unmet.AMOUNT),
    ],
)
def test_the_trace_knows_which_part_of_a_condition_did_not_hold(condition: Condition, unmet: Unmet) -> None:
    tobacco = rule("no-tobacco", Exclude(), condition=Condition(categories=frozenset({"TOBACCO"})))
    rules = version(tobacco, points("1", condition=condition))
    assert rated(lines(("FOOD", 500), ("TOBACCO", 500)), rules).gains[1].unmet is unmet


def test_a_bonus_for_goods_that_cost_nothing_is_not_given() -> None:
    assert rated(lines(0), version(rule("bonus", Bonus(500)))).points == 0


def test_a_currency_without_decimals_has_none_here_either() -> None:
    assert rated(lines(1999), version(points("0.01"), currency="JPY")).points == 19


def test_nine_places_are_exact() -> None:
    tiny = version(points("0.000000001"), currency="KWD")
    assert rated(lines(10**12 - 1), tiny).exact_points == Decimal("0.999999999999")
    assert rated(lines(10**12 - 1), tiny).points == 0
    assert rated(lines(10**12), tiny).points == 1


def test_more_points_than_a_wallet_can_hold_are_refused() -> None:
    refusal = rate(lines(MOST_MINOR), "1", frozenset(), version(points("999999999")))
    assert isinstance(refusal, PurchaseInvalid)


@pytest.mark.parametrize(
    ("amounts", "problem"), [((-1,), "0 or more"), ((MOST_MINOR, 1), "larger"), ((("A\0", 1),), "U\\+0000")]
)
def test_a_receipt_that_cannot_be_is_refused(amounts: tuple[int | tuple[str, int], ...], problem: str) -> None:
    with pytest.raises(PurchaseInvalid, match=problem):
        raise receipt(*amounts).refused() or AssertionError("it was taken")


def test_a_line_number_stands_once() -> None:
    twice = receipt(100)
    refusal = type(twice)(
        twice.store, twice.terminal, twice.business_date, "1", twice.occurred_at, twice.lines * 2
    ).refused()
    assert isinstance(refusal, PurchaseInvalid)


def test_payers_who_pay_nothing_are_not_named() -> None:
    free: list[EarnRule] = [points("1"), points("0", "operator", "nothing")]
    assert rated(lines(100), version(*free)).parts == {"grocer": 1}
