"""The client of a partner: one call connects, every method is a typed stub, every "no" is a typed exception.

    from coalition.client import connect, new_request_id, InsufficientPoints

    with connect("path/to/kit") as coalition:
        found = coalition.members.ResolveMember(...)
        entry = coalition.ledger.AwardPoints(...)

`coalition.client.aio` has the same names for asyncio. There is no global state.
"""

from __future__ import annotations

from coalition.client.channel import DEADLINE_SECONDS
from coalition.client.kit import Kit, KitUnusable
from coalition.client.pages import Pages
from coalition.client.partner import Coalition, connect
from coalition.client.reading import refusal_of
from coalition.client.refusals.calls import (
    CallCancelled,
    DeadlineExceeded,
    InternalFault,
    InvalidRequest,
    MessageTooLarge,
    MethodUnknown,
    NotAllowed,
    OutcomeUnknown,
    RateLimited,
    ReceiptAlreadyUsed,
    RequestIdReused,
    ServiceBusy,
    ServiceUnavailable,
    TokenExpired,
    TokenInvalid,
)
from coalition.client.refusals.members import (
    CodeAlreadyUsed,
    CodeExpired,
    CodeInvalid,
    CredentialRefused,
    IdentifierTaken,
    MemberNotFound,
    TooManyMisses,
)
from coalition.client.refusals.points import (
    CaptureExceedsHold,
    EntryNotCovered,
    EntryNotFound,
    GrantExpired,
    GrantInvalid,
    GrantScope,
    GrantScopeExceeded,
    HoldClosed,
    HoldEndsLater,
    HoldExpired,
    HoldNotFound,
    InsufficientPoints,
    NothingPending,
    PartnerNetDebitCapExceeded,
    RedemptionLimit,
    RefundExceedsRedemption,
    ReleaseExceedsHold,
    ReversalExceedsAward,
    TransferLimit,
    WalletMerged,
)
from coalition.client.refusals.purchases import (
    EarnRulesNotFound,
    PostingPending,
    PurchaseInvalid,
    PurchaseNotFound,
    ReturnExceedsLine,
    StatementNotFound,
)
from coalition.client.refused import Refused, Violation
from coalition.client.replays import was_replayed
from coalition.client.request_ids import new_request_id
from coalition.client.tokens import IssuedTokens, Tokens

__all__ = [
    "DEADLINE_SECONDS",
    "CallCancelled",
    "CaptureExceedsHold",
    "Coalition",
    "CodeAlreadyUsed",
    "CodeExpired",
    "CodeInvalid",
    "CredentialRefused",
    "DeadlineExceeded",
    "EarnRulesNotFound",
    "EntryNotCovered",
    "EntryNotFound",
    "GrantExpired",
    "GrantInvalid",
    "GrantScope",
    "GrantScopeExceeded",
    "HoldClosed",
    "HoldEndsLater",
    "HoldExpired",
    "HoldNotFound",
    "IdentifierTaken",
    "InsufficientPoints",
    "InternalFault",
    "InvalidRequest",
    "IssuedTokens",
    "Kit",
    "KitUnusable",
    "MemberNotFound",
    "MessageTooLarge",
    "MethodUnknown",
    "NotAllowed",
    "NothingPending",
    "OutcomeUnknown",
    "Pages",
    "PartnerNetDebitCapExceeded",
    "PostingPending",
    "PurchaseInvalid",
    "PurchaseNotFound",
    "RateLimited",
    "ReceiptAlreadyUsed",
    "RedemptionLimit",
    "RefundExceedsRedemption",
    "Refused",
    "ReleaseExceedsHold",
    "RequestIdReused",
    "ReturnExceedsLine",
    "ReversalExceedsAward",
    "ServiceBusy",
    "ServiceUnavailable",
    "StatementNotFound",
    "TokenExpired",
    "TokenInvalid",
    "Tokens",
    "TooManyMisses",
    "TransferLimit",
    "Violation",
    "WalletMerged",
    "connect",
    "new_request_id",
    "refusal_of",
    "was_replayed",
]
