"""The journal's nouns: an entry is one thing that happened to one wallet; its postings say which points went where."""

from services.ledger.domain.entry.accounts import (
    AVAILABLE,
    HELD,
    IN_TRANSIT,
    PENDING,
    Account,
    AccountKind,
    adjusted,
    expired,
    issued,
    owed,
    redeemed,
    withheld,
    written_off,
)
from services.ledger.domain.entry.balance import Balance, Unit
from services.ledger.domain.entry.entries import CLOCK_KINDS, OPERATOR, Entry, EntryKind
from services.ledger.domain.entry.postings import PLAIN, LotId, LotTerms, Origin, Posting
from services.ledger.domain.entry.references import Counterpart, Place, ReceiptRef

__all__ = [
    "AVAILABLE",
    "CLOCK_KINDS",
    "HELD",
    "IN_TRANSIT",
    "OPERATOR",
    "PENDING",
    "PLAIN",
    "Account",
    "AccountKind",
    "Balance",
    "Counterpart",
    "Entry",
    "EntryKind",
    "LotId",
    "LotTerms",
    "Origin",
    "Place",
    "Posting",
    "ReceiptRef",
    "Unit",
    "adjusted",
    "expired",
    "issued",
    "owed",
    "redeemed",
    "withheld",
    "written_off",
]
