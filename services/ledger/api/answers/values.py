"""Values that stand in many messages: instants, days, balances."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final, cast

from coalition.ledger.v1 import ledger_pb2 as pb
from google.protobuf.timestamp_pb2 import Timestamp

from services.ledger.domain.entry import Balance, Unit

Fields = dict[str, Any]
"""A message as the keyword arguments that make it; messages inside are of the same kind."""

UNITS: Final = {unit: cast(pb.Unit, pb.Unit.Value(f"UNIT_{unit.name}")) for unit in Unit}
"""The contract's numbers; the stubs would have them be of a class that does not exist at runtime."""


def instant_pb(at: int) -> Timestamp:
    """Microseconds since 1970 as a Timestamp."""
    return Timestamp(**instant_fields(at))


def instant_fields(at: int) -> Fields:
    seconds, rest = divmod(at, 1_000_000)
    return {"seconds": seconds, "nanos": rest * 1000}


def day_fields(day: date) -> Fields:
    return {"year": day.year, "month": day.month, "day": day.day}


def balance_fields(balance: Balance, unit: Unit) -> Fields:
    available, pending, held, debt = balance
    return {"available": available, "pending": pending, "held": held, "debt": debt, "unit": UNITS[unit]}


def balance_pb(balance: Balance, unit: Unit = Unit.POINTS, others: Iterable[tuple[Unit, Balance]] = ()) -> pb.Balance:
    return pb.Balance(
        **balance_fields(balance, unit), others=[balance_fields(other, other_unit) for other_unit, other in others]
    )


def balances_pb(balances: Mapping[Unit, Balance]) -> pb.Balance:
    """All that a wallet holds, redeemable points first."""
    others = [(unit, balance) for unit, balance in balances.items() if unit is not Unit.POINTS]
    return balance_pb(balances.get(Unit.POINTS, Balance()), others=others)
