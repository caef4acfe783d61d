"""Nouns to messages."""

from services.ledger.api.answers.adjustments import adjustment_pb
from services.ledger.api.answers.entries import entry_fields, entry_pb
from services.ledger.api.answers.expiry import expiry_schedule_pb
from services.ledger.api.answers.holds import hold_pb, placed_hold_pb
from services.ledger.api.answers.journal import checkpoint_pb, journal_entry_pb
from services.ledger.api.answers.totals import totals_pb
from services.ledger.api.answers.transfers import transfer_pb
from services.ledger.api.answers.values import Fields, balances_pb

__all__ = [
    "Fields",
    "adjustment_pb",
    "balances_pb",
    "checkpoint_pb",
    "entry_fields",
    "entry_pb",
    "expiry_schedule_pb",
    "hold_pb",
    "journal_entry_pb",
    "placed_hold_pb",
    "totals_pb",
    "transfer_pb",
]
