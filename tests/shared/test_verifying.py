"""How two tables of the same facts are compared, and what is said about the first difference."""

from __future__ import annotations

import pytest

from shared.verifying import Difference, Differs, compare, shown


def name(key: str) -> str:
    return f"rows/{key}"


def difference(expected: dict[str, object], stored: dict[str, object]) -> Difference:
    with pytest.raises(Differs) as differs:
        compare("row", expected, stored, name)
    return differs.value.difference


def test_equal_tables_agree_in_any_order() -> None:
    compare("row", {"a": 1, "b": (2, b"x")}, {"b": (2, b"x"), "a": 1}, name)


def test_the_first_row_that_differs_is_named_with_both_sides() -> None:
    found = difference({"a": 1, "b": (2, "x"), "c": 3}, {"a": 1, "b": (2, "y"), "c": 4})
    assert found == Difference("row", "rows/b", "the journal gives (2, x), the table holds (2, y)")


def test_a_missing_row_and_one_too_many_are_said() -> None:
    assert difference({"a": 1}, {}).detail == "the journal gives 1, the table holds no such row"
    assert difference({"a": 1}, {"a": 1, "z": 9}) == Difference(
        "row", "rows/z", "the journal gives no such row, the table holds 9"
    )


@pytest.mark.parametrize(
    ("facts", "text"), [(None, "no such row"), ((1, b"\x0a"), "(1, 0a)"), ([1, None], "(1, None)"), ("x", "x")]
)
def test_facts_are_shown_for_people(facts: object, text: str) -> None:
    assert shown(facts) == text
