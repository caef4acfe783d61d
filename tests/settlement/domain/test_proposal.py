"""What is approved is a hash, and what a reader is shown is the difference."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from services.settlement.domain.proposal import Change, Kind, difference, sha256_of
from shared.canonical import Canonical

CONTENT = st.dictionaries(
    st.text("abc", min_size=1, max_size=2),
    st.recursive(
        st.text("xyz", min_size=1, max_size=3) | st.integers(-9, 9), lambda inner: st.lists(inner, max_size=3)
    ),
    max_size=4,
)


@settings(deadline=None)
@given(one=CONTENT, other=CONTENT)
def test_there_is_a_difference_exactly_where_the_leaves_differ(
    one: dict[str, object], other: dict[str, object]
) -> None:
    found = difference(one, other)  # type: ignore[arg-type]
    back = difference(other, one)  # type: ignore[arg-type]
    assert found == [Change(path, after, before) for path, before, after in back]
    assert difference(one, one) == []  # type: ignore[arg-type]


def test_a_change_names_its_place() -> None:
    before: Canonical = {"cap": 100, "fees": [{"rate": "0.01"}, {"rate": "0.02"}]}
    after: Canonical = {"cap": 100, "fees": [{"rate": "0.01"}, {"rate": "0.03"}], "why": "more"}
    assert difference(before, after) == [Change("fees.1.rate", "0.02", "0.03"), Change("why", "", "more")]


def test_kind_subject_and_content_are_all_in_the_hash() -> None:
    hashes = {
        sha256_of(Kind.CAP, "partners/a", {"cap": 1}),
        sha256_of(Kind.CAP, "partners/b", {"cap": 1}),
        sha256_of(Kind.CAP, "partners/a", {"cap": 2}),
        sha256_of(Kind.FX_SET, "partners/a", {"cap": 1}),
    }
    assert len(hashes) == 4
    assert sha256_of(Kind.CAP, "partners/a", {"b": 1, "a": 2}) == sha256_of(Kind.CAP, "partners/a", {"a": 2, "b": 1})
