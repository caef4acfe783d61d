"""What a contract version says: when an issuer pays and at which rates, fees, tax, rounding, and the few other terms.

A term that is not used has its default and does not stand in the canonical form, so that a new kind of term never
changes the hash of a version that was signed before there was one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from functools import cached_property
from typing import Any, NamedTuple

from services.settlement.domain.legs import Leg
from shared.canonical import Canonical
from shared.money import NotARate, Rate, Rounded, exponent_of, half_even, half_up
from shared.refusal import Kind, Refusal

NOTHING = Rate(0)
_ONE = Rate.of("1")


class TermsContradict(Refusal):
    """What they say together cannot be done."""

    kind = Kind.MALFORMED
    message = "The terms contradict themselves: {why}."
    remedy = "Correct them and send them again."


class Timing(Enum):
    """When an issuer pays for its points."""

    AT_ISSUANCE = "AT_ISSUANCE"
    AT_REDEMPTION = "AT_REDEMPTION"
    HYBRID = "HYBRID"


class Route(Enum):
    """To whom an issuer owes what is spent: the operator, or the acceptor itself."""

    OPERATOR = "OPERATOR"
    DIRECT = "DIRECT"


class Rounding(Enum):
    """How exact amounts become whole minor units: cumulatively line by line, or a debtor's total and then its parts."""

    CUMULATIVE_HALF_EVEN = "CUMULATIVE_HALF_EVEN"
    CUMULATIVE_HALF_UP = "CUMULATIVE_HALF_UP"
    LARGEST_REMAINDER_HALF_EVEN = "LARGEST_REMAINDER_HALF_EVEN"
    LARGEST_REMAINDER_HALF_UP = "LARGEST_REMAINDER_HALF_UP"

    @property
    def rounded(self) -> Rounded:
        """The mode as a function."""
        return half_up if self.value.endswith("HALF_UP") else half_even

    @property
    def is_cumulative(self) -> bool:
        """Whether a line depends on nothing but its own points of all windows."""
        return self.value.startswith("CUMULATIVE")


class FeeKind(Enum):
    """What a fee counts: entries, points, booked money, or calendar months in UTC."""

    PER_ITEM = "PER_ITEM"
    PER_POINT = "PER_POINT"
    PERCENT = "PERCENT"
    MONTHLY = "MONTHLY"
    MINIMUM = "MINIMUM"


_ON_LINES = frozenset({FeeKind.PER_ITEM, FeeKind.PER_POINT, FeeKind.PERCENT})


class Payer(Enum):
    """Who owes a fee to the operator: the partner whose contract it is, or, on a DIRECT line, the other side."""

    PARTNER = "PARTNER"
    COUNTERPARTY = "COUNTERPARTY"


class Fee(NamedTuple):
    """`price` is in major units for each item, point or month; of PERCENT the part of what was booked: 0.015 is 1.5 %.

    MONTHLY and MINIMUM count no leg. MINIMUM is what the other fees of a calendar month come to at least.
    """

    kind: FeeKind
    price: Rate
    leg: Leg = Leg.REIMBURSEMENT
    payer: Payer = Payer.PARTNER


class Treatment(Enum):
    """What tax law sees in a leg."""

    TAXABLE_SERVICE = "TAXABLE_SERVICE"
    THIRD_PARTY_CONSIDERATION = "THIRD_PARTY_CONSIDERATION"
    OUT_OF_SCOPE = "OUT_OF_SCOPE"


class Tax(NamedTuple):
    """The treatment of one leg in one country; `rate` is a fraction: 0.2 is 20 %."""

    leg: Leg
    treatment: Treatment
    country: str
    rate: Rate = NOTHING

    @property
    def name(self) -> str:
        """The tax class that a line carries."""
        return f"{self.treatment.value}:{self.country}:{self.rate}"


class CampaignRate(NamedTuple):
    """What awards of a campaign cost their issuer, instead of the version's rate."""

    campaign: str
    rate_at_issuance: Rate


class NegativeBalance(Enum):
    """What happens to points that a reversal cannot recover. The ledger acts on it; here it is agreed."""

    ALLOW_NEGATIVE = "ALLOW_NEGATIVE"
    WITHHOLD_FROM_REFUND = "WITHHOLD_FROM_REFUND"
    WRITE_OFF = "WRITE_OFF"


class Collection(Enum):
    """How money is collected."""

    PAY_IN = "PAY_IN"
    DIRECT_DEBIT = "DIRECT_DEBIT"


class Cover(Enum):
    """Who bears what a partner does not pay, in the order of its contract."""

    COLLATERAL = "COLLATERAL"
    GUARANTEE = "GUARANTEE"
    OPERATOR = "OPERATOR"
    SURVIVORS = "SURVIVORS"


@dataclass(frozen=True)
class Terms:
    """What a version says, apart from whose it is and which number it has. Money ends in _minor, in what it is paid in.

    `late_limit_days`: how many days before its window an entry may have happened; 0 is no limit. `prepaid_points` are
    bought at `prepaid_price` each when the version begins, and cover what is awarded under it until they are used up.
    Raises TermsContradict, UnknownCurrency.
    """

    effective_from: int
    timing: Timing
    rate_at_issuance: Rate
    reimbursement_rate: Rate
    currency: str
    rounding: Rounding = Rounding.CUMULATIVE_HALF_EVEN
    rate_at_redemption: Rate = NOTHING
    route: Route = Route.OPERATOR
    campaign_rates: tuple[CampaignRate, ...] = ()
    fees: tuple[Fee, ...] = ()
    taxes: tuple[Tax, ...] = ()
    minimum_payment_minor: int = 0
    settlement_currency: str = ""
    negative_balance: NegativeBalance = NegativeBalance.ALLOW_NEGATIVE
    breakage_share: Rate = NOTHING
    collection: Collection = Collection.PAY_IN
    collateral_minor: int = 0
    default_order: tuple[Cover, ...] = (Cover.COLLATERAL, Cover.OPERATOR, Cover.SURVIVORS)
    dispute_days: int = 30
    late_limit_days: int = 0
    prepaid_points: int = 0
    prepaid_price: Rate = NOTHING
    guarantee_minor: int = 0

    def __post_init__(self) -> None:
        exponent_of(self.currency)
        exponent_of(self.paid_in)
        for why in self._contradictions():
            raise TermsContradict(why=why)

    @property
    def paid_in(self) -> str:
        """The one currency in which the partner is paid."""
        return self.settlement_currency or self.currency

    def covers_in(self, currency: str) -> dict[Cover, int]:
        """What the contract itself covers of a default in a currency: nothing in another than it is paid in."""
        if currency != self.paid_in:
            return {}
        return {Cover.COLLATERAL: self.collateral_minor, Cover.GUARANTEE: self.guarantee_minor}

    @cached_property
    def breakage_rate(self) -> Rate:
        """What an issuer gets back for each of its points that expires."""
        exact = self.breakage_share.billionths * self.rate_at_issuance.billionths
        return Rate.of(Decimal(exact).scaleb(-18))

    @cached_property
    def rates(self) -> Mapping[Leg, Rate]:
        """The rate of each leg, without campaigns."""
        return {
            Leg.ISSUANCE: self.rate_at_issuance,
            Leg.REDEMPTION: self.rate_at_redemption,
            Leg.REIMBURSEMENT: self.reimbursement_rate,
            Leg.BREAKAGE: self.breakage_rate,
        }

    @cached_property
    def by_campaign(self) -> Mapping[str, Rate]:
        """The campaigns that have a rate of their own: a rate class each."""
        return dict(self.campaign_rates)

    @cached_property
    def by_month(self) -> bool:
        """Whether it matters in which calendar month an entry happened."""
        return any(fee.kind is FeeKind.MINIMUM for fee in self.fees)

    @cached_property
    def acts_by_itself(self) -> bool:
        """Whether it bills what follows no entry: then it cannot begin before the open window does."""
        return bool(self.prepaid_points) or any(fee.kind in {FeeKind.MONTHLY, FeeKind.MINIMUM} for fee in self.fees)

    def fees_on(self, leg: Leg) -> list[Fee]:
        """The fees that are taken on the lines of a leg."""
        return [fee for fee in self.fees if fee.leg is leg and fee.kind in _ON_LINES]

    @cached_property
    def tax_classes(self) -> Mapping[Leg, str]:
        """The tax class of each leg that has one."""
        return {tax.leg: tax.name for tax in self.taxes}

    def rate(self, leg: Leg, rate_class: str = "") -> Rate:
        """What a point costs on a leg, in a rate class."""
        return self.by_campaign[rate_class] if rate_class else self.rates[leg]

    def _contradictions(self) -> list[str]:
        direct, at = self.route is Route.DIRECT, self.timing
        classes = [name for name, _ in self.campaign_rates]
        minimums = [fee for fee in self.fees if fee.kind is FeeKind.MINIMUM]
        amounts = [fee.price for fee in self.fees if fee.kind in {FeeKind.MONTHLY, FeeKind.MINIMUM}]
        parts = [fee.price for fee in self.fees if fee.kind is FeeKind.PERCENT]
        grain = 10 ** (9 - exponent_of(self.currency))
        rules = {
            "DIRECT needs AT_REDEMPTION and a rate_at_redemption": direct
            and (at is not Timing.AT_REDEMPTION or self.rate_at_redemption == NOTHING),
            "AT_ISSUANCE has no rate_at_redemption": at is Timing.AT_ISSUANCE and self.rate_at_redemption != NOTHING,
            "AT_REDEMPTION has no rate_at_issuance": at is Timing.AT_REDEMPTION
            and (self.rate_at_issuance != NOTHING or bool(classes)),
            "a campaign has one rate": len(set(classes)) < len(classes) or "" in classes,
            "a breakage_share is a part of the whole": self.breakage_share > _ONE,
            "a breakage_share of the rate has more than 9 places": bool(
                self.breakage_share.billionths * self.rate_at_issuance.billionths % 10**9
            ),
            "a percentage is a part of the whole": any(part > _ONE for part in parts),
            "MONTHLY and MINIMUM are whole minor units": any(amount.billionths % grain for amount in amounts),
            "there is one MINIMUM": len(minimums) > 1,
            "a leg has one tax": len({tax.leg for tax in self.taxes}) < len(self.taxes),
            "only a TAXABLE_SERVICE has a tax rate": any(
                tax.rate != NOTHING and tax.treatment is not Treatment.TAXABLE_SERVICE for tax in self.taxes
            ),
            "prepaid points are bought at a price, by who pays at issuance": bool(self.prepaid_points)
            and self.rate_at_issuance == NOTHING,
            "a guarantee has its place in the default_order": bool(self.guarantee_minor)
            and Cover.GUARANTEE not in self.default_order,
            "amounts, days and points are 0 or more": min(
                self.minimum_payment_minor,
                self.collateral_minor,
                self.guarantee_minor,
                self.dispute_days,
                self.late_limit_days,
                self.prepaid_points,
            )
            < 0,
        }
        return [why for why, broken in rules.items() if broken]

    @property
    def form(self) -> dict[str, Canonical]:
        """The terms as they are hashed: the first ones always, any other where it is used."""
        form: dict[str, Canonical] = {name: _plain(getattr(self, name)) for name in _ALWAYS}
        used = {name: getattr(self, name) for name in _DEFAULTS if getattr(self, name) != _DEFAULTS[name]}
        return form | {name: _plain(value) for name, value in used.items()}


_ALWAYS = ("currency", "effective_from", "rate_at_issuance", "reimbursement_rate", "rounding", "timing")
_DEFAULTS: Mapping[str, Any] = {
    name: field.default for name, field in Terms.__dataclass_fields__.items() if name not in _ALWAYS
}
_READ: Mapping[str, Any] = {
    "timing": Timing,
    "route": Route,
    "rounding": Rounding,
    "negative_balance": NegativeBalance,
    "collection": Collection,
    "rate_at_issuance": Rate.of,
    "rate_at_redemption": Rate.of,
    "reimbursement_rate": Rate.of,
    "breakage_share": Rate.of,
    "prepaid_price": Rate.of,
    "campaign_rates": lambda rows: tuple(CampaignRate(name, Rate.of(rate)) for name, rate in rows),
    "fees": lambda rows: tuple(Fee(FeeKind(k), Rate.of(p), Leg(leg), Payer(by)) for k, p, leg, by in rows),
    "taxes": lambda rows: tuple(Tax(Leg(leg), Treatment(t), country, Rate.of(r)) for leg, t, country, r in rows),
    "default_order": lambda rows: tuple(Cover(one) for one in rows),
}


def terms_of(form: Mapping[str, Any]) -> Terms:
    """The terms that have this canonical form. Raises what Terms raises, and ValueError for what is no such form."""
    try:
        return Terms(**{name: _READ.get(name, lambda same: same)(value) for name, value in form.items()})
    except (TypeError, NotARate) as error:
        raise ValueError(f"no terms: {error}") from None


def _plain(value: object) -> Canonical:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Enum):
        return str(value.value)
    return value if isinstance(value, int | str) else str(value)
