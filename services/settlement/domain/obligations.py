"""Obligations: what each entry of the journal makes one participant owe another, and under which version.

An award makes its issuer owe the operator (ISSUANCE); a capture or a redemption makes the operator owe the acceptor
(REIMBURSEMENT); a reversal or a refund takes back what its original made, at the original's price. What a wallet owes
after a reversal is credited to the issuer when it is repaid, whatever kind of entry repays it. Holds, releases,
expiries and transfers move no money. An entry is priced whole or not at all: what cannot be priced is suspended with a
reason.
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
    """What an entry's postings say about one partner, before it has a price. `undoes`: the seq of the entry whose
    price it takes back, 0 when the entry names none, None when it has a price of its own: that of the moment `at`, or
    of the entry's own."""

    leg: Leg
    partner: str
    points: int
    undoes: int | None
    at: int | None = None


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
        leg, partner, points, undoes, at = movement
        if undoes is None:
            version = self._book.pricing(partner, entry.occurred_at if at is None else at)
            if version is None:
                return Suspended(Reason.NO_CONTRACT, f"{partner} has no contract")
            return Obligation(_key(leg, partner, version), points, None)
        if not undoes:
            return Suspended(Reason.UNKNOWN_ORIGINAL, "it names no original")
        owed = self._owed.get(Original(undoes, leg, partner))
        if owed is None:
            return Suspended(Reason.UNKNOWN_ORIGINAL, f"{entry.bucket}-{undoes} has no price for {partner}")
        if points > owed.left:
            return Suspended(Reason.UNDONE_TOO_OFTEN, f"{points} of {owed.left} points that are left of the original")
        return Obligation(_key(leg, partner, owed.version), -points, undoes)

    def _remember(self, entry: Entry, obligation: Obligation) -> None:
        key = obligation.key
        partner = key.version.partner
        if obligation.original is None and obligation.points < 0:
            return  # what is given back by itself can be undone by nobody
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
        wanted.update(posting.award for posting in entry.postings if posting.award)
    return wanted - seen


def movements(entry: Entry) -> list[Movement]:
    """What an entry moves between partners and the operator, one movement per leg, partner and original.

    What the operator would owe itself is no movement: points that it issues, or takes, at its own cost.
    """
    sums: dict[tuple[Leg, str, int | None, int | None], int] = {}
    for pattern in _PATTERNS.get(entry.kind, ()):
        leg, side, account, wallet, undoes, sign = pattern
        for posting in entry.postings:
            own, other = (posting.debit, posting.credit) if side == "debit" else (posting.credit, posting.debit)
            kind, _, partner = own.partition(":")
            if kind == account and other in wallet and partner != OPERATOR:
                key = (leg, partner, entry.original or 0 if undoes else None, None)
                sums[key] = sums.get(key, 0) + sign * posting.points
    for posting in entry.postings:
        kind, _, partner = posting.credit.partition(":")
        if kind == "OWED" and posting.debit == "AVAILABLE" and partner != OPERATOR:
            here = posting.earned_at is None  # else the award lies in another bucket: its price is that of its day
            repaid = (Leg.ISSUANCE, partner, posting.award if here else None, posting.earned_at)
            sums[repaid] = sums.get(repaid, 0) + posting.points * (1 if here else -1)
    return [Movement(leg, partner, points, undoes, at) for (leg, partner, undoes, at), points in sums.items() if points]


class _Pattern(NamedTuple):
    """Which postings of a kind of entry carry money: `account` of a partner on one side, a wallet's on the other."""

    leg: Leg
    side: str
    account: str
    wallet: frozenset[str]
    undoes: bool
    sign: int = 1


_WALLET = frozenset({"AVAILABLE", "PENDING"})
_UNDO_AWARD = _Pattern(Leg.ISSUANCE, "credit", "ISSUED", _WALLET, undoes=True)
_UNDO_SPENDING = _Pattern(Leg.REIMBURSEMENT, "debit", "REDEEMED", _WALLET, undoes=True)
# Of a reversal WRITTEN_OFF, WITHHELD and OWED to ISSUED never came back, so nothing is credited for them.
# An adjustment costs its issuer what an award would, by today's contract, and taking points gives as much back.
_PATTERNS = {
    "AWARD": (_Pattern(Leg.ISSUANCE, "debit", "ISSUED", _WALLET, undoes=False),),
    "REVERSAL": (_UNDO_AWARD,),
    "CAPTURE": (_Pattern(Leg.REIMBURSEMENT, "credit", "REDEEMED", frozenset({"HELD"}), undoes=False),),
    "REDEMPTION": (_Pattern(Leg.REIMBURSEMENT, "credit", "REDEEMED", frozenset({"AVAILABLE"}), undoes=False),),
    "REFUND": (_UNDO_SPENDING,),
    "ADJUSTMENT": (
        _Pattern(Leg.ISSUANCE, "debit", "ADJUSTED", _WALLET, undoes=False),
        _Pattern(Leg.ISSUANCE, "credit", "ADJUSTED", _WALLET, undoes=False, sign=-1),
    ),
}
_WITHOUT_MONEY = frozenset(
    {
        "HOLD",
        "RELEASE",
        "EXPIRY",
        "PENDING_RELEASE",
        "TRANSFER_OUT",
        "TRANSFER_IN",
        "MERGE_OUT",
        "MERGE_IN",
        "EXTENSION",
    }
)
_KINDS = _PATTERNS.keys() | _WITHOUT_MONEY
_UNDOES = frozenset({"REVERSAL", "REFUND"})


def _key(leg: Leg, partner: str, version: VersionId) -> RollupKey:
    if leg is Leg.ISSUANCE:
        return RollupKey(leg, partner, OPERATOR, version)
    return RollupKey(leg, OPERATOR, partner, version)
