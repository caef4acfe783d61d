"""Which accounts an entry of each kind may move points between, and which of these moves its `points` count."""

from __future__ import annotations

from collections.abc import Iterable

Move = tuple[str, str]
"""Debit and credit."""


def _from(sources: Iterable[str], sink: str) -> frozenset[Move]:
    return frozenset((source, sink) for source in sources)


def _into(source: str, sinks: Iterable[str]) -> frozenset[Move]:
    return frozenset((source, sink) for sink in sinks)


_BACK = ("AVAILABLE", "EXPIRED")
_REPAID = frozenset({("AVAILABLE", "OWED")})
"""Whatever arrives repays a debt first."""

MAIN: dict[str, frozenset[Move]] = {
    "AWARD": _into("ISSUED", ("AVAILABLE", "PENDING")),
    "HOLD": _into("AVAILABLE", ("HELD",)),
    "CAPTURE": _into("HELD", ("REDEEMED",)),
    "RELEASE": _into("HELD", _BACK),
    "REDEMPTION": _into("AVAILABLE", ("REDEEMED",)),
    "REVERSAL": _from(("AVAILABLE", "PENDING", "OWED", "WITHHELD", "WRITTEN_OFF"), "ISSUED"),
    "REFUND": _into("REDEEMED", ("AVAILABLE",)),
    "EXPIRY": _into("AVAILABLE", ("EXPIRED",)),
    "PENDING_RELEASE": _into("PENDING", _BACK),
    "TRANSFER_OUT": _into("AVAILABLE", ("IN_TRANSIT",)),
    "TRANSFER_IN": _into("IN_TRANSIT", ("AVAILABLE",)),
    "MERGE_OUT": _from(("AVAILABLE", "PENDING"), "IN_TRANSIT"),
    "MERGE_IN": _into("IN_TRANSIT", ("AVAILABLE", "PENDING")),
    "ADJUSTMENT": frozenset({("ADJUSTED", "AVAILABLE"), ("AVAILABLE", "ADJUSTED")}),
    "EXTENSION": frozenset(),
}
"""By kind. What is not here no entry may do."""

SIDE: dict[str, frozenset[Move]] = {
    "AWARD": _REPAID,
    "CAPTURE": _into("HELD", _BACK) | _REPAID,
    "RELEASE": _REPAID,
    "REFUND": _REPAID,
    "PENDING_RELEASE": _REPAID,
    "TRANSFER_IN": _REPAID,
    "MERGE_OUT": _into("IN_TRANSIT", ("OWED",)),
    "MERGE_IN": _from(("OWED",), "IN_TRANSIT") | _REPAID,
    "ADJUSTMENT": _REPAID,
}
"""Moves that go along: what a capture gives back, debts that are repaid or follow to another wallet."""

CLOCK = frozenset({"RELEASE", "EXPIRY", "PENDING_RELEASE"})
"""What happens without anybody's asking, in the operator's name, once it is due."""

ARRIVALS = {"TRANSFER_IN": "TRANSFER_OUT", "MERGE_IN": "MERGE_OUT"}
"""What follows from an entry in another wallet."""
