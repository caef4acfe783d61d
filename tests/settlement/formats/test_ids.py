"""Names for the bank: short, plain, and never two alike."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from stdnum import iso11649

from services.settlement.formats import ids

batches = st.integers(1, 10**9)
partners = st.from_regex(r"[a-z][a-z0-9-]{1,62}", fullmatch=True)
attempts = st.integers(1, 99)


def test_names_say_what_they_name() -> None:
    assert ids.message_id(42, 1, 2) == "B42-R1-F2"
    assert ids.end_to_end_id(42, "corner-shop", 1) == "B42-corner-shop-1"


@given(batches, partners, attempts)
def test_every_name_fits_and_survives_a_bank(batch: int, partner: str, attempt: int) -> None:
    name = ids.end_to_end_id(batch, partner, attempt)
    assert ids.is_ours(name)
    assert name.startswith(f"B{batch}-")
    assert name.endswith(f"-{attempt}")


def test_long_names_with_one_beginning_stay_apart() -> None:
    names = {ids.end_to_end_id(1, f"{'a' * 40}{number}", 1) for number in range(1000)}
    assert len(names) == 1000


@given(batches, partners, attempts)
def test_a_reference_is_one_of_iso_11649(batch: int, partner: str, attempt: int) -> None:
    reference = ids.reference(ids.end_to_end_id(batch, partner, attempt))
    assert iso11649.validate(reference) == reference
    assert len(reference) == 25


def test_what_a_bank_would_change_is_not_ours() -> None:
    assert not any(ids.is_ours(text) for text in ("", "a" * 36, "/a", "a/", "a//b", " a", "ü", "a_b"))
