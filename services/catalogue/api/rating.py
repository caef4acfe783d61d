"""From a request to a rated purchase: whose wallet, which rules, how many points."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from coalition.catalogue.v1 import catalogue_pb2 as pb

from services.catalogue.api.patience import Patience
from services.catalogue.api.rulebook import RuleBook
from services.catalogue.api.wire import given_instant, receipt_of
from services.catalogue.domain.meaning import meaning_of_purchase
from services.catalogue.domain.purchase import Purchase, Standing
from services.catalogue.domain.rating import Rating, rate
from services.catalogue.domain.receipt import Receipt
from services.catalogue.domain.rules import EarnRules
from shared.credentials.grants import Grant, GrantRing, Scope
from shared.ids import derived
from shared.refusal import Refusal
from shared.rpc.caller import Caller


@dataclass(frozen=True, slots=True)
class Rated:
    """A receipt with what it earns, under which rules, for whom."""

    grant: Grant
    receipt: Receipt
    rules: EarnRules
    rating: Rating


class Rater:
    """Opens grants and rates receipts. Every step may refuse."""

    def __init__(self, grants: GrantRing, rulebook: RuleBook) -> None:
        self._grants = grants
        self._rulebook = rulebook

    def rated(
        self,
        request: pb.RatePurchaseRequest | pb.RecordPurchaseRequest,
        by: Caller,
        at: datetime,
        left: Patience,
    ) -> Rated:
        """What the receipt earns."""
        grant = self._grants.opened(request.grant, for_=Scope.AWARD, by=by, at=at)
        occurred_at = given_instant(request.receipt, at) or at
        rules = self._rulebook.at(grant.partner, occurred_at, left)
        receipt = receipt_of(request.receipt, occurred_at, rules.currency)
        problem = receipt.refused()
        if problem:
            raise problem
        rating = rate(receipt.lines, receipt.store, frozenset(grant.segments), rules)
        if isinstance(rating, Refusal):
            raise rating
        return Rated(grant, receipt, rules, rating)

    def wish(self, request: pb.RecordPurchaseRequest, by: Caller, at: datetime, left: Patience) -> Purchase:
        """The purchase as it will be recorded. What earns nothing has no business with the ledger."""
        rated = self.rated(request, by, at, left)
        partner, wallet = rated.grant.partner, rated.grant.wallet_id
        request_id = UUID(request.request_id)
        return Purchase(
            purchase_id=derived("purchase", partner, str(request_id)),
            partner=partner,
            request_id=request_id,
            request_hash=meaning_of_purchase(partner, wallet, rated.receipt, given_instant(request.receipt, at)),
            wallet_id=wallet,
            segments=rated.grant.segments,
            receipt=rated.receipt,
            created_at=at,
            rules_version=rated.rules.version,
            points=rated.rating.points,
            parts=rated.rating.parts,
            standing=Standing.RATED if rated.rating.points else Standing.POSTED,
        )
