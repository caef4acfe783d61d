"""Canonical JSON: equal content, equal bytes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.canonical import Canonical, NotCanonical, canonical

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES: st.SearchStrategy[Canonical] = st.recursive(
    st.integers() | TEXTS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=20
)


def test_golden_bytes() -> None:
    value: Canonical = {"b": [1, -2, "x"], "a": {"é": '"\n', "z": 2**63}, "": ""}
    assert canonical(value) == '{"":"","a":{"z":9223372036854775808,"é":"\\"\\n"},"b":[1,-2,"x"]}'.encode()


@given(VALUES)
def test_it_is_json_and_written_in_one_way(value: Canonical) -> None:
    content = canonical(value)
    assert canonical(json.loads(content)) == content


def test_the_order_of_insertion_does_not_matter() -> None:
    assert canonical({"a": 1, "b": 2}) == canonical({"b": 2, "a": 1})


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (1.0, "$"),
        ({"a": [1, 2.5]}, "$.a[1]"),
        ({"a": None}, "$.a"),
        ([True], "$[0]"),
        ({"a": {1: "x"}}, "$.a"),
        ({"a": b"x"}, "$.a"),
        ({"a": {1, 2}}, "$.a"),
        (float("nan"), "$"),
    ],
)
def test_what_has_several_spellings_is_refused_by_its_path(value: Canonical, path: str) -> None:
    with pytest.raises(NotCanonical) as refused:
        canonical(value)
    assert str(refused.value).startswith(f"{path} ")


def test_half_a_character_is_no_text() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        canonical("\ud800")
