"""What an issuer's points come to beyond what is priced already: all it ever awarded, what is out, what is held."""

from __future__ import annotations

from collections import defaultdict

from services.settlement.domain.journal import Entry

_WALLET = frozenset({"AVAILABLE", "PENDING", "HELD"})


class Exposures:
    """Signed points by issuer: awarded from the first entry on, outstanding in wallets, held of these."""

    def __init__(self) -> None:
        self.of: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0])

    def add(self, entry: Entry) -> None:
        """Count one entry. Whatever leaves an issuer's account is awarded, as the ledger counts its allowance."""
        for debit, credit, points, issuer, *_ in entry.postings:
            if debit.kind == "ISSUED":
                self.of[debit.partner][0] += points
                issuer = debit.partner
            came, left = credit.kind in _WALLET, debit.kind in _WALLET
            if issuer and came != left:
                self.of[issuer][1] += points if came else -points
            if issuer and (credit.kind == "HELD") != (debit.kind == "HELD"):
                self.of[issuer][2] += points if credit.kind == "HELD" else -points
