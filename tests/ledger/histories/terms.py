"""What a history agreed on, in the words of the domain."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from services.ledger.domain.programme import Expiry, Programme
from services.ledger.domain.terms import NegativeBalance, Policy
from tests.ledger.histories.drawn import Setting
from tests.ledger.model import Rules

_CLAWBACKS = {
    "owe": NegativeBalance.ALLOW_NEGATIVE,
    "withheld": NegativeBalance.WITHHOLD_FROM_REFUND,
    "written off": NegativeBalance.WRITE_OFF,
}


def programme_of(setting: Setting, grace_days: int) -> Programme:
    return Programme(
        ZoneInfo("UTC"),
        setting.ending.days,
        grace_days,
        expiry=Expiry[setting.ending.kind.upper().replace(" ", "_")],
        expiry_day=setting.ending.day_of_year,
        oldest_first=setting.oldest_first,
        transfer_points=setting.send_most,
        transfer_points_a_day=setting.send_most_a_day,
    )


def policy_of(rules: Rules) -> Policy:
    return Policy(
        pending_days=rules.pending_days,
        negative_balance=_CLAWBACKS[rules.after_clawback],
        redemption_step=rules.step,
        redemption_minimum=rules.minimum,
        redemption_share_bp=rules.share_bp,
    )
