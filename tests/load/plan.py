"""What a driver is told to do, and what it says when it has done it. Both travel as one line of JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What a slot repeats."""

    AWARD = "award"
    REDEEM = "redeem"
    HOLD = "hold"
    BATCH = "batch"


@dataclass(frozen=True)
class Till:
    """A connection of one partner: files of its certificate, and its token."""

    partner: str
    certificate_file: str
    key_file: str
    ca_file: str
    token: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Closed loop: `in_flight` calls at any moment. Open loop: `per_second` calls arrive, whatever has been answered.

    `run` makes receipts unique; wallets are drawn from so many, always the same ones.
    """

    run: int
    targets: list[str]
    tills: list[Till]
    grant_keys_file: str
    kind: Kind
    in_flight: int
    seconds: float
    wallets: int
    batch: int = 1
    per_second: float | None = None
    ready: int = 0
    """Requests to make before the clock starts: a till has its purchases, it need not think them up."""
    once: bool = False
    """End when those are sent. They go through the wallets one after the other."""


@dataclass(frozen=True)
class Result:
    """What was answered within the time; `acknowledged` also counts entries before and after it."""

    done: int
    seconds: float
    p50_ms: float | None
    p99_ms: float | None
    acknowledged: int
    refused: int
    why: str
    processor_seconds: float


def packed(message: Plan | Result) -> str:
    return json.dumps(asdict(message))


def plan_of(line: str) -> Plan:
    fields: dict[str, Any] = json.loads(line)
    tills = [Till(**till) for till in fields.pop("tills")]
    return Plan(tills=tills, kind=Kind(fields.pop("kind")), **fields)


def result_of(line: str) -> Result:
    return Result(**json.loads(line))
