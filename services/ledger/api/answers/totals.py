"""Sums over the whole programme, and over each partner."""

from __future__ import annotations

from collections.abc import Iterable

from coalition.ledger.v1 import ledger_pb2 as pb

from services.ledger.domain.entry import AccountKind
from services.ledger.store.readers import Flow


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
