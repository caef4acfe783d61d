"""Points bought ahead: billed when the version begins, and then cover what is awarded under it until they are used up.

A pack is a term of a version, so it is dated, approved by two people and ends with the version. What it covers is a
function of the version's points alone, the smaller of both: however windows are cut, the same points are covered.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from services.settlement.domain.contract import ContractVersion, PriceBook, VersionId
from services.settlement.domain.legs import OPERATOR, Leg
from services.settlement.domain.lines import Line, LineKey, Rollup


class Span(NamedTuple):
    """From the instant of one edge to that of the next; `begins` is None for the first window."""

    begins: int | None
    ends: int

    def has(self, at: int) -> bool:
        """Whether an instant comes after the first edge, and not after the second."""
        return (self.begins is None or at > self.begins) and at <= self.ends


def prepaid_lines(rollups: Iterable[Rollup], before: Iterable[Rollup], span: Span, book: PriceBook) -> list[Line]:
    """The packs bought in this window, and what packs cover of its awards; not rounded yet."""
    now, then = _awarded(rollups), _awarded(before)
    lines = []
    for id_, version in book.versions.items():
        if not version.terms.prepaid_points:
            continue
        if span.has(version.terms.effective_from):
            lines.append(Line(_key(version, Leg.PREPAID), version.terms.prepaid_points, 1, 0, 0, 0))
        covered_before = _covered(version, then[id_])
        covered = _covered(version, then[id_] + now[id_]) - covered_before
        if covered:
            lines.append(Line(_key(version, Leg.COVER), covered, 1, 0, covered_before, 0))
    return lines


def _awarded(rollups: Iterable[Rollup]) -> dict[VersionId, int]:
    sums: dict[VersionId, int] = defaultdict(int)
    for rollup in rollups:
        if rollup.leg is Leg.ISSUANCE and not rollup.rate_class and not rollup.subject:
            sums[rollup.version] += rollup.points
    return sums


def _covered(version: ContractVersion, awarded: int) -> int:
    return min(max(awarded, 0), version.terms.prepaid_points)


def _key(version: ContractVersion, leg: Leg) -> LineKey:
    terms = version.terms
    rate = terms.prepaid_price if leg is Leg.PREPAID else terms.rate_at_issuance
    tax = terms.tax_classes.get(leg, terms.tax_classes.get(Leg.ISSUANCE, ""))
    subject = f"version {version.id.number}"
    return LineKey(leg, version.id.partner, terms.currency, rate, terms.rounding, OPERATOR, tax, subject)
