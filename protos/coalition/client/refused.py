"""A "no" of the platform as an exception. Its reason is stable for ever; its text is for people and may change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import grpc

_REPEATABLE = frozenset(
    {
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.UNAVAILABLE,
    }
)


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule that one field of the request breaks. `field` is a path as in the contract: `lines[2].points`."""

    field: str
    description: str
    reason: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered instead of a message."""

    code: grpc.StatusCode
    reason: str
    message: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    violations: tuple[Violation, ...] = ()
    retry_after: timedelta | None = None
    call_id: str = ""


class Refused(Exception):
    """The base of every refusal, and the class of those whose reason this version of the client does not know.

    `code` is gRPC's status, `reason` the stable word of ours, `message` a sentence with its remedy, `metadata` the
    facts in it. `violations` are filled for a malformed request, `retry_after` where the platform says how long to
    wait. Quote `call_id` when you ask the operator about a call.
    """

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self.code = answer.code
        self.reason = answer.reason
        self.message = answer.message
        self.metadata = answer.metadata
        self.violations = answer.violations
        self.retry_after = answer.retry_after
        self.call_id = answer.call_id

    def __str__(self) -> str:
        return f"{self.reason}: {self.message}"

    @property
    def repeatable(self) -> bool:
        """Whether the same request, with the same request id, may get another answer later."""
        return self.code in _REPEATABLE

    def fact(self, name: str) -> str:
        """One item of the metadata; empty where the platform did not send it."""
        return self.metadata.get(name, "")

    def number(self, name: str) -> int:
        """One item of the metadata as a whole number; 0 where the platform did not send one."""
        text = self.fact(name)
        return int(text) if text.removeprefix("-").isdecimal() else 0
