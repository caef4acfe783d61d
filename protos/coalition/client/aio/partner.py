"""The platform as one partner calls it from asyncio: the typed stubs of every service, and its lists as iterators."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TypeAlias

from coalition.catalogue.v1 import catalogue_pb2 as catalogue_pb
from coalition.catalogue.v1 import catalogue_pb2_grpc as catalogue
from coalition.client.aio.calls import Bearer, Deadline, Refusing, Talking
from coalition.client.aio.pages import Pages
from coalition.client.aio.tokens import IssuedTokens, Tokens
from coalition.client.channel import DEADLINE_SECONDS, OPTIONS, credentials_of
from coalition.client.kit import Kit
from coalition.identity.v1 import identity_pb2 as identity_pb
from coalition.identity.v1 import identity_pb2_grpc as identity
from coalition.ledger.v1 import ledger_pb2 as ledger_pb
from coalition.ledger.v1 import ledger_pb2_grpc as ledger
from coalition.settlement.v1 import settlement_pb2 as settlement_pb
from coalition.settlement.v1 import settlement_pb2_grpc as settlement
from grpc import aio

Stores: TypeAlias = Pages[identity_pb.ListStoresRequest, identity_pb.ListStoresResponse, identity_pb.Store]
Entries: TypeAlias = Pages[ledger_pb.ListEntriesRequest, ledger_pb.ListEntriesResponse, ledger_pb.Entry]
RuleVersions: TypeAlias = Pages[
    catalogue_pb.ListEarnRulesRequest, catalogue_pb.ListEarnRulesResponse, catalogue_pb.EarnRules
]
ContractVersions: TypeAlias = Pages[
    settlement_pb.ListContractVersionsRequest,
    settlement_pb.ListContractVersionsResponse,
    settlement_pb.ContractVersion,
]
Statements: TypeAlias = Pages[
    settlement_pb.ListStatementsRequest, settlement_pb.ListStatementsResponse, settlement_pb.Statement
]


def connect(kit: Kit | Path | str, *, tokens: Tokens | None = None, deadline: float = DEADLINE_SECONDS) -> Coalition:
    """The platform for the partner of a kit, or of the folder that holds one. Call it where the event loop runs.

    `deadline` are the seconds of a call that names no timeout. `tokens` replaces those that identity issues for the
    kit's secret. Nothing is sent before the first call.
    """
    return Coalition(kit if isinstance(kit, Kit) else Kit.load(kit), tokens, deadline)


class Coalition:
    """For the tasks of one event loop. An `async with` block, or `close()`, lets its connections go."""

    def __init__(self, kit: Kit, tokens: Tokens | None, deadline: float) -> None:
        credentials, manners = credentials_of(kit), [Deadline(deadline), Refusing()]
        self._issuing = aio.secure_channel(kit.targets["identity"], credentials, OPTIONS, interceptors=manners)
        tokens = tokens or IssuedTokens(kit, identity.TokenServiceStub(self._issuing).IssueToken)
        steps = [Bearer(tokens), *manners, Talking(tokens, deadline)]
        self._channels = {
            target: aio.secure_channel(target, credentials, OPTIONS, interceptors=steps)
            for target in set(kit.targets.values())
        }
        known = {service: self._channels[target] for service, target in kit.targets.items()}

        self.partner = kit.partner
        self.name = f"partners/{kit.partner}"
        self.partners = identity.PartnerServiceStub(known["identity"])
        self.members = identity.MemberServiceStub(known["identity"])
        self.ledger = ledger.LedgerServiceStub(known["ledger"])
        self.earn_rules = catalogue.EarnRuleServiceStub(known["catalogue"])
        self.purchases = catalogue.PurchaseServiceStub(known["catalogue"])
        self.contracts = settlement.ContractServiceStub(known["settlement"])
        self.statements = settlement.StatementServiceStub(known["settlement"])

    def list_stores(self, *, page_size: int = 0, page_token: str = "") -> Stores:
        """The partner's own stores."""
        request = identity_pb.ListStoresRequest(parent=self.name, page_size=page_size, page_token=page_token)
        return Pages(self.partners.ListStores, request, lambda page: page.stores)

    def list_entries(
        self,
        *,
        grant: str = "",
        kinds: Sequence[ledger_pb.EntryKind] = (),
        page_size: int = 0,
        page_token: str = "",
    ) -> Entries:
        """The partner's own entries, or those of the wallet that a grant names, in journal order."""
        request = ledger_pb.ListEntriesRequest(
            parent=self.name, grant=grant, kinds=kinds, page_size=page_size, page_token=page_token
        )
        return Pages(self.ledger.ListEntries, request, lambda page: page.entries)

    def list_earn_rules(self, *, page_size: int = 0, page_token: str = "") -> RuleVersions:
        """All versions of the partner's earn rules, oldest first."""
        request = catalogue_pb.ListEarnRulesRequest(parent=self.name, page_size=page_size, page_token=page_token)
        return Pages(self.earn_rules.ListEarnRules, request, lambda page: page.earn_rules)

    def list_contract_versions(self, *, page_size: int = 0, page_token: str = "") -> ContractVersions:
        """All versions of the partner's contract, oldest first."""
        request = settlement_pb.ListContractVersionsRequest(
            parent=self.name, page_size=page_size, page_token=page_token
        )
        return Pages(self.contracts.ListContractVersions, request, lambda page: page.contract_versions)

    def list_statements(self, *, page_size: int = 0, page_token: str = "") -> Statements:
        """The partner's statements, oldest window first, without their bytes."""
        request = settlement_pb.ListStatementsRequest(parent=self.name, page_size=page_size, page_token=page_token)
        return Pages(self.statements.ListStatements, request, lambda page: page.statements)

    async def inclusion_proof(self, entry: str, *, checkpoint: str = "") -> ledger_pb.InclusionProof:
        """That one of the partner's entries, by its name, lies under a checkpoint; under the latest when none is named.

        `coalition.statements.proofs.verify_inclusion` checks it. Raises EntryNotCovered for an entry that is younger.
        """
        return await self.ledger.GetInclusionProof(
            ledger_pb.GetInclusionProofRequest(name=entry, checkpoint=checkpoint)
        )

    async def close(self) -> None:
        """Let the connections go; calls under way end."""
        for channel in (self._issuing, *self._channels.values()):
            await channel.close()

    async def __aenter__(self) -> Coalition:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()
