"""What must hold for every receipt under every set of rules."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from services.catalogue.domain.receipt import Line
from services.catalogue.domain.returns import Clawback, Kept, Returned, clawback
from services.catalogue.domain.rules import (
    ONCE,
    Bonus,
    Condition,
    EarnRule,
    Effect,
    Exclude,
    Multiplier,
    PointsPerUnit,
)
from shared.money import Rate
from tests.catalogue.rules import rated, version

CATEGORIES = ("FOOD", "FUEL", "WINE")
SEGMENTS = ("gold", "silver")
STORES = ("1", "2")

amounts = st.integers(0, 20_000) | st.integers(0, 3)
sold = st.lists(st.tuples(st.sampled_from(CATEGORIES), amounts), min_size=1, max_size=6).map(
    lambda drawn: tuple(Line(number, "", category, amount) for number, (category, amount) in enumerate(drawn, 1))
)
rates = st.integers(0, 3 * ONCE).map(Rate) | st.sampled_from(["0.1", "0.5", "1", "1.25"]).map(Rate.of)
factors = st.integers(ONCE, 4 * ONCE).map(Rate)
gives: st.SearchStrategy[Effect] = st.one_of(
    rates.map(PointsPerUnit), factors.map(Multiplier), st.integers(1, 600).map(Bonus)
)


def some(names: tuple[str, ...]) -> st.SearchStrategy[frozenset[str]]:
    return st.frozensets(st.sampled_from(names), max_size=len(names))


places = st.builds(Condition, some(CATEGORIES), some(SEGMENTS), some(STORES))
conditions = st.builds(Condition, some(CATEGORIES), some(SEGMENTS), some(STORES), st.sampled_from([0, 0, 1, 5000]))
payers = st.sampled_from(["", "operator", "brand-a", "brand-b"])
earning = st.builds(EarnRule, st.just("r"), conditions, gives, payers)
excluding = st.builds(EarnRule, st.just("r"), places, st.just(Exclude()), payers)
rule_lists = st.lists(earning | excluding, min_size=1, max_size=6).map(
    lambda rules: [replace(rule, rule_id=f"r{number}") for number, rule in enumerate(rules)]
)
segment_sets = some(SEGMENTS)


@given(sold, rule_lists, segment_sets)
def test_the_parts_add_up_to_the_points_and_the_points_are_the_floor(
    lines: tuple[Line, ...], rules: list[EarnRule], segments: frozenset[str]
) -> None:
    rating = rated(lines, version(*rules), *segments)
    assert sum(rating.parts.values()) == rating.points
    assert rating.points <= rating.exact_points < rating.points + 1
    assert sum(rating.exact(gain) for gain in rating.gains) == rating.exact_points


@given(sold, rule_lists, earning, segment_sets)
def test_a_further_rule_that_gives_never_takes_a_point_away(
    lines: tuple[Line, ...], rules: list[EarnRule], further: EarnRule, segments: frozenset[str]
) -> None:
    before = rated(lines, version(*rules), *segments)
    after = rated(lines, version(*rules, replace(further, rule_id="further")), *segments)
    assert after.points >= before.points


@given(sold, rule_lists, segment_sets, st.randoms(use_true_random=False))
def test_order_changes_no_result(
    lines: tuple[Line, ...], rules: list[EarnRule], segments: frozenset[str], shuffled: Random
) -> None:
    other_rules, other_lines = list(rules), list(lines)
    shuffled.shuffle(other_rules)
    shuffled.shuffle(other_lines)
    first = rated(lines, version(*rules), *segments)
    second = rated(other_lines, version(*other_rules), *segments)
    assert (first.points, first.parts, first.exact_points) == (second.points, second.parts, second.exact_points)


@given(sold, rule_lists, segment_sets, st.data())
def test_clawbacks_telescope_and_no_payers_part_ever_grows(
    lines: tuple[Line, ...], rules: list[EarnRule], segments: frozenset[str], data: st.DataObject
) -> None:
    rules_of_sale = version(*rules)
    award = rated(lines, rules_of_sale, *segments)
    kept = Kept(lines, award.parts, "1", segments)
    taken = 0
    while any(line.amount for line in kept.lines):
        line = data.draw(st.sampled_from([line for line in kept.lines if line.amount]))
        amount = data.draw(st.none() | st.integers(1, line.amount))
        back = clawback(kept, [Returned(line.line_no, amount)], rules_of_sale)
        assert isinstance(back, Clawback)
        assert all(points > 0 for points in back.parts.values())
        kept = Kept(
            tuple(replace(one, amount=one.amount - back.amounts.get(one.line_no, 0)) for one in kept.lines),
            {payer: had - back.parts.get(payer, 0) for payer, had in kept.parts.items()},
            "1",
            segments,
        )
        taken += back.points
        assert kept.points == rated(kept.lines, rules_of_sale, *segments).points
    assert taken == award.points
    assert set(kept.parts.values()) <= {0}
