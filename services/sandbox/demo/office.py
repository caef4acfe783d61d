"""What the operator of the programme does in the demo: admits partners and members, sets terms, closes the books."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final, TypeVar

import grpc
from coalition.catalogue.v1 import catalogue_pb2 as catalogue
from coalition.identity.v1 import identity_pb2 as identity
from coalition.ledger.v1 import ledger_pb2 as ledger
from coalition.settlement.v1 import approvals_pb2 as approvals
from coalition.settlement.v1 import settlement_pb2 as settlement

from services.sandbox.clients import Calls
from services.sandbox.demo import requests
from services.sandbox.demo.patience import Patience, repeatable
from services.sandbox.demo.refusals import ItemRefused
from services.sandbox.demo.till import BATCH
from shared.refusal import Kind
from shared.rpc.channel import RemoteRefusal, call
from shared.rpc.remote import refusal_in
from shared.rpc.wire import minor_of

Asked = TypeVar("Asked")
Answered = TypeVar("Answered")

_SECONDS: Final = 20.0
_LONG_SECONDS: Final = 60.0
_PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class Money:
    """What the closed windows add up to for one participant, in cents."""

    billed: int = 0
    reimbursed: int = 0
    net: int = 0


class Office:
    """The operator's desk. Every call may be repeated: what was done stays done.

    What two people have to agree on, the colleague approves.
    """

    def __init__(self, calls: Calls, colleague: Calls, patience: Patience) -> None:
        self._calls = calls
        self._colleague = colleague
        self._patience = patience

    def entry_count(self) -> int:
        """How many entries the journal has."""
        return self.points().entry_count

    def partners(self) -> set[str]:
        """The ids of all partners of the programme, whoever admitted them."""
        found: set[str] = set()
        token = ""
        while True:
            request = identity.ListPartnersRequest(page_size=_PAGE, page_token=token)
            page = self._ask(self._calls.partners.ListPartners, request)
            found |= {partner.name.removeprefix("partners/") for partner in page.partners}
            token = page.next_page_token
            if not token:
                return found

    def open_stores(self, stores: Mapping[str, Sequence[int]], pool: Executor) -> None:
        """Every store in which a partner sells something."""
        wanted = [
            identity.CreateStoreRequest(parent=f"partners/{partner}", store_id=str(store))
            for partner, numbers in stores.items()
            for store in numbers
        ]
        for opened in [pool.submit(self._open_store, request) for request in wanted]:
            opened.result()

    def agree(self, partner: str, since: datetime) -> None:
        """Earn rules and a contract for a partner, in force from the first day on."""
        self._ask(self._calls.earn_rules.PublishEarnRules, requests.earn_rules(partner, since))
        version = self._ask(self._calls.contracts.PublishContractVersion, requests.contract(partner, since))
        if version.state == settlement.CONTRACT_VERSION_STATE_PROPOSED:
            wanted = approvals.GetProposalRequest(name=version.proposal)
            proposal = self._ask(self._colleague.approvals.GetProposal, wanted)
            self._ask(self._colleague.approvals.Approve, requests.approval(proposal))

    def enrol(self, households: Sequence[int]) -> dict[int, str]:
        """Members by household; answers with the seed of each one's rotating code."""
        seeds: dict[int, str] = {}
        waiting = list(households)
        while waiting:
            seeds |= self._patience.until_answered(partial(self._enrol, waiting[:BATCH]))
            waiting = [household for household in waiting if household not in seeds]
        return seeds

    def open_window(self) -> int:
        """The number of the window that takes what is posted now."""
        window = self._ask(self._calls.windows.GetWindow, settlement.GetWindowRequest(name="windows/open"))
        return int(window.name.removeprefix("windows/"))

    def close(self, window: int) -> None:
        """Close a window; a repeat finds it closed."""
        self._ask(self._calls.windows.CloseWindow, requests.closing(window), _LONG_SECONDS)

    def points(self) -> ledger.Totals:
        """All flows of points, as the ledger counts them."""
        return self._ask(self._calls.ledger.GetTotals, ledger.GetTotalsRequest(), _LONG_SECONDS)

    def purchases(self) -> catalogue.PurchaseTotals:
        """How many purchases and returns the catalogue has."""
        request = catalogue.GetPurchaseTotalsRequest()
        return self._ask(self._calls.purchases.GetPurchaseTotals, request, _LONG_SECONDS)

    def money(self, windows: Iterable[int]) -> dict[str, Money]:
        """What closed windows booked, by participant; the operator is one."""
        billed: Counter[str] = Counter()
        reimbursed: Counter[str] = Counter()
        nets: Counter[str] = Counter()
        for number in windows:
            window = self._ask(self._calls.windows.GetWindow, settlement.GetWindowRequest(name=f"windows/{number}"))
            for net in window.nets:
                billed[net.partner] += minor_of(net.billed, requests.CURRENCY)
                reimbursed[net.partner] += minor_of(net.reimbursed, requests.CURRENCY)
                nets[net.partner] += minor_of(net.net, requests.CURRENCY)
        return {partner: Money(billed[partner], reimbursed[partner], nets[partner]) for partner in nets}

    def _open_store(self, request: identity.CreateStoreRequest) -> None:
        try:
            self._ask(self._calls.partners.CreateStore, request)
        except RemoteRefusal as refusal:
            if refusal.kind is not Kind.ALREADY:
                raise

    def _enrol(self, households: Sequence[int]) -> dict[int, str]:
        request = identity.BatchEnrolMembersRequest(items=[requests.enrolment(household) for household in households])
        answer = call(self._calls.members.BatchEnrolMembers, request, timeout=_LONG_SECONDS)
        seeds: dict[int, str] = {}
        late: RemoteRefusal | None = None
        for household, result in zip(households, answer.results, strict=True):
            if result.HasField("member"):
                seeds[household] = result.member.code_seed
                continue
            late = refusal_in(result.refusal)
            if not repeatable(late):
                raise ItemRefused(what=f"Household {household}", why=late)
        if late is not None and not seeds:
            raise late
        return seeds

    def _ask(
        self,
        method: grpc.UnaryUnaryMultiCallable[Asked, Answered],
        request: Asked,
        seconds: float = _SECONDS,
    ) -> Answered:
        ask: Callable[[], Answered] = partial(call, method, request, timeout=seconds)
        return self._patience.until_answered(ask)
