"""Obligations: what each entry of the journal makes one participant owe another, and under which version.

An award makes its issuer owe the operator (ISSUANCE); what is spent makes the issuer of each lot owe (REDEMPTION: the
operator or, DIRECT, the acceptor) and the operator owe the acceptor (REIMBURSEMENT); what expires may come back to its
issuer in part (BREAKAGE). A reversal or a refund takes back what its original made, at the original's price. What a
wallet owes after a reversal is credited to the issuer when it is repaid, whatever kind of entry repays it. Holds,
releases and transfers move no money, and a leg whose rate is zero leaves nothing behind. An entry is priced whole or
not at all: what cannot be priced is suspended with a reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import NamedTuple

from services.settlement.domain.contract import VersionId
from services.settlement.domain.journal import Entry
from services.settlement.domain.legs import Leg as Leg

_UNDOES = frozenset({"REVERSAL", "REFUND"})


class Reason(Enum):
    """Why an entry waits in suspense."""

    NO_CONTRACT = "NO_CONTRACT"
    UNKNOWN_ORIGINAL = "UNKNOWN_ORIGINAL"
    UNDONE_TOO_OFTEN = "UNDONE_TOO_OFTEN"
    TOO_LATE = "TOO_LATE"
    UNREADABLE = "UNREADABLE"
    UNKNOWN_KIND = "UNKNOWN_KIND"


class RollupKey(NamedTuple):
    """Obligations that are counted together: same leg, same two sides, same version, same rate of it.

    `rate_class` is the campaign whose rate holds, empty for the version's own; `month` (202603) is kept only where a
    fee of the version belongs to calendar months.
    """

    leg: Leg
    debtor: str
    creditor: str
    version: VersionId
    rate_class: str = ""
    month: int = 0

    @property
    def counterparty(self) -> str:
        """The side whose contract it is not."""
        return self.creditor if self.leg.partner_owes else self.debtor


class Obligation(NamedTuple):
    """Signed points of one entry under one key. `original` is the seq of the entry that it takes back.

    `lot` is the line of the award that made the lot, where that line has a rate of its own.
    """

    key: RollupKey
    points: int
    original: int | None
    lot: int | None = None


class Suspended(NamedTuple):
    """An entry that cannot be priced yet."""

    reason: Reason
    detail: str


class Original(NamedTuple):
    """Where an undo looks for its price: the entry it takes back, the leg, the partner, the line with its own rate."""

    seq: int
    leg: Leg
    partner: str
    lot: int | None = None


class Owed(NamedTuple):
    """What an original made, and how much of it has not been taken back."""

    key: RollupKey
    left: int


def originals(entries: Sequence[Entry]) -> set[int]:
    """The seqs of the entries that the given ones take back, and that are not among them."""
    wanted = undone(entries)
    return wanted - {entry.seq for entry in entries} if wanted else wanted


def undone(entries: Iterable[Entry]) -> set[int]:
    """The seqs of the entries that the given ones take back."""
    wanted = set()
    for entry in entries:
        if entry.original is not None and entry.kind in _UNDOES:
            wanted.add(entry.original)
        for posting in entry.postings:
            if posting.award:
                wanted.add(posting.award)
    return wanted
