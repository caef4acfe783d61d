"""Contracts: numbered, dated, immutable versions of a partner's terms.

A version is valid from its first instant until the next version's: half-open, so that there is never a gap and never
an overlap, by construction rather than by a check. Instants are microseconds since 1970 in UTC, as in the journal.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from services.settlement.domain.legs import OPERATOR as OPERATOR
from services.settlement.domain.legs import Leg
from services.settlement.domain.refusals import ContractVersionOverlaps
from services.settlement.domain.terms import NOTHING, Terms
from shared.canonical import Canonical, canonical


class VersionId(NamedTuple):
    """Names a version: `grocer/2`."""

    partner: str
    number: int

    def __str__(self) -> str:
        return f"{self.partner}/{self.number}"

    @property
    def name(self) -> str:
        """Its resource name."""
        return f"partners/{self.partner}/contract/versions/{self.number}"


@dataclass(frozen=True, slots=True)
class ContractVersion:
    """One partner's terms under their number."""

    id: VersionId
    terms: Terms

    @property
    def form(self) -> dict[str, Canonical]:
        """What is hashed, and what two people agree on."""
        return {**self.terms.form, "number": self.id.number, "partner": self.id.partner, "v": 1}

    @property
    def sha256(self) -> bytes:
        """The hash of the canonical version."""
        return sha256(canonical(self.form)).digest()


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
        self._ids: dict[str, list[VersionId]] = {}
        self._ever_free: set[tuple[str, Leg]] = set()
        for id_ in sorted(self.versions):
            terms = self.versions[id_].terms
            self._starts.setdefault(id_.partner, []).append(terms.effective_from)
            self._ids.setdefault(id_.partner, []).append(id_)
            self._ever_free |= {(id_.partner, leg) for leg, rate in terms.rates.items() if rate == NOTHING}

    def in_force(self, partner: str, at: int) -> VersionId | None:
        """The version with `effective_from <= at < effective_until`; None before the first one."""
        number = bisect_right(self._starts.get(partner, ()), at)
        return self._ids[partner][number - 1] if number else None

    def pricing(self, partner: str, at: int) -> VersionId | None:
        """The version that prices what happened at an instant: the one in force, or the partner's first.

        A till may award before finance has signed, or send what is older than the contract. It must have a price, or
        no window could ever be closed over it.
        """
        ids = self._ids.get(partner)
        if ids is None:
            return None
        if len(ids) == 1:
            return ids[0]
        return ids[max(bisect_right(self._starts[partner], at) - 1, 0)]

    def terms(self, id_: VersionId) -> Terms:
        """What a version says."""
        return self.versions[id_].terms

    def of(self, partner: str) -> list[ContractVersion]:
        """All versions of a partner, by number."""
        return [self.versions[id_] for id_ in self._ids.get(partner, ())]

    def until(self, id_: VersionId) -> int | None:
        """The first instant at which a version is no longer in force; None while it is the newest."""
        starts = self._starts[id_.partner]
        return starts[id_.number] if id_.number < len(starts) else None

    def ever_free(self, partner: str, leg: Leg) -> bool:
        """Whether some version of the partner has no rate for a leg: then what it did may have left no obligation."""
        return (partner, leg) in self._ever_free

    def partners(self, before: int) -> list[str]:
        """Who has terms that began before an instant, by name: the participants of a window that ends there."""
        return sorted(partner for partner, starts in self._starts.items() if starts[0] < before)
