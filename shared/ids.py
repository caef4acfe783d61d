"""Where identifiers come from: time-ordered ones, and ones derived from what they name."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from datetime import datetime

_NAMESPACE = uuid.UUID("6f1d2a2e-5c1b-5c8e-9f6e-0c0a11710000")


def time_ordered(at: datetime, randomness: Callable[[int], int] = secrets.randbits) -> uuid.UUID:
    """A version 7 UUID: milliseconds of `at` first, so that neighbours in time are neighbours in an index."""
    millis = int(at.timestamp()) * 1000 + at.microsecond // 1000
    value = (millis & (2**48 - 1)) << 80 | 0x7 << 76 | randomness(12) << 64 | 0b10 << 62 | randomness(62)
    return uuid.UUID(int=value)


def derived(*parts: str) -> uuid.UUID:
    """The same UUID for the same parts, for ever: what heals after a crash must find its own traces."""
    return uuid.uuid5(_NAMESPACE, "\x1f".join(parts))
