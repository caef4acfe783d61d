"""Returns: what remains is rated again, and the difference comes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from services.catalogue.domain.refusals import ReturnExceedsLine, ReturnInvalid
from services.catalogue.domain.returns import Clawback, Kept, Returned, clawback
from services.catalogue.domain.rules import Bonus, Condition, EarnRules
from tests.catalogue.domain.test_rating import Vector, example
from tests.catalogue.rules import lines, points, rated, rule, version


def bought(rules: EarnRules, *amounts: int) -> Kept:
    sold = lines(*amounts)
    return Kept(sold, rated(sold, rules).parts, "1", frozenset())


def take_back(kept: Kept, rules: EarnRules, *returns: Returned) -> tuple[Clawback, Kept]:
    taken = clawback(kept, returns, rules)
    assert isinstance(taken, Clawback)
    left = tuple(replace(one, amount=one.amount - taken.amounts.get(one.line_no, 0)) for one in kept.lines)
    parts = {payer: had - taken.parts.get(payer, 0) for payer, had in kept.parts.items()}
    return taken, replace(kept, lines=left, parts=parts)


def clawbacks(kept: Kept, rules: EarnRules, order: Sequence[int]) -> list[int]:
    taken = []
    for line_no in order:
        one, kept = take_back(kept, rules, Returned(line_no, None))
        taken.append(one.points)
    return taken


def replayed(vector: Vector, rules: EarnRules) -> list[int]:
    kept = bought(rules, *vector["given"]["lines_minor"])
    assert kept.points == vector["then"]["awarded"]
    return clawbacks(kept, rules, [step["line"] for step in vector["when"] if step["do"] == "return_line"])


def test_e6a_clawbacks_of_fractions_add_up_to_the_award() -> None:
    e6a = example("E6a")
    taken = replayed(e6a, version(points(e6a["given"]["rule"]["points_per_unit"])))
    assert taken == e6a["then"]["clawbacks"]
    assert sum(taken) == e6a["then"]["sum"]


def test_e6b_a_bonus_goes_back_as_soon_as_the_basket_no_longer_deserves_it() -> None:
    e6b = example("E6b")
    given = e6b["given"]["rule"]
    bonus = rule("bonus", Bonus(given["bonus"]), condition=Condition(min_amount=given["bonus_from_minor"]))
    taken = replayed(e6b, version(points(given["points_per_unit"]), bonus))
    assert taken == e6b["then"]["clawbacks"]


def test_part_of_a_line_may_come_back_and_later_the_rest() -> None:
    rules = version(points("1"))
    first, kept = take_back(bought(rules, 1000), rules, Returned(1, 250))
    second, kept = take_back(kept, rules, Returned(1, None))
    assert (first.points, second.points, kept.points) == (3, 7, 0)


def test_no_lines_named_means_everything_that_is_left() -> None:
    rules = version(points("1"))
    _, kept = take_back(bought(rules, 1000, 500), rules, Returned(1, 400))
    taken, kept = take_back(kept, rules)
    assert taken.amounts == {1: 600, 2: 500}
    assert kept.points == 0


def test_a_second_return_of_everything_takes_nothing() -> None:
    rules = version(points("1"))
    _, kept = take_back(bought(rules, 1000), rules)
    taken, _ = take_back(kept, rules)
    assert (taken.points, taken.amounts, taken.parts) == (0, {}, {})


@pytest.mark.parametrize("back", [Returned(1, 1001), Returned(2, None), Returned(2, 0)])
def test_more_than_is_left_of_a_line_is_refused(back: Returned) -> None:
    rules = version(points("1"))
    refusal = clawback(bought(rules, 1000), [back], rules)
    assert isinstance(refusal, ReturnExceedsLine)
    assert refusal.facts["line_no"] == back.line_no


@pytest.mark.parametrize("back", [(Returned(1, -1),), (Returned(1, 1), Returned(1, 1))])
def test_a_return_that_cannot_be_is_refused(back: tuple[Returned, ...]) -> None:
    rules = version(points("1"))
    assert isinstance(clawback(bought(rules, 1000), back, rules), ReturnInvalid)


def test_a_payer_whose_rule_fell_away_keeps_what_the_others_have_no_room_for() -> None:
    """20.00 for A and 4.99 for B make 24 points, of which A bears 19; without B's rule A deserves 20, one too many."""
    only_b = Condition(categories=frozenset({"B"}))
    rules = version(points("1", "a-1"), points("4.99", "b-1", "extra", only_b))
    sold = lines(1900, ("B", 100))
    kept = Kept(sold, {"a-1": 18, "b-1": 6}, "1", frozenset())
    assert sum(kept.parts.values()) == rated(sold, rules).points
    taken, left = take_back(kept, rules, Returned(2, None))
    assert taken.parts == {"b-1": 5}
    assert left.parts == {"a-1": 18, "b-1": 1}
