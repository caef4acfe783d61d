"""When points end."""

from __future__ import annotations

from coalition.ledger.v1 import ledger_pb2 as pb

from services.ledger.store.balances import ExpiryDates
from shared.rpc import wire


def expiry_schedule_pb(dates: ExpiryDates) -> pb.ExpirySchedule:
    return pb.ExpirySchedule(
        dates=[
            pb.ExpiryDate(
                unit=f"UNIT_{unit.name}",
                expires_on=wire.date_pb(day) if day else None,
                available=points.available,
                pending=points.pending,
                held=points.held,
            )
            for (unit, day), points in dates.items()
        ]
    )
