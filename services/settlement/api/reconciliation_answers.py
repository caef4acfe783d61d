"""Lines of the bank and breaks as messages."""

from __future__ import annotations

from coalition.settlement.v1 import reconciliation_pb2 as pb

from services.settlement.domain.breaks import STOPS
from services.settlement.store.breaks import Break
from services.settlement.store.lines_of_bank import ShownLine
from shared.rpc import wire


def line_pb(line: ShownLine) -> pb.BankLine:
    """One amount that the bank booked."""
    return pb.BankLine(
        name=f"bankLines/{line.id}",
        bank_file=f"bankFiles/{line.file}",
        amount=wire.money_pb(line.amount_minor, line.currency),
        booked_on=wire.date_pb(line.booked_on),
        stated=line.stated,
        end_to_end_id=line.end_to_end_id,
        reference=line.reference,
        outcome=f"BANK_LINE_OUTCOME_{line.outcome}",
        instructions=line.instructions,
        return_code=line.return_code,
    )


def break_pb(found: Break, proposal: str = "") -> pb.Break:
    """A break, with the proposal to write it off where there is one."""
    stop = found.reason in STOPS
    return pb.Break(
        name=found.name,
        etag=str(found.etag),
        state=f"BREAK_STATE_{found.state}",
        reason=found.reason.value,
        subject=found.subject,
        batch=f"batches/{found.batch}" if found.batch is not None else "",
        instruction=found.instruction,
        amount=wire.money_pb(found.amount_minor, found.currency) if found.currency else None,
        detail=found.detail,
        explanation=found.explanation,
        found_by=found.found_by,
        create_time=wire.timestamp(found.found_at),
        proposal=proposal,
        account=found.account,
        expected=wire.money_pb(found.expected_minor, found.currency) if stop else None,
        found=wire.money_pb(found.found_minor, found.currency) if stop else None,
        stops_releases=found.stops_releases,
    )
