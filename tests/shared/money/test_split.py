"""Splits add up, whatever the weights."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.money import CannotSplit, largest_remainder
from tests.support.vectors import example

WEIGHTS = st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.integers(0, 10**18), min_size=1, max_size=8)


def test_a_household_spends_in_proportion() -> None:
    e4 = example("E4")
    available = {member["member"]: member["available"] for member in e4["given"]["household"]}
    shares = largest_remainder(e4["when"][0]["points"], available, available)
    assert shares == e4["then"]["shares"]
    assert {member: available[member] - shares[member] for member in available} == e4["then"]["available_after"]


def test_ties_go_to_the_larger_weight_then_to_the_smaller_id() -> None:
    assert largest_remainder(1, {"b": 1, "a": 1}) == {"b": 0, "a": 1}
    assert largest_remainder(2, {"c": 1, "b": 1, "a": 1}) == {"c": 0, "b": 1, "a": 1}
    assert largest_remainder(3, {"a": 1, "b": 3, "c": 2}) == {"a": 0, "b": 2, "c": 1}, "halves: b before c"


def test_a_share_that_would_exceed_its_cap_is_capped_and_the_rest_split_again() -> None:
    assert largest_remainder(100, {"a": 8, "b": 1, "c": 1}, {"a": 50}) == {"a": 50, "b": 25, "c": 25}
    assert largest_remainder(100, {"a": 8, "b": 1, "c": 1}, {"a": 50, "b": 10}) == {"a": 50, "b": 10, "c": 40}
    assert largest_remainder(0, {"a": 8, "b": 1}, {"a": 0}) == {"a": 0, "b": 0}


def test_the_order_of_the_answer_is_that_of_the_weights() -> None:
    assert list(largest_remainder(7, {"z": 1, "a": 5})) == ["z", "a"]


@pytest.mark.parametrize(
    ("total", "weights", "caps"),
    [
        (1, {}, None),
        (1, {"a": 0}, None),
        (-1, {"a": 1}, None),
        (1, {"a": -1}, None),
        (10, {"a": 1, "b": 2}, {"a": 3, "b": 4}),
    ],
)
def test_what_cannot_be_split_is_refused(total: int, weights: dict[str, int], caps: dict[str, int] | None) -> None:
    with pytest.raises(CannotSplit):
        largest_remainder(total, weights, caps)


@given(st.integers(0, 2**63 - 1), WEIGHTS)
def test_shares_add_up_and_are_never_a_whole_unit_off(total: int, weights: dict[str, int]) -> None:
    whole = sum(weights.values())
    if whole == 0:
        weights, whole = {**weights, "x": 1}, 1
    shares = largest_remainder(total, weights)
    assert sum(shares.values()) == total
    assert all(abs(shares[one] * whole - total * weight) < whole for one, weight in weights.items())


@given(WEIGHTS, st.data())
def test_no_share_exceeds_what_its_owner_has(weights: dict[str, int], data: st.DataObject) -> None:
    total = data.draw(st.integers(0, sum(weights.values())))
    shares = largest_remainder(total, weights, weights)
    assert sum(shares.values()) == total
    assert all(0 <= shares[one] <= weights[one] for one in weights)
