"""Points between two wallets."""

from __future__ import annotations

from coalition.ledger.v1 import ledger_pb2 as pb

from services.ledger.api.answers.entries import entry_pb
from services.ledger.store.transfers import Moved


def transfer_pb(moved: Moved, *, dry: bool) -> pb.Transfer:
    return pb.Transfer(
        state="TRANSFER_STATE_ARRIVED" if moved.arrival else "TRANSFER_STATE_IN_TRANSIT",
        departure=entry_pb(moved.departure.entry, dry=dry and not moved.departure.replay),
        arrival=entry_pb(moved.arrival) if moved.arrival else None,
    )
