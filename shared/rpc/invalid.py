"""Requests that break a rule: which fields, which rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.refusal import Kind, Refusal


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One rule that one field breaks. `field` is a path as in the proto: `items[2].points`."""

    field: str
    description: str
    rule: str = ""


class InvalidRequest(Refusal):
    """The request breaks rules that its contract states. Services may raise it for rules across fields."""

    kind = Kind.MALFORMED
    message = "The request is not valid: {first}"
    remedy = "Correct the fields that the details name."

    def __init__(self, violations: Sequence[FieldViolation]) -> None:
        worst = violations[0]
        super().__init__(first=f"{worst.field or 'request'}: {worst.description}", count=len(violations))
        self.violations = tuple(violations)


class MessageUndecodable(Refusal):
    """The bytes are no message of the method's type."""

    kind = Kind.MALFORMED
    message = "The bytes of the request are no {type}."
    remedy = "Encode the request with stubs generated from our contracts."


class MessageTooLarge(Refusal):
    """The message is larger than this method takes."""

    kind = Kind.MALFORMED
    message = "The request has {size} bytes; {method} takes at most {limit}."
    remedy = "Send less at once: use pages or smaller batches."
