"""What a demo comes to: every figure as the services tell it, but for what only the data knows: baskets and wishes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from coalition.catalogue.v1.catalogue_pb2 import PurchaseTotals
from coalition.ledger.v1.ledger_pb2 import Totals

from services.sandbox.demo.data import POINTS_WISHED
from services.sandbox.demo.departments import PARTNERS
from services.sandbox.demo.office import Money
from services.sandbox.verification import Verdict

OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Row:
    """One partner: points it awarded (before returns), took back, and accepted; money in cents."""

    partner: str
    awarded: int
    reversed: int
    redeemed: int
    billed: int
    reimbursed: int
    net: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """The whole demo."""

    baskets: int
    wishes: int
    purchases: PurchaseTotals
    points: Totals
    money: Mapping[str, Money]
    windows: int
    verdict: Verdict
    seconds: Mapping[str, float]

    @property
    def granted(self) -> int:
        """Each wish that was granted redeemed the same number of points; the others were refused."""
        return self.points.redeemed // POINTS_WISHED

    @property
    def operator_net(self) -> int:
        """In cents."""
        return self.money[OPERATOR].net if OPERATOR in self.money else 0

    @property
    def rows(self) -> list[Row]:
        """The partners by name."""
        flows = {flow.partner: flow for flow in self.points.partners}
        rows = []
        for partner in sorted(PARTNERS):
            flow, money = flows.get(partner), self.money.get(partner, Money())
            awarded, taken, redeemed = (flow.awarded, flow.reversed, flow.redeemed) if flow else (0, 0, 0)
            rows.append(Row(partner, awarded, taken, redeemed, money.billed, money.reimbursed, money.net))
        return rows

    def as_json(self) -> dict[str, object]:
        """One object for programs: points as numbers, money as decimal strings."""
        points = self.points
        return {
            "baskets": self.baskets,
            "purchases": self.purchases.purchases,
            "redemptions": {"granted": self.granted, "refused": self.wishes - self.granted},
            "returns": self.purchases.refunds,
            "points": {
                "awarded": points.awarded,
                "reversed": points.reversed,
                "redeemed": points.redeemed,
                "refunded": points.refunded,
                "expired": points.expired,
                "outstanding": points.outstanding,
            },
            "partners": [
                {
                    "partner": row.partner,
                    "awarded": row.awarded,
                    "reversed": row.reversed,
                    "redeemed": row.redeemed,
                    "billed": dollars(row.billed),
                    "reimbursed": dollars(row.reimbursed),
                    "net": dollars(row.net),
                }
                for row in self.rows
            ],
            "operator_net": dollars(self.operator_net),
            "windows": self.windows,
            "verified": self.verdict.verified,
            "seconds": {what: round(seconds, 1) for what, seconds in self.seconds.items()},
        }


def dollars(cents: int) -> str:
    """Cents as a decimal string with two places."""
    return str(Decimal(cents).scaleb(-2))
