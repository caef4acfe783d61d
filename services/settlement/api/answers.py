"""Nouns to messages."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Context, Decimal

from coalition.settlement.v1 import settlement_pb2 as pb

from services.settlement.domain.lines import LineKey
from services.settlement.domain.nets import Net
from services.settlement.domain.obligations import Leg
from services.settlement.domain.window import Window
from services.settlement.store.contracts import Published
from shared.instants import instant
from shared.rpc import wire

_EXACT = Context(prec=60)


def version_pb(published: Published) -> pb.ContractVersion:
    """A version with its end, where it has one."""
    version, terms = published.version, published.version.terms
    until = published.effective_until
    return pb.ContractVersion(
        name=f"partners/{version.id.partner}/contract/versions/{version.id.number}",
        effective_from=wire.timestamp(instant(terms.effective_from)),
        effective_until=wire.timestamp(instant(until)) if until is not None else None,
        timing=f"TIMING_{terms.timing.value}",
        rate_at_issuance=wire.decimal_pb(terms.rate_at_issuance.value),
        reimbursement_rate=wire.decimal_pb(terms.reimbursement_rate.value),
        currency=terms.currency,
        rounding=f"ROUNDING_{terms.rounding.value}",
        sha256=version.sha256,
        create_time=wire.timestamp(published.created_at),
    )


def position_pb(partner: str, owed: Iterable[tuple[LineKey, int]], currency: str, entry_count: int) -> pb.Position:
    """What a partner owes: its bills less its reimbursements, unrounded."""
    exact = Decimal(0)
    for key, points in owed:
        sign = 1 if key.leg is Leg.ISSUANCE else -1
        exact = _EXACT.add(exact, key.rate.times(sign * points))
    return pb.Position(
        name=f"partners/{partner}/position",
        exact=wire.decimal_pb(exact),
        currency=currency,
        entry_count=entry_count,
    )


def window_pb(window: Window, counted: tuple[int, int], nets: Iterable[Net] = ()) -> pb.Window:
    """A window with its counts, and its nets where they were asked for."""
    entries, late = counted
    return pb.Window(
        name=f"windows/{window.number}",
        state=f"WINDOW_STATE_{window.state.value}",
        from_checkpoint=f"checkpoints/{window.from_checkpoint}" if window.from_checkpoint else "",
        to_checkpoint=f"checkpoints/{window.to.checkpoint}" if window.to else "",
        entry_count=entries,
        late_entry_count=late,
        open_time=wire.timestamp(instant(window.opened_at)),
        close_time=wire.timestamp(instant(window.closed_at)) if window.closed_at is not None else None,
        nets=[net_pb(net) for net in nets],
        statements_root=window.statements_root,
    )


def net_pb(net: Net) -> pb.Net:
    """One participant's row."""
    return pb.Net(
        partner=net.partner,
        billed=wire.money_pb(net.billed_minor, net.currency),
        reimbursed=wire.money_pb(net.reimbursed_minor, net.currency),
        net=wire.money_pb(net.net_minor, net.currency),
    )


def statement_pb(partner: str, number: int, sha256: bytes, net: tuple[int, str], created_at: datetime) -> pb.Statement:
    """A statement without its bytes."""
    minor, currency = net
    return pb.Statement(
        name=f"partners/{partner}/statements/{number}",
        window=f"windows/{number}",
        sha256=sha256,
        net=wire.money_pb(minor, currency),
        create_time=wire.timestamp(created_at),
    )
