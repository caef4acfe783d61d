"""Pricing: the obligations of each entry, in the order of a bucket's seqs, at the version that its day or its original
has. Which entries move what stands in one table at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from services.settlement.domain.journal import Entry, Posting
from services.settlement.domain.keys import Keys
from services.settlement.domain.legs import OPERATOR, Leg
from services.settlement.domain.obligations import Obligation, Original, Owed, Reason, RollupKey, Suspended

_DAY = 86_400_000_000


class _Waits(Exception):
    """It cannot be priced."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.suspended = Suspended(reason, detail)


class Pricing:
    """Prices the entries of one bucket, in the order of their seqs.

    It knows what the originals made: those it priced itself, and those that `recall` brings from earlier pages. Of
    those it prices it may be told which are `wanted`, and forgets the others.
    """

    def __init__(self, keys: Keys, wanted: Collection[int] | None = None) -> None:
        self._keys, self._book = keys, keys.book
        self._wanted = wanted
        self._owed: dict[Original, Owed] = {}
        self._waiting: set[int] = set()

    def recall(self, original: Original, owed: Owed) -> None:
        """Tell about an entry that was priced before."""
        self._owed[original] = owed

    def wait_for(self, seqs: Iterable[int]) -> None:
        """Tell which earlier entries are in suspense: what takes them back waits with them."""
        self._waiting.update(seqs)

    def obligations(self, entry: Entry, late_by: int = 0) -> tuple[Obligation, ...] | Suspended:
        """The obligations of an entry, none where no money moves; or why it must wait.

        `late_by`: microseconds between when it happened and the beginning of its window, where that is later.
        """
        legs = _KINDS.get(entry.kind)
        if legs is None:
            return self._suspended(entry, Suspended(Reason.UNKNOWN_KIND, f"nobody said what {entry.kind[:50]} costs"))
        found = _Found()
        try:
            legs(self, entry, found)
            for posting in entry.postings:
                if posting.credit.kind == "OWED" and posting.debit.kind == "AVAILABLE":
                    self._repaid(entry, posting, found)
            if late_by:
                self._check_late(found, late_by)
            priced = tuple([row for row in found.rows if row.points])
            if found.undoes:
                self._check_left(priced)
        except _Waits as waits:
            return self._suspended(entry, waits.suspended)
        if found.undoes or self._wanted is None or entry.seq in self._wanted:
            for obligation in priced:
                self._remember(entry, obligation)
        return priced

    def _suspended(self, entry: Entry, why: Suspended) -> Suspended:
        self._waiting.add(entry.seq)
        return why

    # What each kind of entry moves. What the operator would owe itself is no movement.

    def _awarded(self, entry: Entry, found: _Found) -> None:
        for posting in entry.postings:
            if posting.debit.kind == "ISSUED" and posting.credit.kind in _WALLET and posting.debit.partner != OPERATOR:
                key = self._key(Leg.ISSUANCE, posting.debit.partner, entry.occurred_at, posting.campaign)
                if key is not None:
                    found.add(key, posting.points, None, posting.line if key.rate_class else None)

    def _reversed(self, entry: Entry, found: _Found) -> None:
        # WRITTEN_OFF, WITHHELD and OWED to ISSUED never came back, so nothing is credited for them.
        for posting in entry.postings:
            if posting.credit.kind == "ISSUED" and posting.debit.kind in _WALLET:
                self._undone(Leg.ISSUANCE, posting.credit.partner, entry.original, posting, found)

    def _spent(self, entry: Entry, found: _Found) -> None:
        source = "HELD" if entry.kind == "CAPTURE" else "AVAILABLE"
        for posting in entry.postings:
            if posting.credit.kind == "REDEEMED" and posting.debit.kind == source:
                acceptor, issuer = posting.credit.partner, posting.issuer
                if issuer and issuer != OPERATOR:
                    key = self._key(Leg.REDEMPTION, issuer, entry.occurred_at, acceptor=acceptor)
                    if key is not None:
                        found.add(key, posting.points)
                        if self._keys.is_direct(key.leg, key.version):
                            continue  # the issuer owes the acceptor itself
                if acceptor != OPERATOR:
                    key = self._key(Leg.REIMBURSEMENT, acceptor, entry.occurred_at)
                    if key is not None:
                        found.add(key, posting.points)

    def _refunded(self, entry: Entry, found: _Found) -> None:
        for posting in entry.postings:
            if posting.debit.kind == "REDEEMED" and posting.credit.kind in _WALLET:
                acceptor, issuer = posting.debit.partner, posting.issuer
                if issuer:
                    key = self._undone(Leg.REDEMPTION, issuer, entry.original, posting, found)
                    if key is not None and self._keys.is_direct(key.leg, key.version):
                        continue
                self._undone(Leg.REIMBURSEMENT, acceptor, entry.original, posting, found)

    def _ended(self, entry: Entry, found: _Found) -> None:
        for posting in entry.postings:
            issuer = posting.credit.partner
            if posting.credit.kind == "EXPIRED" and issuer != OPERATOR and self._book.pricing(issuer, 0) is not None:
                key = self._key(Leg.BREAKAGE, issuer, entry.occurred_at)
                if key is not None:
                    found.add(key, posting.points)

    def _adjusted(self, entry: Entry, found: _Found) -> None:
        # It costs its issuer what an award would, by the contract of its day, and taking points gives as much back.
        for posting in entry.postings:
            for side, sign in ((posting.debit.kind, 1), (posting.credit.kind, -1)):
                wallet = posting.credit.kind if sign > 0 else posting.debit.kind
                partner = posting.debit.partner if sign > 0 else posting.credit.partner
                if side == "ADJUSTED" and wallet in _WALLET and partner != OPERATOR:
                    key = self._key(Leg.ISSUANCE, partner, entry.occurred_at)
                    if key is not None:
                        found.add(key, sign * posting.points)

    def _nothing(self, entry: Entry, found: _Found) -> None:
        """No money."""

    def _repaid(self, entry: Entry, posting: Posting, found: _Found) -> None:
        partner = posting.credit.partner
        if posting.earned_at is None:
            self._undone(Leg.ISSUANCE, partner, posting.award or None, posting, found)
        elif partner != OPERATOR:  # the award lies in another bucket: its price is that of its day
            key = self._key(Leg.ISSUANCE, partner, posting.earned_at)
            if key is not None:
                found.add(key, -posting.points)

    def _undone(self, leg: Leg, partner: str, seq: int | None, posting: Posting, found: _Found) -> RollupKey | None:
        """Take back from what the original made; None where it made nothing, because it cost nothing."""
        if partner == OPERATOR:
            return None
        if seq is None:
            raise _Waits(Reason.UNKNOWN_ORIGINAL, "it names no original")
        if seq in self._waiting:
            raise _Waits(Reason.UNKNOWN_ORIGINAL, f"its original {seq} waits in suspense")
        lot = posting.line
        owed = None if lot is None else self._owed.get(Original(seq, leg, partner, lot))
        if owed is None:
            lot, owed = None, self._owed.get(Original(seq, leg, partner))
        if owed is None:
            if self._book.ever_free(partner, leg):
                return None
            raise _Waits(Reason.UNKNOWN_ORIGINAL, f"{seq} has no price for {partner}")
        found.add(owed.key, -posting.points, seq, lot)
        return owed.key

    def _key(
        self, leg: Leg, partner: str, at: int, campaign: str = "", *, acceptor: str = OPERATOR
    ) -> RollupKey | None:
        """What an own price is counted under; None for a rate of zero."""
        version = self._book.pricing(partner, at)
        if version is None:
            raise _Waits(Reason.NO_CONTRACT, f"{partner} has no contract")
        key, holds = self._keys[leg, version]
        return key if holds else self._keys.own(leg, version, at, campaign, acceptor)

    def _check_late(self, found: _Found, late_by: int) -> None:
        for key, *_ in found.rows:
            limit = self._book.terms(key.version).late_limit_days
            if limit and late_by > limit * _DAY:
                raise _Waits(Reason.TOO_LATE, f"{key.version} takes what comes at most {limit} days late")

    def _check_left(self, priced: tuple[Obligation, ...]) -> None:
        for key, points, seq, lot in priced:
            if seq is not None:
                left = self._owed[Original(seq, key.leg, key.version.partner, lot)].left
                if -points > left:
                    detail = f"{-points} of {left} points that are left of the original"
                    raise _Waits(Reason.UNDONE_TOO_OFTEN, detail)

    def _remember(self, entry: Entry, obligation: Obligation) -> None:
        key, points, seq, lot = obligation
        if seq is not None:
            original = Original(seq, key.leg, key.version.partner, lot)
            owed = self._owed[original]
            self._owed[original] = owed._replace(left=owed.left + points)
        elif points > 0:  # what is given back by itself can be undone by nobody
            self._owed[Original(entry.seq, key.leg, key.version.partner, lot)] = Owed(key, points)


class _Found:
    """What an entry moves, in the order in which it says so; whether any of it takes something back."""

    __slots__ = ("rows", "undoes")

    def __init__(self) -> None:
        self.rows: list[Obligation] = []
        self.undoes = False

    def add(self, key: RollupKey, points: int, original: int | None = None, lot: int | None = None) -> None:
        if original is not None:
            self.undoes = True
        for number, row in enumerate(self.rows):
            if row.original == original and row.lot == lot and row.key == key:
                self.rows[number] = Obligation(key, row.points + points, original, lot)
                return
        self.rows.append(Obligation(key, points, original, lot))


_WALLET = frozenset({"AVAILABLE", "PENDING"})
_KINDS: Mapping[str, Callable[[Pricing, Entry, _Found], None]] = {
    "AWARD": Pricing._awarded,
    "REVERSAL": Pricing._reversed,
    "CAPTURE": Pricing._spent,
    "REDEMPTION": Pricing._spent,
    "REFUND": Pricing._refunded,
    "EXPIRY": Pricing._ended,
    "RELEASE": Pricing._ended,
    "ADJUSTMENT": Pricing._adjusted,
    **dict.fromkeys(
        ("HOLD", "PENDING_RELEASE", "TRANSFER_OUT", "TRANSFER_IN", "MERGE_OUT", "MERGE_IN", "EXTENSION"),
        Pricing._nothing,
    ),
}
