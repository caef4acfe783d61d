"""What the plan says, as messages. Each request id is derived from the data, so that a rerun repeats and never adds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

from coalition.catalogue.v1 import catalogue_pb2 as catalogue
from coalition.identity.v1 import identity_pb2 as identity
from coalition.ledger.v1 import ledger_pb2 as ledger
from coalition.settlement.v1 import approvals_pb2 as approvals
from coalition.settlement.v1 import settlement_pb2 as settlement
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date
from google.type.decimal_pb2 import Decimal as DecimalMessage
from google.type.money_pb2 import Money

from services.sandbox.demo.data import POINTS_WISHED, Purchase, Wish
from services.sandbox.demo.hours import returns_at, trading_day, wishes_at
from shared.ids import derived

CURRENCY = "USD"
BILLING_RATE = "0.0120"
REIMBURSEMENT_RATE = "0.0090"
POINTS_PER_DOLLAR = "1"
TERMINAL = "1"
TERMS = "2017-01"
_NANOS_PER_CENT = 10_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def request_id(*what: str) -> str:
    """The id of one intention of the demo."""
    return str(derived("coalition demo", *what))


def card(household: int) -> identity.Identifier:
    """The card that a household shows at every till."""
    return identity.Identifier(type=identity.IDENTIFIER_TYPE_CARD, value=f"HH{household:06d}")


def enrolment(household: int) -> identity.EnrolMemberRequest:
    """A household becomes a member; we also play its app, which makes the rotating codes."""
    return identity.EnrolMemberRequest(
        request_id=request_id("member", str(household)),
        identifiers=[card(household)],
        terms_version=TERMS,
        with_code_seed=True,
    )


def earn_rules(partner: str, since: datetime) -> catalogue.PublishEarnRulesRequest:
    """One point per whole dollar, at every partner."""
    base = catalogue.EarnRule(rule_id="base", points_per_unit=DecimalMessage(value=POINTS_PER_DOLLAR))
    rules = catalogue.EarnRules(effective_from=instant(since), currency=CURRENCY, rules=[base])
    return catalogue.PublishEarnRulesRequest(
        parent=f"partners/{partner}", request_id=request_id("earn rules", partner), earn_rules=rules
    )


def contract(partner: str, since: datetime) -> settlement.PublishContractVersionRequest:
    """The same terms for every partner."""
    version = settlement.ContractVersion(
        effective_from=instant(since),
        timing=settlement.TIMING_AT_ISSUANCE,
        rate_at_issuance=DecimalMessage(value=BILLING_RATE),
        reimbursement_rate=DecimalMessage(value=REIMBURSEMENT_RATE),
        currency=CURRENCY,
        rounding=settlement.ROUNDING_CUMULATIVE_HALF_EVEN,
    )
    return settlement.PublishContractVersionRequest(
        parent=f"partners/{partner}", request_id=request_id("contract", partner), contract_version=version
    )


def approval(proposal: approvals.Proposal) -> approvals.ApproveRequest:
    """A second person's yes to exactly this content."""
    id_ = request_id("approval", proposal.name, proposal.sha256.hex())
    return approvals.ApproveRequest(name=proposal.name, sha256=proposal.sha256, request_id=id_)


def recording(purchase: Purchase, grant: str) -> catalogue.RecordPurchaseRequest:
    """A receipt as the till sends it: lines and amounts, and no points."""
    return catalogue.RecordPurchaseRequest(
        request_id=request_id("purchase", purchase.key),
        grant=grant,
        receipt=catalogue.Receipt(
            store=str(purchase.store),
            terminal=TERMINAL,
            business_date=day(trading_day(purchase.at)),
            receipt_no=str(purchase.basket),
            lines=[
                catalogue.PurchaseLine(
                    line_no=line_no, product=str(line.product), category=line.department, amount=_money(line.cents)
                )
                for line_no, line in enumerate(purchase.lines, start=1)
            ],
            occurred_at=instant(purchase.at),
        ),
    )


def returning(purchase: Purchase, name: str) -> catalogue.RefundPurchaseRequest:
    """All lines of a purchase come back the day after."""
    back = returns_at(trading_day(purchase.at) + timedelta(days=1))
    return catalogue.RefundPurchaseRequest(
        request_id=request_id("return", purchase.key), name=name, occurred_at=instant(back)
    )


def holding(wish: Wish, grant: str) -> ledger.HoldPointsRequest:
    """The till reserves what the household wants to pay with."""
    return ledger.HoldPointsRequest(
        request_id=request_id("hold", wish.key),
        grant=grant,
        points=POINTS_WISHED,
        occurred_at=instant(wishes_at(wish.day, wish.turn)),
    )


def capturing(wish: Wish, hold: str) -> ledger.CaptureHoldRequest:
    """The sale is done."""
    return ledger.CaptureHoldRequest(
        request_id=request_id("capture", wish.key),
        name=hold,
        occurred_at=instant(wishes_at(wish.day, wish.turn)),
    )


def closing(window: int) -> settlement.CloseWindowRequest:
    """The end of a month, or of the demo."""
    return settlement.CloseWindowRequest(name=f"windows/{window}", request_id=request_id("close", str(window)))


def instant(at: datetime) -> Timestamp:
    """An instant on the wire; the data knows whole seconds."""
    return Timestamp(seconds=(at - _EPOCH) // timedelta(seconds=1))


def day(on: date) -> Date:
    """A business day on the wire."""
    return Date(year=on.year, month=on.month, day=on.day)


def _money(cents: int) -> Money:
    dollars, rest = divmod(cents, 100)
    return Money(currency_code=CURRENCY, units=dollars, nanos=rest * _NANOS_PER_CENT)


DISPLAY_NAMES: Mapping[str, str] = {
    "block-and-cleaver": "Block & Cleaver",
    "cellar-door": "Cellar Door",
    "daily-crumb": "Daily Crumb",
    "greenfield-market": "Greenfield Market",
    "harbor-fuel": "Harbor Fuel",
    "orchard-produce": "Orchard Produce",
    "wellspring-drug": "Wellspring Drug",
}
