"""Entries as their partners see them."""

from __future__ import annotations

from typing import Final, cast

from coalition.ledger.v1 import ledger_pb2 as pb

from services.ledger.api.answers.values import UNITS, Fields, balance_fields, day_fields, instant_fields
from services.ledger.api.names import entry_name, hold_name
from services.ledger.domain.entry import OPERATOR, PLAIN, AccountKind, Entry, EntryKind, Place, Posting

_KINDS: Final = {kind: cast(pb.EntryKind, pb.EntryKind.Value(f"ENTRY_KIND_{kind.name}")) for kind in EntryKind}
_ON_HOLDS: Final = (EntryKind.CAPTURE, EntryKind.RELEASE, EntryKind.EXTENSION)


def entry_pb(entry: Entry, *, dry: bool = False) -> pb.Entry:
    """An entry as its partner sees it: no wallet, no lots of others. One that was only tried has no place."""
    return pb.Entry(**entry_fields(entry, dry=dry))


def entry_fields(entry: Entry, *, dry: bool = False) -> Fields:
    """The same before it is a message: one made whole costs a quarter of one that is filled field by field."""
    unit, receipt = entry.unit, entry.receipt
    balance = balance_fields(entry.balance, unit)
    if entry.others:
        balance["others"] = [balance_fields(other, other_unit) for other_unit, other in entry.others]
    found: Fields = {
        "kind": _KINDS[entry.kind],
        "points": entry.points,
        "balance": balance,
        "request_id": str(entry.request_id),
        "occurred_at": instant_fields(entry.occurred_at),
        "posted_at": instant_fields(entry.posted_at),
        "unit": UNITS[unit],
    }
    if not dry:
        bucket, seq = found["bucket"], found["seq"] = entry.bucket, entry.seq
        found["name"] = f"partners/{entry.partner}/entries/{bucket}-{seq}"
        found["hash"] = entry.hash
    if receipt is not None:
        found["receipt_ref"] = {
            "store": receipt.store,
            "terminal": receipt.terminal,
            "business_date": day_fields(receipt.business_date),
            "receipt_no": receipt.receipt_no,
        }
    if entry.kind is EntryKind.AWARD:
        found["lines"] = [_line(posting) for posting in entry.postings if posting.debit.kind is AccountKind.ISSUED]
    else:
        found |= _undoing(entry)
    if len(entry.postings) > 1:
        found["repaid_points"] = entry.repaid_points
    return found


def _line(posting: Posting) -> Fields:
    """A part of an award."""
    line: Fields = {"issuer": posting.issuer, "points": posting.points, "unit": UNITS[posting.unit]}
    if posting.expires_on is not None:
        line["expires_on"] = day_fields(posting.expires_on)
    terms = posting.terms
    if terms is not PLAIN:
        line["campaign"] = terms.campaign
        if terms.available_from is not None:
            line["available_from"] = instant_fields(terms.available_from)
    return line


def _undoing(entry: Entry) -> Fields:
    """What only entries have that follow from others, or wait for others."""
    found: Fields = {"original": _original(entry), "reason": entry.reason or ""}
    if entry.hold_until is not None:
        found["hold_until"] = instant_fields(entry.hold_until)
    if entry.kind is EntryKind.REVERSAL:
        found["recovered_points"] = entry.recovered_points
        found["written_off_points"] = entry.written_off_points
        found["withheld_points"] = entry.withheld_points
        found["owed_points"] = entry.owed_points
    return found


def _original(entry: Entry) -> str:
    if entry.original is None or entry.partner == OPERATOR:
        return ""  # the clock's work knows the place, not whose hold stood there
    place = Place(entry.bucket, entry.original)
    name = hold_name if entry.kind in _ON_HOLDS else entry_name
    return name(entry.partner, place)
