"""What catalogue and settlement refuse: receipts, returns, statements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from coalition.client.refused import Refused


class EarnRulesNotFound(Refused):
    """No rules are in force for that instant."""


class PurchaseInvalid(Refused):
    """The receipt contradicts itself or the rules' currency."""

    @property
    def problem(self) -> str:
        """What is wrong with it."""
        return self.fact("problem")


class PurchaseNotFound(Refused):
    """No such purchase of yours."""


class ReturnExceedsLine(Refused):
    """More comes back than is left of a line."""

    @property
    def line_no(self) -> int:
        """The line."""
        return self.number("lineNo")


class PostingPending(Refused):
    """Recorded; its points are on their way to the ledger. Repeat with the same request id for the answer."""


class StatementNotFound(Refused):
    """No such statement of yours."""


TYPES: Final[Mapping[str, type[Refused]]] = {
    "EARN_RULES_NOT_FOUND": EarnRulesNotFound,
    "PURCHASE_INVALID": PurchaseInvalid,
    "PURCHASE_NOT_FOUND": PurchaseNotFound,
    "RETURN_EXCEEDS_LINE": ReturnExceedsLine,
    "POSTING_PENDING": PostingPending,
    "STATEMENT_NOT_FOUND": StatementNotFound,
}
