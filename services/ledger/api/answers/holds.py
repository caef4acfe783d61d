"""Holds."""

from __future__ import annotations

from coalition.ledger.v1 import ledger_pb2 as pb

from services.ledger.api.answers.values import balance_pb, instant_pb
from services.ledger.api.names import hold_name
from services.ledger.domain.entry import Entry
from services.ledger.domain.lots import Hold, HoldState


def placed_hold_pb(entry: Entry, *, dry: bool = False) -> pb.Hold:
    """The hold that an entry placed, as it was then: what a repeat answers, too."""
    answer = _hold_pb(entry, HoldState.OPEN)
    answer.balance.CopyFrom(balance_pb(entry.balance, entry.unit))
    if dry:
        answer.ClearField("name")
    return answer


def hold_pb(hold: Hold, entry: Entry) -> pb.Hold:
    """The hold as it stands now."""
    answer = _hold_pb(entry, hold.state, hold.captured, hold.released)
    answer.expire_time.CopyFrom(instant_pb(hold.expires_at))
    return answer


def _hold_pb(entry: Entry, state: HoldState, captured: int = 0, released: int = 0) -> pb.Hold:
    return pb.Hold(
        name=hold_name(entry.partner, entry.place),
        state=f"HOLD_STATE_{state.name}",
        points=entry.points,
        captured_points=captured,
        expire_time=instant_pb(entry.hold_until or 0),
        create_time=instant_pb(entry.posted_at),
        request_id=str(entry.request_id),
        released_points=released,
        unit=f"UNIT_{entry.unit.name}",
    )
