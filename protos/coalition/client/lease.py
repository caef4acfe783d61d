"""How long an access token is taken for good, without trusting that our clock and the platform's agree."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from coalition.client.refused import Refused
from coalition.identity.v1 import identity_pb2 as pb

LONGEST_SECONDS: Final = 900.0
"""No token lives longer: identity's own promise."""

_AHEAD: Final = 0.2
_STALE: Final = frozenset({"TOKEN_EXPIRED", "TOKEN_INVALID"})


@dataclass(frozen=True, slots=True)
class Clocks:
    """What time it is, twice: `steady` never jumps, `wall` is compared with what identity says."""

    steady: Callable[[], float] = time.monotonic
    wall: Callable[[], datetime] = lambda: datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Lease:
    """A token, and until when on our steady clock we use it without asking."""

    token: str
    renew_at: float

    @classmethod
    def of(cls, answer: pb.IssueTokenResponse, asked_at: float, clocks: Clocks) -> Lease:
        """A token of identity's. Where the two clocks disagree beyond reason (a sandbox's stands still, or somebody's
        is wrong) the longest lifetime is assumed; should that be too long, the platform says TOKEN_EXPIRED and one
        renewal mends it."""
        left = (answer.expire_time.ToDatetime(tzinfo=UTC) - clocks.wall()).total_seconds()
        lifetime = left if 0 < left <= LONGEST_SECONDS else LONGEST_SECONDS
        return cls(answer.access_token, asked_at + lifetime * (1 - _AHEAD))


def names_stale_token(refusal: object) -> bool:
    """Whether a fresh token may help: this one ended, or was signed with a key or in a time that is over. Nothing
    happened then, so any call may be repeated."""
    return isinstance(refusal, Refused) and refusal.reason in _STALE
