"""The RPCs of what settlement's contracts ask of the ledger: each partner's allowance and policy."""

from __future__ import annotations

import grpc
from coalition.ledger.v1 import ledger_pb2 as pb

from services.ledger.domain.terms import NegativeBalance, Policy
from services.ledger.store.allowances import Allowance, Allowances
from services.ledger.store.policies import Policies
from shared.rpc.replay import mark_replay

_WHOLE_RECEIPT_BP = 10_000


class PartnerTerms:
    """For settlement and the operator."""

    _allowances: Allowances
    _policies: Policies

    def SetAwardAllowance(
        self, request: pb.SetAwardAllowanceRequest, context: grpc.ServicerContext
    ) -> pb.AwardAllowance:
        allowance, again = self._allowances.set(request.partner, request.revision, request.limit_points)
        if again:
            mark_replay(context)
        return _allowance_pb(allowance)

    def GetAwardAllowance(
        self, request: pb.GetAwardAllowanceRequest, context: grpc.ServicerContext
    ) -> pb.AwardAllowance:
        return _allowance_pb(self._allowances.of(request.partner))

    def SetPartnerPolicy(self, request: pb.SetPartnerPolicyRequest, context: grpc.ServicerContext) -> pb.PartnerPolicy:
        policy = _policy(request.policy)
        if self._policies.set(request.policy.partner, policy):
            mark_replay(context)
        return _policy_pb(request.policy.partner, policy)

    def GetPartnerPolicy(self, request: pb.GetPartnerPolicyRequest, context: grpc.ServicerContext) -> pb.PartnerPolicy:
        return _policy_pb(request.partner, self._policies.of(request.partner))


def _allowance_pb(allowance: Allowance) -> pb.AwardAllowance:
    return pb.AwardAllowance(
        partner=allowance.partner,
        revision=allowance.revision,
        limit_points=allowance.limit,
        awarded_points=allowance.awarded,
        remaining_points=allowance.remaining,
    )


def _policy(message: pb.PartnerPolicy) -> Policy:
    return Policy(
        pending_days=message.pending_days,
        negative_balance=NegativeBalance(message.negative_balance or NegativeBalance.WRITE_OFF),
        redemption_step=max(1, message.redemption_step),
        redemption_minimum=message.redemption_minimum,
        redemption_share_bp=message.redemption_share_bp
        if message.HasField("redemption_share_bp")
        else _WHOLE_RECEIPT_BP,
        revision=message.revision,
    )


def _policy_pb(partner: str, policy: Policy) -> pb.PartnerPolicy:
    return pb.PartnerPolicy(
        partner=partner,
        revision=policy.revision,
        pending_days=policy.pending_days,
        negative_balance=f"NEGATIVE_BALANCE_{policy.negative_balance.name}",
        redemption_step=policy.redemption_step,
        redemption_minimum=policy.redemption_minimum,
        redemption_share_bp=policy.redemption_share_bp,
    )
