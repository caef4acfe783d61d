"""Reports over the wire: liability, reserve, the books, and three sources side by side."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
from coalition.settlement.v1 import reports_pb2 as pb
from coalition.settlement.v1 import reports_pb2_grpc as rpc

from services.settlement.api.pieces import pieces
from services.settlement.api.revenue import revenue_pb
from services.settlement.domain.double_entry import as_csv
from services.settlement.domain.liability import Liability, Movement, RollForward, Vintage
from services.settlement.domain.refusals import CurrencyUnknown, RateNotExact
from services.settlement.domain.reserve import reserve
from services.settlement.store import double_entry, liability, three_ways, windows
from services.settlement.store.batches import rows
from services.settlement.store.liability import Read
from services.settlement.store.three_ways import OfPartner
from shared.db.sessions import Sessions
from shared.money import NotARate, Rate, UnknownCurrency, exponent_of
from shared.rpc import wire
from shared.rpc.deadline import time_left


class ReportServicer(rpc.ReportServiceServicer):
    """Reads only. `read` asks the ledger for the entries of a bucket."""

    def __init__(self, sessions: Sessions, read: Read) -> None:
        self._sessions = sessions
        self._read = read

    def GetLiability(
        self, request: pb.GetLiabilityRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.GetLiabilityResponse]:
        with self._sessions.snapshot(time_left(context)) as connection:
            window = windows.found(connection, request.window)
            for event in liability.roll_forward(connection, window, self._read):
                if isinstance(event, Liability):
                    rows_ = [_vintage_pb(vintage, one) for vintage, one in event.result().items()]
                    yield pb.GetLiabilityResponse(vintages=rows_)
                else:
                    yield pb.GetLiabilityResponse(entries=event.entries, total=event.total)

    def GetReserve(self, request: pb.GetReserveRequest, context: grpc.ServicerContext) -> pb.Reserve:
        currency = request.held.currency_code
        try:
            exponent_of(currency)
        except UnknownCurrency:
            raise CurrencyUnknown(field="held.currency_code", currency=currency[:8]) from None
        urr = wire.decimal_of(request.ultimate_redemption_rate, "ultimate_redemption_rate")
        if not 0 <= urr <= 1:
            raise RateNotExact(field="ultimate_redemption_rate", value=str(urr)[:50])
        rate = _rate(request.reimbursement_rate.value)
        held = wire.minor_of(request.held, currency, "held")
        found = reserve(request.outstanding_points, rate, urr, held, currency)
        return pb.Reserve(
            full_cover=wire.money_pb(found.full_cover_minor, currency),
            required=wire.money_pb(found.required_minor, currency),
            top_up=wire.money_pb(found.top_up_minor, currency),
            funding_ratio=str(found.funding_ratio) if found.funding_ratio is not None else "",
        )

    def GetRevenue(self, request: pb.GetRevenueRequest, context: grpc.ServicerContext) -> pb.Revenue:
        return revenue_pb(request)

    def ExportBooks(
        self, request: pb.ExportBooksRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.ExportBooksResponse]:
        first, last = (int(name.removeprefix("windows/")) for name in (request.first_window, request.last_window))
        with self._sessions.snapshot(time_left(context)) as connection:
            windows.found(connection, request.first_window)
            windows.found(connection, request.last_window)
            content = as_csv(double_entry.entries(connection, first, last), dict(request.account_codes))
        for piece in pieces([content]):
            yield pb.ExportBooksResponse(piece=piece)

    def GetReconciliation(
        self, request: pb.GetReconciliationRequest, context: grpc.ServicerContext
    ) -> pb.Reconciliation:
        with self._sessions.snapshot(time_left(context)) as connection:
            found = three_ways.of_batch(connection, rows.found(connection, request.batch))
        return pb.Reconciliation(
            batch=request.batch,
            windows=[
                pb.ReconciledWindow(
                    window=f"windows/{one.number}", ledger_entries=one.ledger, counted_entries=one.counted
                )
                for one in found.windows
            ],
            partners=[_partner_pb(one) for one in found.partners],
            break_count=found.breaks,
        )


def _rate(value: str) -> Rate:
    try:
        return Rate.of(value)
    except NotARate:
        raise RateNotExact(field="reimbursement_rate", value=value[:50]) from None


def _vintage_pb(vintage: Vintage, one: RollForward) -> pb.Vintage:
    moves = {movement.value.lower(): one.moves.get(movement, 0) for movement in Movement}
    return pb.Vintage(issuer=vintage.issuer, month=vintage.month, opening=one.opening, closing=one.closing, **moves)


def _partner_pb(one: OfPartner) -> pb.ReconciledPartner:
    return pb.ReconciledPartner(
        partner=one.partner,
        stated=wire.money_pb(one.stated_minor, one.currency),
        instructed=wire.money_pb(one.instructed_minor, one.currency),
        booked=wire.money_pb(one.booked_minor, one.currency),
        open=wire.money_pb(one.instructed_minor - one.booked_minor, one.currency),
    )
