"""What the catalogue asks of identity: whether the partners that rules name are in the programme.

Asked once for each publication, never for a purchase.
"""

from __future__ import annotations

from coalition.identity.v1 import identity_pb2 as pb
from coalition.identity.v1 import identity_pb2_grpc as rpc

from services.catalogue.api.patience import Patience
from services.catalogue.domain.refusals import PayerUnknown
from services.catalogue.domain.rules import OPERATOR, EarnRules
from shared.refusal import Kind
from shared.rpc.channel import RemoteRefusal, call

_SHARE_OF_IDENTITY = 0.8
"""Of the time that is left; the rest is for saying that it was not enough."""


class Partners:
    """The partners of the programme, as identity knows them."""

    def __init__(self, stub: rpc.PartnerServiceStub) -> None:
        self._stub = stub

    def check(self, rules: EarnRules, left: Patience) -> None:
        """Raises identity's PARTNER_NOT_FOUND for the partner of the rules, PayerUnknown for a payer; UNAVAILABLE."""
        self._look_up(rules.partner, left)
        for payer, rule_id in rules.foreign_payers().items():
            try:
                self._look_up(payer, left)
            except RemoteRefusal as refusal:
                if refusal.kind is Kind.NOT_THERE:
                    raise PayerUnknown(rule_id=rule_id, payer=payer) from refusal
                raise

    def _look_up(self, partner: str, left: Patience) -> None:
        if partner != OPERATOR:
            request = pb.GetPartnerRequest(name=f"partners/{partner}")
            call(self._stub.GetPartner, request, timeout=left() * _SHARE_OF_IDENTITY)
