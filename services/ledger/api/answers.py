"""Nouns to messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, cast

from coalition.ledger.v1 import ledger_pb2 as pb
from google.protobuf.timestamp_pb2 import Timestamp

from services.ledger.api.names import entry_name, hold_name
from services.ledger.domain.apply import Head
from services.ledger.domain.chain import canonical
from services.ledger.domain.checkpoint import Checkpoint
from services.ledger.domain.entry import (
    OPERATOR,
    PLAIN,
    AccountKind,
    Balance,
    Entry,
    EntryKind,
    Place,
    Posting,
    Unit,
)
from services.ledger.domain.lots import Hold, HoldState
from services.ledger.store.adjustments import Adjustment
from services.ledger.store.balances import ExpiryDates
from services.ledger.store.readers import Flow
from services.ledger.store.transfers import Moved
from shared.rpc import wire

# The contract's numbers; the stubs would have them be of a class that does not exist at runtime.
_KINDS = {kind: cast(pb.EntryKind, pb.EntryKind.Value(f"ENTRY_KIND_{kind.name}")) for kind in EntryKind}
_UNITS = {unit: cast(pb.Unit, pb.Unit.Value(f"UNIT_{unit.name}")) for unit in Unit}
Fields = dict[str, Any]
"""A message as the keyword arguments that make it; messages inside are of the same kind."""
_HOLDS = (EntryKind.CAPTURE, EntryKind.RELEASE, EntryKind.EXTENSION)


def instant_pb(at: int) -> Timestamp:
    """Microseconds since 1970 as a Timestamp."""
    return Timestamp(**_instant(at))


def _instant(at: int) -> Fields:
    seconds, rest = divmod(at, 1_000_000)
    return {"seconds": seconds, "nanos": rest * 1000}


def _day(day: date) -> Fields:
    return {"year": day.year, "month": day.month, "day": day.day}


def _balance(balance: Balance, unit: Unit) -> Fields:
    available, pending, held, debt = balance
    return {"available": available, "pending": pending, "held": held, "debt": debt, "unit": _UNITS[unit]}


def balance_pb(balance: Balance, unit: Unit = Unit.POINTS, others: Iterable[tuple[Unit, Balance]] = ()) -> pb.Balance:
    return pb.Balance(**_balance(balance, unit), others=[_balance(other, other_unit) for other_unit, other in others])


def balances_pb(balances: Mapping[Unit, Balance]) -> pb.Balance:
    """All that a wallet holds, redeemable points first."""
    others = [(unit, balance) for unit, balance in balances.items() if unit is not Unit.POINTS]
    return balance_pb(balances.get(Unit.POINTS, Balance()), others=others)


def entry_pb(entry: Entry, *, dry: bool = False) -> pb.Entry:
    """An entry as its partner sees it: no wallet, no lots of others. One that was only tried has no place."""
    return pb.Entry(**entry_fields(entry, dry=dry))


def entry_fields(entry: Entry, *, dry: bool = False) -> Fields:
    """The same before it is a message: one made whole costs a quarter of one that is filled field by field."""
    unit, receipt = entry.unit, entry.receipt
    balance = _balance(entry.balance, unit)
    if entry.others:
        balance["others"] = [_balance(other, other_unit) for other_unit, other in entry.others]
    found: Fields = {
        "kind": _KINDS[entry.kind],
        "points": entry.points,
        "balance": balance,
        "request_id": str(entry.request_id),
        "occurred_at": _instant(entry.occurred_at),
        "posted_at": _instant(entry.posted_at),
        "unit": _UNITS[unit],
    }
    if not dry:
        bucket, seq = found["bucket"], found["seq"] = entry.bucket, entry.seq
        found["name"] = f"partners/{entry.partner}/entries/{bucket}-{seq}"
        found["hash"] = entry.hash
    if receipt is not None:
        found["receipt_ref"] = {
            "store": receipt.store,
            "terminal": receipt.terminal,
            "business_date": _day(receipt.business_date),
            "receipt_no": receipt.receipt_no,
        }
    if entry.kind is EntryKind.AWARD:
        found["lines"] = [_line(posting) for posting in entry.postings if posting.debit.kind is AccountKind.ISSUED]
    else:
        found |= _undoing(entry)
    if len(entry.postings) > 1:
        found["repaid_points"] = entry.repaid_points
    return found


def _undoing(entry: Entry) -> Fields:
    """What only entries have that follow from others, or wait for others."""
    found: Fields = {"original": _original(entry), "reason": entry.reason or ""}
    if entry.hold_until is not None:
        found["hold_until"] = _instant(entry.hold_until)
    if entry.kind is EntryKind.REVERSAL:
        found["recovered_points"] = entry.recovered_points
        found["written_off_points"] = entry.written_off_points
        found["withheld_points"] = entry.withheld_points
        found["owed_points"] = entry.owed_points
    return found


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


def transfer_pb(moved: Moved, *, dry: bool) -> pb.Transfer:
    return pb.Transfer(
        state="TRANSFER_STATE_ARRIVED" if moved.arrival else "TRANSFER_STATE_IN_TRANSIT",
        departure=entry_pb(moved.departure.entry, dry=dry and not moved.departure.replay),
        arrival=entry_pb(moved.arrival) if moved.arrival else None,
    )


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


def journal_entry_pb(entry: Entry) -> pb.JournalEntry:
    return pb.JournalEntry(bucket=entry.bucket, seq=entry.seq, hash=entry.hash, canonical=canonical(entry))


def checkpoint_pb(checkpoint: Checkpoint) -> pb.Checkpoint:
    return pb.Checkpoint(
        name=f"checkpoints/{checkpoint.number}",
        heads=map(_head_pb, checkpoint.heads, checkpoint.tree_roots or [b""] * len(checkpoint.heads)),
        root=checkpoint.root,
        entry_count=checkpoint.entry_count,
        create_time=instant_pb(checkpoint.created_at),
        signature=checkpoint.signature,
        key_id=checkpoint.key_id,
        tree_root=checkpoint.tree_root,
        tree_signature=checkpoint.tree_signature,
    )


def totals_pb(flows: Iterable[Flow], outstanding: int, entry_count: int) -> pb.Totals:
    """Flows by partner: issued and recovered at the issuer, taken and given back at the acceptor."""
    partners: dict[str, pb.PartnerTotals] = {}

    def of(partner: str) -> pb.PartnerTotals:
        return partners.setdefault(partner, pb.PartnerTotals(partner=partner))

    for flow in flows:
        match flow.debit, flow.credit:
            case AccountKind.WRITTEN_OFF, _:
                continue
            case AccountKind.ISSUED, _:
                of(flow.debit_party).awarded += flow.points
            case _, AccountKind.ISSUED:
                of(flow.credit_party).reversed += flow.points
            case AccountKind.REDEEMED, _:
                of(flow.debit_party).refunded += flow.points
            case _, AccountKind.REDEEMED:
                of(flow.credit_party).redeemed += flow.points
            case _, AccountKind.EXPIRED:
                of(flow.credit_party).expired += flow.points
            case _:
                continue
    rows = [partners[name] for name in sorted(partners)]
    return pb.Totals(
        awarded=sum(row.awarded for row in rows),
        reversed=sum(row.reversed for row in rows),
        redeemed=sum(row.redeemed for row in rows),
        refunded=sum(row.refunded for row in rows),
        expired=sum(row.expired for row in rows),
        outstanding=outstanding,
        entry_count=entry_count,
        partners=rows,
    )


def _line(posting: Posting) -> Fields:
    """A part of an award."""
    line: Fields = {"issuer": posting.issuer, "points": posting.points, "unit": _UNITS[posting.unit]}
    if posting.expires_on is not None:
        line["expires_on"] = _day(posting.expires_on)
    terms = posting.terms
    if terms is not PLAIN:
        line["campaign"] = terms.campaign
        if terms.available_from is not None:
            line["available_from"] = _instant(terms.available_from)
    return line


def _original(entry: Entry) -> str:
    if entry.original is None or entry.partner == OPERATOR:
        return ""  # the clock's work knows the place, not whose hold stood there
    place = Place(entry.bucket, entry.original)
    name = hold_name if entry.kind in _HOLDS else entry_name
    return name(entry.partner, place)


def _head_pb(head: Head, tree_root: bytes) -> pb.Head:
    return pb.Head(bucket=head.bucket, seq=head.seq, hash=head.hash, tree_root=tree_root)
