"""Nouns to messages."""

from __future__ import annotations

from collections.abc import Iterable

from coalition.ledger.v1 import ledger_pb2 as pb
from google.protobuf.timestamp_pb2 import Timestamp

from services.ledger.api.names import entry_name, hold_name
from services.ledger.domain.apply import Head
from services.ledger.domain.chain import canonical
from services.ledger.domain.checkpoint import Checkpoint
from services.ledger.domain.entry import OPERATOR, AccountKind, Balance, Entry, EntryKind, Place, ReceiptRef
from services.ledger.domain.wallet import Hold, HoldState
from services.ledger.store.readers import Flow
from shared.rpc import wire

_HOLDS = (EntryKind.CAPTURE, EntryKind.RELEASE)


def instant_pb(at: int) -> Timestamp:
    """Microseconds since 1970 as a Timestamp."""
    seconds, rest = divmod(at, 1_000_000)
    return Timestamp(seconds=seconds, nanos=rest * 1000)


def balance_pb(balance: Balance) -> pb.Balance:
    return pb.Balance(available=balance.available, pending=balance.pending, held=balance.held, debt=balance.debt)


def entry_pb(entry: Entry) -> pb.Entry:
    """An entry as its partner sees it: no wallet, no lots of others."""
    return pb.Entry(
        name=entry_name(entry.partner, entry.place),
        kind=f"ENTRY_KIND_{entry.kind.name}",
        points=entry.points,
        bucket=entry.bucket,
        seq=entry.seq,
        balance=balance_pb(entry.balance),
        request_id=str(entry.request_id),
        receipt_ref=_receipt_pb(entry.receipt) if entry.receipt else None,
        occurred_at=instant_pb(entry.occurred_at),
        posted_at=instant_pb(entry.posted_at),
        original=_original(entry),
        recovered_points=entry.recovered_points,
        written_off_points=entry.written_off_points,
        hash=entry.hash,
    )


def placed_hold_pb(entry: Entry) -> pb.Hold:
    """The hold that an entry placed, as it was then: what a repeat answers, too."""
    answer = _hold_pb(entry, HoldState.OPEN, captured=0)
    answer.balance.CopyFrom(balance_pb(entry.balance))
    return answer


def hold_pb(hold: Hold, entry: Entry) -> pb.Hold:
    """The hold as it stands now."""
    return _hold_pb(entry, hold.state, hold.captured)


def _hold_pb(entry: Entry, state: HoldState, captured: int) -> pb.Hold:
    return pb.Hold(
        name=hold_name(entry.partner, entry.place),
        state=f"HOLD_STATE_{state.name}",
        points=entry.points,
        captured_points=captured,
        expire_time=instant_pb(entry.hold_until or 0),
        create_time=instant_pb(entry.posted_at),
        request_id=str(entry.request_id),
    )


def journal_entry_pb(entry: Entry) -> pb.JournalEntry:
    return pb.JournalEntry(bucket=entry.bucket, seq=entry.seq, hash=entry.hash, canonical=canonical(entry))


def checkpoint_pb(checkpoint: Checkpoint) -> pb.Checkpoint:
    return pb.Checkpoint(
        name=f"checkpoints/{checkpoint.number}",
        heads=[_head_pb(head) for head in checkpoint.heads],
        root=checkpoint.root,
        entry_count=checkpoint.entry_count,
        create_time=instant_pb(checkpoint.created_at),
        signature=checkpoint.signature,
        key_id=checkpoint.key_id,
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


def _original(entry: Entry) -> str:
    if entry.original is None or entry.partner == OPERATOR:
        return ""  # the clock's work knows the place, not whose hold stood there
    place = Place(entry.bucket, entry.original)
    name = hold_name if entry.kind in _HOLDS else entry_name
    return name(entry.partner, place)


def _receipt_pb(receipt: ReceiptRef) -> pb.ReceiptRef:
    return pb.ReceiptRef(
        store=receipt.store,
        terminal=receipt.terminal,
        business_date=wire.date_pb(receipt.business_date),
        receipt_no=receipt.receipt_no,
    )


def _head_pb(head: Head) -> pb.Head:
    return pb.Head(bucket=head.bucket, seq=head.seq, hash=head.hash)
