"""A worked example as it happens at tills: its partners by the letter the example gives them, and one member."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias
from uuid import uuid4

from coalition.identity.v1 import identity_pb2 as identity
from coalition.ledger.v1 import ledger_pb2 as ledger
from coalition.settlement.v1 import settlement_pb2 as settlement
from google.type.date_pb2 import Date

from shared.credentials.files import read_password
from shared.rpc.wire import decimal_pb, timestamp
from tests.support.platform import Member, Partner, RunningPlatform
from tests.support.vectors import Example

SECONDS = 30.0

Line: TypeAlias = dict[str, Any]  # a line of a statement, as its JSON has it


@dataclass
class Story:
    """The partners and the member of one example. Nobody else uses them, so every number is the example's own."""

    platform: RunningPlatform
    partners: dict[str, Partner] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.anna = self.platform.member()

    def join(self, letter: str, *versions: settlement.ContractVersion) -> Partner:
        """A partner enters the programme with the versions of its contract."""
        partner = self.platform.partner(terms=None)
        for version in versions:
            self.platform.agree(partner.id, version)
        self.partners[letter] = partner
        return partner

    def award(self, letter: str, points: int, expires_on: Date | None = None, **more: object) -> ledger.Entry:
        """Award points to the member; `more` are fields of the request."""
        partner = self.partners[letter]
        request = award(self.platform.grant(partner, self.anna), points, expires_on, **more)
        return partner.calls.ledger.AwardPoints(request, timeout=SECONDS)

    def redeem(self, letter: str, points: int) -> ledger.Entry:
        """A hold captured at once."""
        calls = self.partners[letter].calls.ledger
        hold = calls.HoldPoints(self.hold_request(letter, points), timeout=SECONDS)
        return calls.CaptureHold(ledger.CaptureHoldRequest(request_id=fresh_id(), name=hold.name), timeout=SECONDS)

    def hold_request(self, letter: str, points: int) -> ledger.HoldPointsRequest:
        """What a till sends when the member shows the code."""
        grant = self.platform.grant(self.partners[letter], self.anna, redeem=True)
        return ledger.HoldPointsRequest(request_id=fresh_id(), grant=grant, points=points)

    def reverse(self, letter: str, entry: ledger.Entry, points: int) -> ledger.Entry:
        """Undo an award, or part of it."""
        lines = [ledger.AwardLine(points=points)]
        request = ledger.ReverseAwardRequest(request_id=fresh_id(), entry=entry.name, lines=lines)
        return self.partners[letter].calls.ledger.ReverseAward(request, timeout=SECONDS)

    def balance(self, letter: str) -> ledger.Balance:
        """What the member holds, as a partner sees it."""
        partner = self.partners[letter]
        request = ledger.GetBalanceRequest(grant=self.platform.grant(partner, self.anna))
        return partner.calls.ledger.GetBalance(request, timeout=SECONDS)

    def statement(self, letter: str, window: settlement.Window) -> Books:
        """A partner's own statement for a window, fetched with its own credential."""
        return books(self.partners[letter], window)


@dataclass(frozen=True)
class Books:
    """What a statement says."""

    content: bytes
    lines: list[Line]
    net_minor: int

    def line(self, leg: str) -> Line:
        """The one line of a leg."""
        [found] = [line for line in self.lines if line["leg"] == leg]
        return found


def books(partner: Partner, window: settlement.Window) -> Books:
    """A partner's statement for a window."""
    name = f"{partner.name}/statements/{window.name.removeprefix('windows/')}"
    content = partner.calls.statements.GetStatement(settlement.GetStatementRequest(name=name), timeout=SECONDS).content
    document = json.loads(content)
    [net] = document["nets"]
    return Books(content, document["lines"], net["net_minor"])


def terms(given: Example, since: datetime, *, rounding: str = "CUMULATIVE_HALF_EVEN") -> settlement.ContractVersion:
    """The terms that an example gives; what it leaves out costs nothing."""
    return version(
        since,
        given["currency"],
        issuance=given.get("billing_rate", "0"),
        reimbursement=given.get("reimbursement_rate", "0"),
        rounding=given.get("rounding", rounding),
    )


def version(
    since: datetime, currency: str, *, issuance: str, reimbursement: str = "0", rounding: str = "CUMULATIVE_HALF_EVEN"
) -> settlement.ContractVersion:
    """One version of a contract."""
    return settlement.ContractVersion(
        effective_from=timestamp(since),
        timing=settlement.TIMING_AT_ISSUANCE,
        rate_at_issuance=decimal_pb(Decimal(issuance)),
        reimbursement_rate=decimal_pb(Decimal(reimbursement)),
        currency=currency,
        rounding=f"ROUNDING_{rounding}",
    )


def yesterday(platform: RunningPlatform) -> datetime:
    """Early enough for everything that happens from now on."""
    return platform.clock.now() - timedelta(days=1)


def award(grant: str, points: int, expires_on: Date | None = None, **more: object) -> ledger.AwardPointsRequest:
    """An award of one line; `more` are fields of the request."""
    request = ledger.AwardPointsRequest(
        request_id=fresh_id(), grant=grant, lines=[ledger.AwardLine(points=points, expires_on=expires_on)]
    )
    request.MergeFrom(ledger.AwardPointsRequest(**more))  # type: ignore[arg-type]  # fields of the message
    return request


def fresh_id() -> str:
    """One for each intention."""
    return str(uuid4())


def resolved(partner: Partner, member: Member) -> identity.ResolveMemberResponse:
    """What identity tells a partner about a card."""
    return partner.calls.members.ResolveMember(identity.ResolveMemberRequest(identifier=member.card), timeout=SECONDS)


def token_of(partner: Partner) -> str:
    """A new access token."""
    kit = partner.kit
    request = identity.IssueTokenRequest(credential=kit.credential, secret=read_password(kit.secret_file))
    return partner.calls.tokens.IssueToken(request, timeout=SECONDS).access_token
