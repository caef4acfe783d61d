"""Member numbers are random and carry a check digit."""

from __future__ import annotations

import secrets
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity.domain.numbers import check_digit, is_member_number, member_number

NUMBERS = st.integers(0, 9 * 10**14 - 1).map(lambda drawn: member_number(lambda _: drawn))


def test_n1_the_check_digit_is_that_of_gs1() -> None:
    assert check_digit("73500537000000012") == 3


@pytest.mark.parametrize(("gtin", "digit"), [("629104150021", 3), ("00001234560000001", 8), ("400638133393", 1)])
def test_the_check_digit_is_that_of_published_gs1_keys(gtin: str, digit: int) -> None:
    assert check_digit(gtin) == digit


@given(NUMBERS)
def test_every_number_has_sixteen_digits_and_is_valid(number: str) -> None:
    assert len(number) == 16
    assert number[0] != "0"
    assert is_member_number(number)


@given(NUMBERS, st.integers(0, 15), st.integers(1, 9))
def test_one_wrong_digit_is_always_noticed(number: str, place: int, shift: int) -> None:
    wrong = str((int(number[place]) + shift) % 10)
    assert not is_member_number(number[:place] + wrong + number[place + 1 :])


@given(st.text())
def test_no_text_is_too_strange_to_be_judged(text: str) -> None:
    assert is_member_number(text) in (True, False)


def test_digits_of_other_scripts_are_no_member_number() -> None:
    number = member_number(lambda _: 123)
    assert not is_member_number(number.translate({ord("1"): "١"}))


def test_numbers_that_follow_each_other_have_nothing_in_common() -> None:
    drawn = [int(member_number(secrets.randbelow)) for _ in range(1000)]
    assert len(set(drawn)) == 1000
    assert not any(abs(a - b) < 1000 for a, b in pairwise(drawn))
