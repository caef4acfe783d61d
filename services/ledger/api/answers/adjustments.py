"""Corrections by hand."""

from __future__ import annotations

from coalition.ledger.v1 import ledger_pb2 as pb

from services.ledger.api.answers.entries import entry_pb
from services.ledger.domain.entry import Entry
from services.ledger.store.adjustments import Adjustment
from shared.rpc import wire


def adjustment_pb(adjustment: Adjustment, entry: Entry | None = None, *, dry: bool = False) -> pb.Adjustment:
    return pb.Adjustment(
        name="" if dry else f"adjustments/{adjustment.name}",
        state=f"ADJUSTMENT_STATE_{adjustment.state.name}",
        issuer=adjustment.issuer,
        points=adjustment.points,
        taking=adjustment.taking,
        reason=adjustment.reason,
        unit=f"UNIT_{adjustment.unit.name}",
        expires_on=wire.date_pb(adjustment.expires_on) if adjustment.expires_on else None,
        proposed_by=adjustment.proposed_by,
        create_time=wire.timestamp(adjustment.proposed_at),
        decided_by=adjustment.decided_by or "",
        decide_time=wire.timestamp(adjustment.decided_at) if adjustment.decided_at else None,
        entry=entry_pb(entry, dry=dry) if entry else None,
    )
