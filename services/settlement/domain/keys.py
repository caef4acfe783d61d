"""What obligations at an own price are counted under.

A page has few entries of one bucket and all buckets price by the same contracts, so keys outlive the page: one is made
for each leg of each version, and where the campaign, the acceptor or the month matters, one for each obligation.
"""

from __future__ import annotations

from datetime import UTC, datetime

from services.settlement.domain.contract import PriceBook, VersionId
from services.settlement.domain.legs import OPERATOR, Leg, sides
from services.settlement.domain.obligations import RollupKey
from services.settlement.domain.terms import NOTHING, Route


class Keys(dict[tuple[Leg, VersionId], tuple[RollupKey | None, bool]]):
    """By leg and version of a book: the key, None for a rate of zero, and whether it holds whatever the entry says."""

    def __init__(self, book: PriceBook) -> None:
        super().__init__()
        self.book = book

    def __missing__(self, place: tuple[Leg, VersionId]) -> tuple[RollupKey | None, bool]:
        leg, version = place
        terms = self.book.terms(version)
        varies = terms.by_month or (leg is Leg.ISSUANCE and terms.by_campaign) or self.is_direct(leg, version)
        found = self[place] = self.own(leg, version), not varies
        return found

    def own(
        self, leg: Leg, version: VersionId, at: int = 0, campaign: str = "", acceptor: str = OPERATOR
    ) -> RollupKey | None:
        """The key of one obligation; None for a rate of zero."""
        terms = self.book.terms(version)
        rate_class = campaign if leg is Leg.ISSUANCE and campaign in terms.by_campaign else ""
        if terms.rate(leg, rate_class) == NOTHING:
            return None
        debtor, creditor = sides(leg, version.partner, acceptor if self.is_direct(leg, version) else OPERATOR)
        return RollupKey(leg, debtor, creditor, version, rate_class, _month(at) if terms.by_month else 0)

    def is_direct(self, leg: Leg, version: VersionId) -> bool:
        """Whether the issuer owes the acceptor itself."""
        return leg is Leg.REDEMPTION and self.book.terms(version).route is Route.DIRECT


def _month(at: int) -> int:
    """202603, in UTC, of microseconds since 1970. Before 1970 the division still rounds down."""
    day = datetime.fromtimestamp(at // 1_000_000, UTC)
    return day.year * 100 + day.month
