"""Nouns to messages."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Context, Decimal
from typing import Any

from coalition.settlement.v1 import settlement_pb2 as pb

from services.settlement.api.terms import version_of
from services.settlement.domain.lines import LineKey
from services.settlement.domain.nets import Net
from services.settlement.domain.position import Position
from services.settlement.domain.proposal import Proposal
from services.settlement.domain.window import Window
from services.settlement.store.contracts import Published
from services.settlement.store.entries import Counted
from services.settlement.store.suspense import Waiting
from shared.instants import instant
from shared.rpc import wire

_EXACT = Context(prec=60)


def version_pb(published: Published) -> pb.ContractVersion:
    """A version with its end, where it has one, and where it stands."""
    version, until = published.version, published.effective_until
    answer = version_of(version.terms)
    answer.name = version.id.name
    answer.sha256 = version.sha256
    answer.create_time.CopyFrom(wire.timestamp(published.created_at))
    answer.MergeFrom(pb.ContractVersion(state=f"CONTRACT_VERSION_STATE_{published.state}", proposal=published.proposal))
    if until is not None:
        answer.effective_until.CopyFrom(wire.timestamp(instant(until)))
    return answer


def position_pb(stands: Position, owed: Iterable[tuple[LineKey, int]], entry_count: int) -> pb.Position:
    """What a partner owes, less what it is owed, unrounded: outside closed windows, and in all."""
    exact = Decimal(0)
    for key, points in owed:
        sign = (key.debtor == stands.partner) - (key.creditor == stands.partner)
        exact = _EXACT.add(exact, key.rate.times(sign * points))
    return pb.Position(
        name=f"partners/{stands.partner}/position",
        exact=wire.decimal_pb(exact),
        currency=stands.currency,
        entry_count=entry_count,
        unsettled=wire.decimal_pb(stands.major(stands.exact)),
        held=wire.decimal_pb(stands.major(stands.held)),
        outstanding=wire.decimal_pb(stands.major(stands.outstanding)),
        weighed=wire.decimal_pb(stands.major(stands.weighed)),
    )


def window_pb(
    window: Window, counted: tuple[int, int], nets: Iterable[Net] = (), seal: bytes = b"", waits_for: str = ""
) -> pb.Window:
    """A window with its counts; its nets, its seal and what it waits for where they were asked for."""
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
        seal_sha256=seal,
        waits_for=waits_for,
    )


def net_pb(net: Net) -> pb.Net:
    """One participant's row."""
    return pb.Net(
        partner=net.partner,
        billed=wire.money_pb(net.billed_minor, net.currency),
        reimbursed=wire.money_pb(net.reimbursed_minor, net.currency),
        net=wire.money_pb(net.net_minor, net.currency),
        fees=wire.money_pb(net.fees_minor, net.currency) if net.fees_minor else None,
        tax=wire.money_pb(net.tax_minor, net.currency) if net.tax_minor else None,
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


def entry_pb(one: Counted) -> pb.WindowEntry:
    """What an entry made."""
    return pb.WindowEntry(
        bucket=one.bucket,
        seq=one.seq,
        leg=f"LEG_{one.leg.value}",
        debtor=one.debtor,
        creditor=one.creditor,
        contract_version=one.version.name,
        campaign=one.rate_class,
        points=one.points,
        original_seq=one.original or 0,
        late=one.late,
        occur_time=wire.timestamp(one.occurred_at),
        hash=one.hash,
    )


def suspended_pb(one: Waiting) -> pb.SuspendedEntry:
    """An entry without a price."""
    return pb.SuspendedEntry(
        bucket=one.bucket, seq=one.seq, reason=one.reason, detail=one.detail, waiver=one.waived, hash=one.hash
    )


def waiver_pb(proposal: Proposal) -> pb.Waiver:
    """What was proposed to be waived."""
    content: Any = proposal.content
    count = len(content["entries"])
    return pb.Waiver(window=proposal.subject, proposal=proposal.name, entry_count=count, sha256=proposal.sha256)
