"""Points between two wallets: what left arrives once, as it left, and in the end nothing is on its way."""

from __future__ import annotations

from collections.abc import Iterator

from tests.faults.checker.journal import Replayed
from tests.faults.checker.moves import ARRIVALS
from tests.faults.checker.written import Written
from tests.faults.record import Place


def lost_in_transit(journal: Replayed, *, at_rest: bool) -> Iterator[str]:
    """Arrivals without a departure, twice, or otherwise than it left; departures that never arrived."""
    arrived: dict[Place, Written] = {}
    for entry in journal.entries.values():
        if entry.kind not in ARRIVALS:
            continue
        came_from = entry.body.get("counterpart", {})
        departure = journal.entries.get(Place(came_from.get("bucket", 0), came_from.get("seq", 0)))
        if departure is None or departure.kind != ARRIVALS[entry.kind] or departure.counterpart != entry.wallet:
            yield f"forged: {entry.place} arrived from where nothing left"
            continue
        if departure.place in arrived:
            yield f"double apply: {departure.place} arrived at {arrived[departure.place].place} and {entry.place}"
        arrived[departure.place] = entry
        if _carried(departure, "credit", "debit") != _carried(entry, "debit", "credit"):
            yield f"wrong points: {entry.place} is not what left with {departure.place}"
    for entry in journal.entries.values():
        if at_rest and entry.kind in ARRIVALS.values() and entry.place not in arrived:
            yield f"lost: what left with {entry.place} has not arrived"


def _carried(entry: Written, inward: str, outward: str) -> list[tuple[str, str, int, str, str]]:
    """What the entry moved into transit (positive) and out of it, with issuer, unit and last day."""
    found = []
    for part in entry.body["postings"]:
        sign = (part[inward] == "IN_TRANSIT") - (part[outward] == "IN_TRANSIT")
        if sign:
            found.append((part["issuer"], part["unit"], sign * part["points"], part.get("expires_on", "")))
    return sorted((issuer, unit, points, day, entry.unit) for issuer, unit, points, day in found)
