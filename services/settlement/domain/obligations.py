"""Obligations: what each entry of the journal makes one participant owe another, and under which version.

An award makes its issuer owe the operator (ISSUANCE); a capture or a redemption makes the operator owe the acceptor
(REIMBURSEMENT); a reversal or a refund takes back what its original made, at the original's price. Holds, releases and
expiries move no money. An entry is priced whole or not at all: what cannot be priced is suspended with a reason.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple

from services.settlement.domain.contract import OPERATOR, PriceBook, VersionId
from services.settlement.domain.journal import Entry


class Leg(Enum):
    """What an obligation is for."""

    ISSUANCE = "ISSUANCE"
    REIMBURSEMENT = "REIMBURSEMENT"


class Reason(Enum):
    """Why an entry waits in suspense."""

    NO_CONTRACT = "NO_CONTRACT"
    UNKNOWN_ORIGINAL = "UNKNOWN_ORIGINAL"
    UNDONE_TOO_OFTEN = "UNDONE_TOO_OFTEN"
    UNREADABLE = "UNREADABLE"
    UNKNOWN_KIND = "UNKNOWN_KIND"


class RollupKey(NamedTuple):
    """Obligations that are counted together: same leg, same two sides, same version."""

    leg: Leg
    debtor: str
    creditor: str
    version: VersionId


class Obligation(NamedTuple):
    """Signed points of one entry under one key. `original` is the seq of the entry that it takes back."""

    key: RollupKey
    points: int
    original: int | None


class Suspended(NamedTuple):
    """An entry that cannot be priced yet."""

    reason: Reason
    detail: str


class Movement(NamedTuple):
    """What an entry's postings say about one partner, before it has a price."""

    leg: Leg
    partner: str
    points: int
    undoes: bool


class Original(NamedTuple):
    """Where an undo looks for its price: the entry it takes back, the leg, the partner."""

    seq: int
    leg: Leg
    partner: str


class Owed(NamedTuple):
    """What an original made, and how much of it has not been taken back."""

    version: VersionId
    left: int


class Pricing:
    """Prices the entries of one bucket, in the order of their seqs.

    It knows what the originals made: those it priced itself, and those that `recall` brings from earlier pages.
    """

    def __init__(self, book: PriceBook) -> None:
        self._book = book
        self._owed: dict[Original, Owed] = {}

    def recall(self, original: Original, owed: Owed) -> None:
        """Tell about an entry that was priced before."""
        self._owed[original] = owed

    def obligations(self, entry: Entry) -> tuple[Obligation, ...] | Suspended:
        """The obligations of an entry, none where no money moves; or why it must wait."""
        if entry.kind not in _KINDS:
            return Suspended(Reason.UNKNOWN_KIND, f"nobody said what {entry.kind[:50]} costs")
        found = [self._priced(entry, movement) for movement in movements(entry)]
        for one in found:
            if isinstance(one, Suspended):
                return one
        priced = tuple(one for one in found if isinstance(one, Obligation))
        for obligation in priced:
            self._remember(entry, obligation)
        return priced

    def _priced(self, entry: Entry, movement: Movement) -> Obligation | Suspended:
        leg, partner, points, undoes = movement
        if not undoes:
            version = self._book.pricing(partner, entry.occurred_at)
            if version is None:
                return Suspended(Reason.NO_CONTRACT, f"{partner} has no contract")
            return Obligation(_key(leg, partner, version), points, None)
        if entry.original is None:
            return Suspended(Reason.UNKNOWN_ORIGINAL, "it names no original")
        owed = self._owed.get(Original(entry.original, leg, partner))
        if owed is None:
            return Suspended(Reason.UNKNOWN_ORIGINAL, f"{entry.bucket}-{entry.original} has no price for {partner}")
        if points > owed.left:
            return Suspended(Reason.UNDONE_TOO_OFTEN, f"{points} of {owed.left} points that are left of the original")
        return Obligation(_key(leg, partner, owed.version), -points, entry.original)

    def _remember(self, entry: Entry, obligation: Obligation) -> None:
        key = obligation.key
        partner = key.version.partner
        if obligation.original is None:
            self._owed[Original(entry.seq, key.leg, partner)] = Owed(key.version, obligation.points)
        else:
            original = Original(obligation.original, key.leg, partner)
            owed = self._owed[original]
            self._owed[original] = owed._replace(left=owed.left + obligation.points)


def originals(entries: Iterable[Entry]) -> set[int]:
    """The seqs of the entries that the given ones take back, and that are not among them."""
    wanted, seen = set(), set()
    for entry in entries:
        seen.add(entry.seq)
        if entry.kind in _UNDOES and entry.original is not None:
            wanted.add(entry.original)
    return wanted - seen


def movements(entry: Entry) -> list[Movement]:
    """What an entry moves between partners and the operator, one movement per leg and partner.

    What the operator would owe itself is no movement: points that it issues, or takes, at its own cost.
    """
    pattern = _PATTERNS.get(entry.kind)
    if pattern is None:
        return []
    leg, side, account, wallet, undoes = pattern
    sums: dict[str, int] = {}
    for posting in entry.postings:
        own, other = (posting.debit, posting.credit) if side == "debit" else (posting.credit, posting.debit)
        kind, _, partner = own.partition(":")
        if kind == account and other in wallet and partner != OPERATOR:
            sums[partner] = sums.get(partner, 0) + posting.points
    return [Movement(leg, partner, points, undoes) for partner, points in sums.items()]


class _Pattern(NamedTuple):
    """Which postings of a kind of entry carry money: `account` of a partner on one side, a wallet's on the other."""

    leg: Leg
    side: str
    account: str
    wallet: frozenset[str]
    undoes: bool


# A reversal also writes off what had been spent: WRITTEN_OFF to ISSUED. That never came back, so nothing is credited.
_PATTERNS = {
    "AWARD": _Pattern(Leg.ISSUANCE, "debit", "ISSUED", frozenset({"AVAILABLE", "PENDING"}), undoes=False),
    "REVERSAL": _Pattern(Leg.ISSUANCE, "credit", "ISSUED", frozenset({"AVAILABLE", "PENDING"}), undoes=True),
    "CAPTURE": _Pattern(Leg.REIMBURSEMENT, "credit", "REDEEMED", frozenset({"HELD"}), undoes=False),
    "REDEMPTION": _Pattern(Leg.REIMBURSEMENT, "credit", "REDEEMED", frozenset({"AVAILABLE"}), undoes=False),
    "REFUND": _Pattern(Leg.REIMBURSEMENT, "debit", "REDEEMED", frozenset({"AVAILABLE", "PENDING"}), undoes=True),
}
_WITHOUT_MONEY = frozenset({"HOLD", "RELEASE", "EXPIRY"})
_KINDS = _PATTERNS.keys() | _WITHOUT_MONEY
_UNDOES = frozenset(kind for kind, pattern in _PATTERNS.items() if pattern.undoes)


def _key(leg: Leg, partner: str, version: VersionId) -> RollupKey:
    if leg is Leg.ISSUANCE:
        return RollupKey(leg, partner, OPERATOR, version)
    return RollupKey(leg, OPERATOR, partner, version)
