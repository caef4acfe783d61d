"""Rotating codes (RFC 6238: SHA-1, six digits, 30 seconds): the proof that a member is there. Each step counts once."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

from shared.refusal import Kind, Refusal

SEED_BYTES = 20
NEVER = -1
"""The last used step of a member who has not used any."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STEP = timedelta(seconds=30)
_EITHER_WAY = 1
_REMEMBERED = 20
"""So many steps back an old code is told apart from a wrong one: ten minutes."""


class CodeInvalid(Refusal):
    """The code is none that this member's app has shown lately."""

    kind = Kind.NOT_NOW
    message = "The code is not right."
    remedy = "Let the member read the code from the app again, and check that the telephone's clock is right."


class CodeExpired(Refusal):
    """The code was right a moment ago."""

    kind = Kind.NOT_NOW
    message = "The code is no longer valid."
    remedy = "Use the code that the app shows now; it changes every 30 seconds."


class CodeAlreadyUsed(Refusal):
    """The code, or a later one, was used before: somebody may be looking over the member's shoulder."""

    kind = Kind.ALREADY
    message = "The code was used before; each one counts once."
    remedy = "Wait for the next code; it changes every 30 seconds."


def step_at(at: datetime) -> int:
    """The number of the 30-second step that an instant lies in."""
    return (at - _EPOCH) // _STEP


def code_of(seed: bytes, step: int) -> str:
    """The six digits of one step (RFC 4226, 5.3)."""
    digest = hmac.digest(seed, step.to_bytes(8, "big"), hashlib.sha1)
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"


def step_used(
    code: str, *, seed: bytes, last_step: int, at: datetime
) -> int | CodeInvalid | CodeExpired | CodeAlreadyUsed:
    """The step that a code uses up, or why it does not count.

    One step either way forgives clocks; a step at or before the last used one never counts again. Every step is
    computed whatever the answer, so that the time taken tells nothing.
    """
    now = step_at(at)
    first = max(0, now - _REMEMBERED)
    matching = [step for step in range(first, now + _EITHER_WAY + 1) if hmac.compare_digest(code_of(seed, step), code)]
    current = [step for step in matching if step >= now - _EITHER_WAY]
    fresh = [step for step in current if step > last_step]
    if fresh:
        return fresh[0]  # should two steps share their digits, the later one stays good
    if current:
        return CodeAlreadyUsed()
    return CodeExpired() if matching else CodeInvalid()
