"""Duties: what a person of the operator is there for. Whoever prepares does not approve; this is about persons' jobs,
that nobody approves what is his own holds besides, whatever duties he has.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum

from shared.refusal import Kind, Refusal


class Duty(Enum):
    """One job."""

    PREPARER = "PREPARER"
    APPROVER = "APPROVER"
    RELEASER = "RELEASER"
    RECONCILER = "RECONCILER"
    AUDITOR = "AUDITOR"


EVERY_DUTY = frozenset(Duty)


class DutyMissing(Refusal):
    """The call belongs to another person's job."""

    kind = Kind.NOT_ALLOWED
    message = "{caller} does not have the duty that {method} needs: {duty}."
    remedy = "Ask somebody who has it, or have the operator's duties changed."


class NoDuties(ValueError):
    """The file does not say who has which duties."""


EVERYBODY_ELSE = "*"
"""The user who stands for all that are not named."""


def parsed(content: bytes) -> Mapping[str, frozenset[Duty]]:
    """`{"anna": ["PREPARER"], "*": ["AUDITOR"]}`. Raises NoDuties."""
    try:
        return {user: frozenset(map(Duty, duties)) for user, duties in json.loads(content).items()}
    except (ValueError, AttributeError, TypeError) as error:
        raise NoDuties(f"not a JSON object of users and lists of duties: {error}") from None
