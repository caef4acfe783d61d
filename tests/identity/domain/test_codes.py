"""A code counts one step either way, and once."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity.domain.codes import (
    NEVER,
    CodeAlreadyUsed,
    CodeExpired,
    CodeInvalid,
    code_of,
    step_at,
    step_used,
)

RFC_SEED = b"12345678901234567890"
NOW = datetime(2026, 3, 1, 12, 0, 7, tzinfo=UTC)
STEP = step_at(NOW)
SEED = b"a seed of 20 bytes!!"


@pytest.mark.parametrize(
    ("seconds", "eight_digits"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_codes_are_those_of_rfc_6238(seconds: int, eight_digits: str) -> None:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    assert code_of(RFC_SEED, step_at(at)) == eight_digits[2:]


@given(st.binary(min_size=20, max_size=20), st.integers(0, 2**35))
def test_codes_are_those_of_other_peoples_apps(seed: bytes, seconds: int) -> None:
    theirs = pyotp.TOTP(base64.b32encode(seed).decode()).at(seconds)
    assert code_of(seed, seconds // 30) == theirs


@pytest.mark.parametrize("away", [-1, 0, 1])
def test_one_step_either_way_counts(away: int) -> None:
    code = code_of(SEED, STEP + away)
    assert step_used(code, seed=SEED, last_step=NEVER, at=NOW) == STEP + away


@pytest.mark.parametrize("away", [-1, 0, 1])
def test_the_same_code_twice_was_already_used(away: int) -> None:
    code = code_of(SEED, STEP + away)
    assert isinstance(step_used(code, seed=SEED, last_step=STEP + away, at=NOW), CodeAlreadyUsed)


def test_a_code_before_the_last_used_one_does_not_come_back() -> None:
    code = code_of(SEED, STEP - 1)
    assert isinstance(step_used(code, seed=SEED, last_step=STEP, at=NOW), CodeAlreadyUsed)


@pytest.mark.parametrize("away", [-2, -3, -20])
def test_two_steps_old_has_expired(away: int) -> None:
    assert isinstance(step_used(code_of(SEED, STEP + away), seed=SEED, last_step=NEVER, at=NOW), CodeExpired)


@pytest.mark.parametrize("away", [2, 3, -21, 1000])
def test_what_the_app_has_not_shown_lately_is_wrong(away: int) -> None:
    assert isinstance(step_used(code_of(SEED, STEP + away), seed=SEED, last_step=NEVER, at=NOW), CodeInvalid)


def test_the_beginning_of_time_has_no_steps_before_it() -> None:
    start = datetime(1970, 1, 1, tzinfo=UTC)
    assert step_used(code_of(SEED, 0), seed=SEED, last_step=NEVER, at=start) == 0


@given(st.integers(0, 999_999), st.integers(-3, 2), st.binary(min_size=20, max_size=20))
def test_whatever_counts_is_near_and_new(code: int, used: int, seed: bytes) -> None:
    last = STEP + used
    found = step_used(f"{code:06}", seed=seed, last_step=last, at=NOW)
    if isinstance(found, int):
        assert last < found
        assert abs(found - STEP) <= 1
        assert code_of(seed, found) == f"{code:06}"
