"""Who is told that an identifier is taken: it says that somebody is a member, and that is worth guessing.

The operator may know. A partner hears it within its budget of misses and not of which identifier; when the budget is
spent it hears nothing and enrols nobody, for a wish that succeeds tells as much as one that does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.identity.domain.identifiers import Identifier, IdentifierTaken
from services.identity.domain.misses import MissBudget, TooManyMisses


class Telling(Protocol):
    """What whoever enrols may hear."""

    def withheld(self) -> TooManyMisses | None:
        """What to answer to a new wish instead of looking."""

    def taken(self, clash: Identifier) -> IdentifierTaken:
        """What to answer to a wish whose identifier has an owner."""


class Plainly:
    """To the operator, who knows all members anyway."""

    def withheld(self) -> TooManyMisses | None:
        return None

    def taken(self, clash: Identifier) -> IdentifierTaken:
        return IdentifierTaken(type=clash.type.value)


@dataclass(frozen=True, slots=True)
class WithinBudget:
    """To a partner."""

    budget: MissBudget
    partner: str
    at: datetime

    def withheld(self) -> TooManyMisses | None:
        return self.budget.refusal(self.partner, self.at)

    def taken(self, clash: Identifier) -> IdentifierTaken:
        self.budget.count(self.partner, self.at)
        return IdentifierTaken()
