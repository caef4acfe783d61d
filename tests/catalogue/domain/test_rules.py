"""Rules that cannot be, and the sentences of those that can."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from services.catalogue.domain.explaining import explanation
from services.catalogue.domain.refusals import RuleInvalid
from services.catalogue.domain.rules import MOST_PAYERS, Bonus, Condition, EarnRule, Exclude, in_force, refused
from tests.catalogue.rules import BEGINNING, lines, points, rated, rule, times, version


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (times("0.999999999"), "at least 1"),
        (rule("no-wine", Exclude(), condition=Condition(min_amount=100)), "no minimum"),
        (points("1", "No Partner"), "no partner id"),
        (points("1", condition=Condition(categories=frozenset({"A\0"}))), "U\\+0000"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_by_its_name(wrong: EarnRule, problem: str) -> None:
    refusal = refused("grocer", [wrong])
    assert isinstance(refusal, RuleInvalid)
    assert refusal.metadata["ruleId"] == wrong.rule_id
    with pytest.raises(RuleInvalid, match=problem):
        raise refusal


def test_an_id_stands_once_in_a_version() -> None:
    assert isinstance(refused("grocer", [points("1"), points("2")]), RuleInvalid)


def test_no_more_payers_than_an_award_has_lines() -> None:
    many = [points("1", f"payer-{number}", f"r{number}") for number in range(MOST_PAYERS)]
    assert refused("grocer", many) is None
    assert isinstance(refused("grocer", [*many, points("1")]), RuleInvalid)


def test_intervals_are_half_open() -> None:
    change = BEGINNING + timedelta(days=1)
    first = replace(version(points("1")), effective_until=change)
    second = replace(version(points("2")), version=2, effective_from=change)
    moments = [BEGINNING - timedelta(microseconds=1), BEGINNING, change - timedelta(microseconds=1), change]
    found = [in_force([first, second], moment) for moment in moments]
    assert [rules.version if rules else None for rules in found] == [None, 1, 1, 2]


@pytest.mark.parametrize(
    ("explained", "sentence"),
    [
        (points("1.50"), "1.5 points per EUR on 19.99 EUR give 29.985."),
        (times("1.25"), "1.25 times the points of 19.99 EUR give 4.9975 more."),
        (rule("bonus", Bonus(500)), "A bonus of 500 points, once, for 19.99 EUR."),
        (
            rule("all", Exclude(), condition=Condition(categories=frozenset({"WINE"}))),
            "Nothing was paid for in category WINE.",
        ),
        (points("1", condition=Condition(stores=frozenset("789"))), "The store is not 7, 8 or 9."),
        (points("1", condition=Condition(segments=frozenset({"gold"}))), "The member is not in segment gold."),
        (points("1", condition=Condition(stores=frozenset("23456"))), "The store is not 2, 3, 4 or one of 2 more."),
        (points("1", condition=Condition(min_amount=5000)), "19.99 EUR are less than the 50.00 EUR it asks for."),
    ],
)
def test_each_rule_says_in_one_sentence_what_it_did(explained: EarnRule, sentence: str) -> None:
    rules = version(points("1", rule_id="one"), replace(explained, rule_id="explained"))
    rating = rated(lines(("FOOD", 1999)), rules)
    assert explanation(rating.gains[1], rating, rules) == sentence


def test_an_exclusion_says_what_it_took_out() -> None:
    rules = version(points("1"), rule("no-food", Exclude()))
    rating = rated(lines(("FOOD", 1999)), rules)
    assert [explanation(gain, rating, rules) for gain in rating.gains] == [
        "All of its lines are excluded by another rule.",
        "Lines of 19.99 EUR earn nothing.",
    ]
