"""A running platform for tests: the sandbox itself, in a folder of its own, with a clock that tests move.

def test_...(platform: RunningPlatform) -> None:
    grocer = platform.partner()
    anna = platform.member()
    grocer.calls.ledger.AwardPoints(...)
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyotp
from coalition.identity.v1 import identity_pb2
from coalition.settlement.v1 import approvals_pb2, settlement_pb2

from services.sandbox import clocks
from services.sandbox.clients import Calls
from services.sandbox.home import Home
from services.sandbox.partners import Kit, admit, calls_of
from services.sandbox.platform import Platform, down, up
from shared.rpc.wire import decimal_pb, timestamp
from tests.support.ports import claimed

BEGINNING = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
TERMS = settlement_pb2.ContractVersion(
    effective_from=timestamp(BEGINNING - timedelta(days=60)),
    timing=settlement_pb2.TIMING_AT_ISSUANCE,
    rate_at_issuance=decimal_pb(Decimal("0.0120")),
    reimbursement_rate=decimal_pb(Decimal("0.0090")),
    currency="USD",
)
"""What partners agree to unless a test says otherwise."""


@dataclass(frozen=True, slots=True)
class Partner:
    """A partner business with its stubs; its token is renewed by the sandbox's time."""

    id: str
    kit: Kit
    calls: Calls

    @property
    def name(self) -> str:
        """The resource name."""
        return f"partners/{self.id}"


@dataclass(frozen=True, slots=True)
class Member:
    """A member and what they carry: a card and an app that shows rotating codes."""

    name: str
    card: identity_pb2.Identifier
    code_seed: str

    def code(self, at: datetime) -> str:
        """What the app shows at an instant."""
        return pyotp.TOTP(self.code_seed).at(at)


class SandboxTime:
    """The clock of the services. Tests share it, so it only goes forward."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def now(self) -> datetime:
        """What time it is for the services."""
        return clocks.now(self._home)

    def move(self, step: timedelta) -> datetime:
        """Let time pass."""
        return clocks.move_by(self._home, step)

    def set(self, instant: datetime) -> datetime:
        """Jump to an instant."""
        return clocks.set_to(self._home, instant)


class RunningPlatform:
    """The four services and PostgreSQL, and how tests speak to them."""

    def __init__(self, sandbox: Platform) -> None:
        self.sandbox = sandbox
        self.home = sandbox.home
        self.operator = sandbox.operator
        self.colleague = sandbox.colleague
        self.clock = SandboxTime(sandbox.home)
        self._partners: dict[str, Partner] = {}

    def partner(
        self, partner_id: str | None = None, *, terms: settlement_pb2.ContractVersion | None = TERMS
    ) -> Partner:
        """The partner of this id, admitted when it is first asked for; without an id one that nobody else uses.

        It has a contract, or windows could not close once it awards; `terms=None` leaves that to the test.
        """
        wanted = partner_id or f"partner-{uuid.uuid4().hex[:12]}"
        if wanted not in self._partners:
            kit = admit(self.sandbox, wanted)
            self._partners[wanted] = Partner(wanted, kit, calls_of(self.sandbox, kit))
            if terms is not None:
                self.agree(wanted, terms)
        return self._partners[wanted]

    def agree(self, partner_id: str, terms: settlement_pb2.ContractVersion) -> settlement_pb2.ContractVersion:
        """Publish a version of a partner's contract: the operator proposes it, the colleague approves."""
        request = settlement_pb2.PublishContractVersionRequest(
            parent=f"partners/{partner_id}", request_id=str(uuid.uuid4()), contract_version=terms
        )
        publish = self.operator.contracts.PublishContractVersion
        self.approve(publish(request, timeout=10).proposal)
        return publish(request, timeout=10)

    def approve(self, name: str) -> approvals_pb2.Proposal:
        """The colleague approves a proposal as it stands."""
        approvals = self.colleague.approvals
        found = approvals.GetProposal(approvals_pb2.GetProposalRequest(name=name), timeout=10)
        request = approvals_pb2.ApproveRequest(name=name, sha256=found.sha256, request_id=str(uuid.uuid4()))
        return approvals.Approve(request, timeout=10)

    def close_window(self) -> settlement_pb2.Window:
        """Close the open window with everything that was posted so far."""
        windows = self.operator.windows
        window = windows.GetWindow(settlement_pb2.GetWindowRequest(name="windows/open"), timeout=10)
        request = settlement_pb2.CloseWindowRequest(name=window.name, request_id=str(uuid.uuid4()))
        return windows.CloseWindow(request, timeout=60)

    def member(self) -> Member:
        """A new member with a card and a code seed."""
        card = identity_pb2.Identifier(
            type=identity_pb2.IDENTIFIER_TYPE_CARD, value=f"C{uuid.uuid4().int % 10**12:012d}"
        )
        request = identity_pb2.EnrolMemberRequest(
            request_id=str(uuid.uuid4()), identifiers=[card], terms_version="2026-01", with_code_seed=True
        )
        member = self.operator.members.EnrolMember(request, timeout=10)
        return Member(member.name, card, member.code_seed)

    def grant(self, partner: Partner, member: Member, *, redeem: bool = False) -> str:
        """A grant for a member who stands at this partner's till; to redeem, one code step passes first."""
        request = identity_pb2.ResolveMemberRequest(identifier=member.card)
        if redeem:
            request.code = member.code(self.clock.move(timedelta(seconds=30)))
        return partner.calls.members.ResolveMember(request, timeout=10).grant


@contextmanager
def platform_in(folder: Path, say: Callable[[str], None] = print) -> Iterator[RunningPlatform]:
    """A platform that runs while the block does."""
    home = Home(folder)
    try:
        yield RunningPlatform(up(home, say=say, clock=BEGINNING, port_base=claimed()))
    finally:
        down(home, say=say)
