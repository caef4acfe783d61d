"""Parts of requests that stand in several: what is counted, the lines of an award, a receipt."""

from __future__ import annotations

from collections.abc import Sequence

from coalition.ledger.v1 import ledger_pb2 as pb

from services.ledger.domain.entry import ReceiptRef, Unit
from services.ledger.domain.refusals.awarding import IssuerNotAllowed, IssuerTwice
from services.ledger.domain.wish import Line, LineKey
from shared.instants import micros
from shared.rpc import wire
from shared.rpc.caller import Caller, Role


def unit_of(unit: pb.Unit) -> Unit:
    """What is counted; where nothing is said, redeemable points."""
    return Unit(unit) if unit else Unit.POINTS


def lines_of(lines: Sequence[pb.AwardLine], partner: str, by: Caller) -> tuple[Line, ...]:
    """Award lines with their issuers. A partner speaks for itself; the catalogue for every payer of a rule."""
    found = tuple([_line(message, partner) for message in lines])
    for line in found:
        if line.issuer != partner and by.role is Role.PARTNER:
            raise IssuerNotAllowed(issuer=line.issuer)
    if len(found) > 1:
        _check_apart(found)
    return found


def _check_apart(lines: Sequence[Line]) -> None:
    """No two lines may be about the same."""
    seen: set[LineKey] = set()
    for line in lines:
        key = line.key
        if key in seen:
            raise IssuerTwice(issuer=line.issuer, unit=line.unit.name, campaign=line.campaign, field="lines")
        seen.add(key)


def _line(line: pb.AwardLine, partner: str) -> Line:
    available_from = (
        wire.instant(line.available_from, "lines.available_from") if line.HasField("available_from") else None
    )
    return Line(
        line.issuer or partner,
        line.points,
        wire.day(line.expires_on, "lines.expires_on") if line.HasField("expires_on") else None,
        unit_of(line.unit),
        None if available_from is None else micros(available_from),
        line.campaign,
    )


def receipt_of(ref: pb.ReceiptRef) -> ReceiptRef:
    day = wire.day(ref.business_date, "receipt_ref.business_date")
    return ReceiptRef(ref.store, ref.terminal, day, ref.receipt_no)
