"""One partner's till: it resolves cards, sends receipts, takes returns, and takes points for payment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Final, TypeVar

import grpc
from coalition.catalogue.v1 import catalogue_pb2 as catalogue
from coalition.identity.v1 import identity_pb2 as identity
from coalition.ledger.v1 import ledger_pb2 as ledger
from google.rpc.status_pb2 import Status

from services.sandbox.clients import Calls
from services.sandbox.demo import requests
from services.sandbox.demo.data import Purchase, Wish
from services.sandbox.demo.patience import Patience, repeatable
from services.sandbox.demo.refusals import ItemRefused
from shared.refusal import Kind
from shared.rpc.channel import RemoteRefusal, call
from shared.rpc.remote import refusal_in

K = TypeVar("K")
Asked = TypeVar("Asked")
Answered = TypeVar("Answered")

BATCH: Final = 500
NOT_YET: Final = RemoteRefusal(Kind.CHANGED, "NOT_POSTED_YET", "The points of these purchases are on their way.", {})
_BATCH_SECONDS: Final = 60.0
_SECONDS: Final = 20.0
_PAGE: Final = 1000


class Wished(Enum):
    """What became of a wish to pay with points."""

    GRANTED = "granted"
    REFUSED = "refused"
    CODE_USED = "the code of this half minute was used before"


@dataclass(frozen=True, slots=True)
class Till:
    """A partner with its certificate and token. Safe to use from several threads."""

    partner: str
    calls: Calls
    patience: Patience

    def record(self, purchases: Sequence[Purchase]) -> dict[str, str]:
        """Send receipts; answers with the name of each purchase by its key, when all their points are in the ledger."""
        grants = self._grants(sorted({purchase.household for purchase in purchases}))
        named: dict[str, str] = {}
        waiting = list(purchases)
        while waiting:
            named |= self.patience.until_answered(partial(self._record, waiting, grants))
            waiting = [purchase for purchase in waiting if purchase.key not in named]
        return named

    def take_back(self, purchase: Purchase, name: str) -> None:
        """All goods of a purchase come back."""
        self._ask(self.calls.purchases.RefundPurchase, requests.returning(purchase, name))

    def pay_with_points(self, wish: Wish, code: str) -> Wished:
        """Hold, then capture. The member shows a code, which nobody may use twice."""
        shown = identity.ResolveMemberRequest(identifier=requests.card(wish.household), code=code)
        try:
            resolved = self._ask(self.calls.members.ResolveMember, shown)
            hold = self._ask(self.calls.ledger.HoldPoints, requests.holding(wish, resolved.grant))
        except RemoteRefusal as refusal:
            match refusal.reason:
                case "INSUFFICIENT_POINTS":
                    return Wished.REFUSED
                case "CODE_ALREADY_USED":
                    return Wished.CODE_USED
                case _:
                    raise
        self._capture(wish, hold.name)
        return Wished.GRANTED

    def finished(self, wish: Wish) -> bool:
        """Whether an earlier run granted this wish; a hold that it left behind is captured now."""
        grant = self._grants([wish.household])[wish.household]
        wanted = {requests.holding(wish, grant).request_id: "hold", requests.capturing(wish, "").request_id: "capture"}
        found: dict[str, ledger.Entry] = {}
        token = ""
        while True:
            page = self._entries(grant, token)
            found |= {wanted[entry.request_id]: entry for entry in page.entries if entry.request_id in wanted}
            token = page.next_page_token
            if not token:
                break
        if "hold" in found and "capture" not in found:
            place = found["hold"]
            self._capture(wish, f"partners/{self.partner}/holds/{place.bucket}-{place.seq}")
        return bool(found)

    def _entries(self, grant: str, token: str) -> ledger.ListEntriesResponse:
        request = ledger.ListEntriesRequest(
            parent=f"partners/{self.partner}", grant=grant, page_size=_PAGE, page_token=token
        )
        return self._ask(self.calls.ledger.ListEntries, request)

    def _capture(self, wish: Wish, hold: str) -> None:
        self._ask(self.calls.ledger.CaptureHold, requests.capturing(wish, hold))

    def _ask(self, method: grpc.UnaryUnaryMultiCallable[Asked, Answered], request: Asked) -> Answered:
        return self.patience.until_answered(partial(call, method, request, timeout=_SECONDS))

    def _grants(self, households: Sequence[int]) -> dict[int, str]:
        """A grant of award scope for each household, good for this partner alone."""
        grants: dict[int, str] = {}
        waiting = list(households)
        while waiting:
            grants |= self.patience.until_answered(partial(self._resolve, waiting[:BATCH]))
            waiting = [household for household in waiting if household not in grants]
        return grants

    def _resolve(self, households: Sequence[int]) -> dict[int, str]:
        identifiers = [requests.card(household) for household in households]
        request = identity.BatchResolveMembersRequest(identifiers=identifiers)
        answer = call(self.calls.members.BatchResolveMembers, request, timeout=_BATCH_SECONDS)
        grants: dict[int, str] = {}
        late = NOT_YET
        for household, result in zip(households, answer.results, strict=True):
            if result.HasField("resolved"):
                grants[household] = result.resolved.grant
            else:
                late = _repeatable(f"The card of household {household}", result.refusal)
        return _some(grants, late)

    def _record(self, purchases: Sequence[Purchase], grants: Mapping[int, str]) -> dict[str, str]:
        items = [requests.recording(purchase, grants[purchase.household]) for purchase in purchases]
        request = catalogue.BatchRecordPurchasesRequest(items=items)
        answer = call(self.calls.purchases.BatchRecordPurchases, request, timeout=_BATCH_SECONDS)
        named: dict[str, str] = {}
        late = NOT_YET
        for purchase, result in zip(purchases, answer.results, strict=True):
            if result.HasField("refusal"):
                late = _repeatable(f"Purchase {purchase.key}", result.refusal)
            elif result.purchase.state == catalogue.PURCHASE_STATE_POSTED:
                named[purchase.key] = result.purchase.name
        return _some(named, late)


def _repeatable(what: str, status: Status) -> RemoteRefusal:
    """The refusal of an item that a repeat may help; any other ends the demo."""
    refusal = refusal_in(status)
    if not repeatable(refusal):
        raise ItemRefused(what=what, why=refusal)
    return refusal


def _some(accepted: dict[K, str], late: RemoteRefusal) -> dict[K, str]:
    """What was accepted of a batch. When nothing was, patience should know."""
    if not accepted:
        raise late
    return accepted
