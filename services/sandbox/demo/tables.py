"""What a person reads at the end of the demo."""

from __future__ import annotations

from rich.console import Group
from rich.table import Table
from rich.text import Text

from services.sandbox.demo.outcome import OPERATOR, Outcome, dollars

_COLUMNS = ("awarded", "reversed", "redeemed", "billed", "reimbursed", "net")


def rendered(outcome: Outcome) -> Group:
    """The table per partner, and below it what must add up."""
    points, purchases = outcome.points, outcome.purchases
    refused = outcome.wishes - outcome.granted
    lines = [
        f"{outcome.baskets:,} baskets became {purchases.purchases:,} purchases. Coupons: {outcome.granted:,} times "
        f"100 points redeemed, {refused:,} refused for want of points. {purchases.refunds:,} purchases came back the "
        "next day (drawn by us with a fixed seed: the only synthetic part).",
        f"Points outstanding: {points.outstanding:,} = {points.awarded:,} awarded - {points.reversed:,} reversed - "
        f"{points.redeemed:,} redeemed + {points.refunded:,} refunded - {points.expired:,} expired.",
        f"Windows closed: {outcome.windows}. In USD the nets of all partners and the operator add up to "
        f"{dollars(sum(money.net for money in outcome.money.values()))}.",
        _verdict(outcome),
    ]
    return Group(_partners(outcome), *(Text(f"\n{line}") for line in lines))


def _partners(outcome: Outcome) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("partner", no_wrap=True)
    for name in _COLUMNS:
        table.add_column(name, justify="right", no_wrap=True)
    for row in outcome.rows:
        points = (f"{number:,}" for number in (row.awarded, row.reversed, row.redeemed))
        table.add_row(row.partner, *points, *(_money(cents) for cents in (row.billed, row.reimbursed, row.net)))
    table.add_row(OPERATOR, "", "", "", "", "", _money(outcome.operator_net))
    return table


def _money(cents: int) -> str:
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100:,}.{abs(cents) % 100:02}"


def _verdict(outcome: Outcome) -> str:
    verdict = outcome.verdict
    if not verdict.verified:
        return f"DIFFERENT: {verdict.difference}"
    return "Verified: " + ", ".join(f"{count:,} {what}" for what, count in verdict.counts.items()) + "."
