"""Terms from the wire, and back."""

from __future__ import annotations

from coalition.settlement.v1 import settlement_pb2 as pb
from google.protobuf.message import Message

from services.settlement.domain.legs import Leg
from services.settlement.domain.refusals import CurrencyUnknown, RateNotExact
from services.settlement.domain.terms import (
    NOTHING,
    CampaignRate,
    Collection,
    Cover,
    Fee,
    FeeKind,
    NegativeBalance,
    Payer,
    Rounding,
    Route,
    Tax,
    Terms,
    Timing,
    Treatment,
)
from shared.instants import instant, micros
from shared.money import NotARate, Rate, UnknownCurrency
from shared.rpc import wire

_HIGHEST = Rate.of("1000")
"""More per point is a slip of the pen, and would take a bill beyond 64 bits."""
_MOST = Rate.of("999999999")
_ORDER = (Cover.COLLATERAL, Cover.OPERATOR, Cover.SURVIVORS)
_WITH_GUARANTEE = (Cover.COLLATERAL, Cover.GUARANTEE, Cover.OPERATOR, Cover.SURVIVORS)
_DISPUTE_DAYS = 30


def terms_of(version: pb.ContractVersion) -> Terms:
    """Raises RateNotExact, CurrencyUnknown, TermsContradict."""
    try:
        return Terms(
            effective_from=micros(wire.instant(version.effective_from, "contract_version.effective_from")),
            timing=Timing(_name(pb.Timing, version.timing, "TIMING_")),
            rate_at_issuance=_rate(version, "rate_at_issuance"),
            reimbursement_rate=_rate(version, "reimbursement_rate"),
            currency=version.currency,
            rounding=Rounding(_name(pb.Rounding, version.rounding or 1, "ROUNDING_")),
            rate_at_redemption=_rate(version, "rate_at_redemption"),
            route=Route(_name(pb.Route, version.route or 1, "ROUTE_")),
            campaign_rates=tuple(
                CampaignRate(one.campaign, _rate(one, "campaign_rates.rate_at_issuance"))
                for one in version.campaign_rates
            ),
            fees=tuple(_fee(fee) for fee in version.fees),
            taxes=tuple(
                Tax(
                    Leg(_name(pb.Leg, tax.leg, "LEG_")),
                    Treatment(_name(pb.TaxTreatment, tax.treatment, "TAX_TREATMENT_")),
                    tax.country,
                    _rate(tax, "taxes.rate"),
                )
                for tax in version.taxes
            ),
            minimum_payment_minor=version.minimum_payment_minor,
            settlement_currency=version.settlement_currency,
            negative_balance=NegativeBalance(
                _name(pb.NegativeBalance, version.negative_balance or 1, "NEGATIVE_BALANCE_")
            ),
            breakage_share=_rate(version, "breakage_share"),
            collection=Collection(_name(pb.CollectionMethod, version.collection or 1, "COLLECTION_METHOD_")),
            collateral_minor=version.collateral_minor,
            default_order=tuple(Cover(_name(pb.LossBearer, one, "LOSS_BEARER_")) for one in version.default_order)
            or (_WITH_GUARANTEE if version.guarantee_minor else _ORDER),
            dispute_days=version.dispute_days if version.HasField("dispute_days") else _DISPUTE_DAYS,
            late_limit_days=version.late_limit_days,
            prepaid_points=version.prepaid_points,
            prepaid_price=_rate(version, "prepaid_price"),
            guarantee_minor=version.guarantee_minor,
        )
    except UnknownCurrency:
        raise CurrencyUnknown(field="contract_version.currency", currency=version.currency) from None


def version_of(terms: Terms) -> pb.ContractVersion:
    """The terms in a version; what is not used stays empty, as before there was any."""
    version = pb.ContractVersion(
        effective_from=wire.timestamp(instant(terms.effective_from)),
        timing=f"TIMING_{terms.timing.value}",
        rate_at_issuance=wire.decimal_pb(terms.rate_at_issuance.value),
        reimbursement_rate=wire.decimal_pb(terms.reimbursement_rate.value),
        currency=terms.currency,
        rounding=f"ROUNDING_{terms.rounding.value}",
        route=f"ROUTE_{terms.route.value}",
        campaign_rates=[
            pb.CampaignRate(campaign=one.campaign, rate_at_issuance=wire.decimal_pb(one.rate_at_issuance.value))
            for one in terms.campaign_rates
        ],
        fees=[
            pb.Fee(
                kind=f"FEE_KIND_{fee.kind.value}",
                price=wire.decimal_pb(fee.price.value),
                leg=f"LEG_{fee.leg.value}",
                payer=f"FEE_PAYER_{fee.payer.value}",
            )
            for fee in terms.fees
        ],
        taxes=[
            pb.LegTax(
                leg=f"LEG_{tax.leg.value}",
                treatment=f"TAX_TREATMENT_{tax.treatment.value}",
                country=tax.country,
                rate=wire.decimal_pb(tax.rate.value),
            )
            for tax in terms.taxes
        ],
        minimum_payment_minor=terms.minimum_payment_minor,
        settlement_currency=terms.settlement_currency,
        negative_balance=f"NEGATIVE_BALANCE_{terms.negative_balance.value}",
        collection=f"COLLECTION_METHOD_{terms.collection.value}",
        collateral_minor=terms.collateral_minor,
        default_order=[f"LOSS_BEARER_{one.value}" for one in terms.default_order],
        dispute_days=terms.dispute_days,
        late_limit_days=terms.late_limit_days,
        prepaid_points=terms.prepaid_points,
        guarantee_minor=terms.guarantee_minor,
    )
    for name in ("rate_at_redemption", "breakage_share", "prepaid_price"):
        rate: Rate = getattr(terms, name)
        if rate.billionths:
            getattr(version, name).CopyFrom(wire.decimal_pb(rate.value))
    return version


def _fee(fee: pb.Fee) -> Fee:
    return Fee(
        FeeKind(_name(pb.FeeKind, fee.kind, "FEE_KIND_")),
        _rate(fee, "fees.price", _MOST),
        Leg(_name(pb.Leg, fee.leg or pb.LEG_REIMBURSEMENT, "LEG_")),
        Payer(_name(pb.FeePayer, fee.payer or 1, "FEE_PAYER_")),
    )


def _name(enum: object, number: int, prefix: str) -> str:
    name: str = enum.Name(number)  # type: ignore[attr-defined]  # the stubs have no common type for enums
    return name.removeprefix(prefix)


def _rate(message: Message, field: str, highest: Rate = _HIGHEST) -> Rate:
    """A decimal field; nothing where it is not set. Of a field inside another message the last name is its own."""
    own = field.rpartition(".")[2]
    if not message.HasField(own):
        return NOTHING
    value: str = getattr(message, own).value
    try:
        rate = Rate.of(value)
    except NotARate:
        raise RateNotExact(field=f"contract_version.{field}", value=value[:50]) from None
    if rate > highest:
        raise RateNotExact(field=f"contract_version.{field}", value=value[:50])
    return rate
