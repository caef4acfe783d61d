"""Contracts: numbered, dated, immutable versions of a partner's terms.

A version is valid from its first instant until the next version's: half-open, so that there is never a gap and never
an overlap, by construction rather than by a check. Instants are microseconds since 1970 in UTC, as in the journal.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from hashlib import sha256
from typing import NamedTuple

from services.settlement.domain.refusals import ContractVersionOverlaps
from shared.canonical import Canonical, canonical
from shared.money import Rate, Rounded, exponent_of, half_even, half_up

OPERATOR = "operator"
"""The participant that stands between the partners: it is the other side of every line."""


class Timing(Enum):
    """When an issuer pays for its points."""

    AT_ISSUANCE = "AT_ISSUANCE"


class Rounding(Enum):
    """How a line's cumulative exact total becomes whole minor units."""

    CUMULATIVE_HALF_EVEN = "CUMULATIVE_HALF_EVEN"
    CUMULATIVE_HALF_UP = "CUMULATIVE_HALF_UP"

    @property
    def rounded(self) -> Rounded:
        """The rule as a function."""
        return half_even if self is Rounding.CUMULATIVE_HALF_EVEN else half_up


@dataclass(frozen=True, slots=True)
class Terms:
    """What a version says, apart from whose it is and which number it has."""

    effective_from: int
    timing: Timing
    rate_at_issuance: Rate
    reimbursement_rate: Rate
    currency: str
    rounding: Rounding = Rounding.CUMULATIVE_HALF_EVEN

    def __post_init__(self) -> None:
        exponent_of(self.currency)

    @property
    def form(self) -> dict[str, Canonical]:
        """The terms as they are hashed."""
        return {
            "currency": self.currency,
            "effective_from": self.effective_from,
            "rate_at_issuance": str(self.rate_at_issuance),
            "reimbursement_rate": str(self.reimbursement_rate),
            "rounding": self.rounding.value,
            "timing": self.timing.value,
        }


class VersionId(NamedTuple):
    """Names a version: `grocer/2`."""

    partner: str
    number: int

    def __str__(self) -> str:
        return f"{self.partner}/{self.number}"


@dataclass(frozen=True, slots=True)
class ContractVersion:
    """One partner's terms under their number."""

    id: VersionId
    terms: Terms

    @property
    def sha256(self) -> bytes:
        """The hash of the canonical version: what an approval of it can be bound to."""
        form = {**self.terms.form, "number": self.id.number, "partner": self.id.partner, "v": 1}
        return sha256(canonical(form)).digest()


def next_version(partner: str, existing: Sequence[ContractVersion], terms: Terms) -> ContractVersion:
    """The version that follows the existing ones, oldest first. It may only begin after the newest began."""
    if existing and terms.effective_from <= existing[-1].terms.effective_from:
        raise ContractVersionOverlaps(partner=partner, newest=existing[-1].id.number)
    return ContractVersion(VersionId(partner, len(existing) + 1), terms)


class PriceBook:
    """Every version of every contract, and which of them prices what happened at an instant."""

    def __init__(self, versions: Iterable[ContractVersion] = ()) -> None:
        self.versions: Mapping[VersionId, ContractVersion] = {version.id: version for version in versions}
        self._starts: dict[str, list[int]] = {}
        for id_ in sorted(self.versions):
            self._starts.setdefault(id_.partner, []).append(self.versions[id_].terms.effective_from)

    def in_force(self, partner: str, at: int) -> VersionId | None:
        """The version with `effective_from <= at < effective_until`; None before the first one."""
        number = bisect_right(self._starts.get(partner, ()), at)
        return VersionId(partner, number) if number else None

    def pricing(self, partner: str, at: int) -> VersionId | None:
        """The version that prices what happened at an instant: the one in force, or the partner's first.

        A till may award before finance has signed, or send what is older than the contract. It must have a price, or
        no window could ever be closed over it.
        """
        return self.in_force(partner, at) or (VersionId(partner, 1) if partner in self._starts else None)

    def terms(self, id_: VersionId) -> Terms:
        """What a version says."""
        return self.versions[id_].terms

    def partners(self, before: int) -> list[str]:
        """Who has terms that began before an instant, by name: the participants of a window that ends there."""
        return sorted(partner for partner, starts in self._starts.items() if starts[0] < before)
