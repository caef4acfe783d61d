"""A business "no": one family for every refusal, rendered for the wire in one place (`shared.rpc.refusals`).

Standard library only, so that a pure domain may return one.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import ClassVar

_WORD_EDGE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class Kind(Enum):
    """What a refusal means to the caller. The wire status of each kind is decided in `shared.rpc.refusals`."""

    MALFORMED = "malformed"
    UNAUTHENTICATED = "who are you"
    NOT_ALLOWED = "not allowed"
    NOT_THERE = "not there"
    NOT_NOW = "not now"
    ALREADY = "already"
    CHANGED = "changed"
    TOO_MUCH = "too much"
    OUTSIDE = "outside"
    TOO_LATE = "too late"
    DOWN = "down"
    BUG = "bug"


class Refusal(Exception):
    """A refusal is an exception and a value: the pure core returns it, the edge raises it.

    A subclass names its kind, its sentence and its remedy; the keyword arguments fill the sentence and travel as
    metadata. The reason on the wire is the class name in UPPER_SNAKE: rename a class and you break a partner.
    """

    kind: ClassVar[Kind]
    message: ClassVar[str]
    remedy: ClassVar[str] = ""

    def __init__(self, **facts: object) -> None:
        self.facts: dict[str, object] = facts
        super().__init__(self.message.format(**facts))

    @property
    def reason(self) -> str:
        """The stable identifier, at most 63 characters of UPPER_SNAKE."""
        return reason_of(type(self))

    @property
    def advice(self) -> str:
        """What the caller can do, with the facts filled in."""
        return self.remedy.format(**self.facts)

    @property
    def metadata(self) -> dict[str, str]:
        """Every fact as text under its lowerCamel name."""
        return {_lower_camel(name): str(fact) for name, fact in self.facts.items()}


def reason_of(refusal: type[Refusal]) -> str:
    """The reason that a class of refusals carries on the wire."""
    return _WORD_EDGE.sub("_", refusal.__name__).upper()


def _lower_camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(word.capitalize() for word in tail)
