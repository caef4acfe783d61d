"""Identity alone, as it is deployed: real gRPC over mTLS, real PostgreSQL as the application role, a clock to set."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import grpc
import psycopg
import pyotp
import pytest
from coalition.identity.v1 import identity_pb2 as pb
from coalition.identity.v1 import identity_pb2_grpc as rpc
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from sqlalchemy.exc import DBAPIError

from services.identity.access import ACCESS, TOKENLESS
from services.identity.main import LIMITS, NAME, SERVICES, Identity
from services.identity.settings import Settings
from shared.credentials.authority import Authority, Leaf
from shared.credentials.files import write_secret
from shared.credentials.grants import Grant, GrantRing, Scope, create_grant_keys
from shared.credentials.keys import load_or_create, publish
from shared.rpc.caller import Caller, Role
from shared.rpc.channel import RemoteRefusal, call, open_channel
from shared.rpc.remote import remote_refusal
from shared.rpc.server import build_server
from tests.support.databases import Databases

Request = TypeVar("Request")
Answer = TypeVar("Answer")

BEGINNING = datetime(2026, 3, 1, 12, tzinfo=UTC)


class SetClock:
    """Says what it was told. Tests share it, so it only goes forward."""

    def __init__(self) -> None:
        self.instant = BEGINNING

    def now(self) -> datetime:
        return self.instant

    def pass_by(self, **units: float) -> datetime:
        self.instant += timedelta(**units)
        return self.instant


class Desk:
    """Somebody who calls identity: their stubs, and their token when they are a partner."""

    def __init__(self, channel: grpc.Channel, token: Callable[[], str] | None = None) -> None:
        self.channel = channel
        self.partners = rpc.PartnerServiceStub(channel)
        self.tokens = rpc.TokenServiceStub(channel)
        self.members = rpc.MemberServiceStub(channel)
        self._token = token

    def __call__(self, method: grpc.UnaryUnaryMultiCallable[Request, Answer], request: Request) -> Answer:
        return self.answered(method, request)[0]

    def answered(
        self, method: grpc.UnaryUnaryMultiCallable[Request, Answer], request: Request
    ) -> tuple[Answer, dict[str, str | bytes]]:
        """The answer, and what came behind it."""
        metadata = (("authorization", f"Bearer {self._token()}"),) if self._token else ()
        answer, finished = method.with_call(request, timeout=20, metadata=metadata)
        return answer, dict(finished.trailing_metadata() or ())


class Partner(Desk):
    """A partner with a certificate, a credential and tokens that are renewed by identity's own clock."""

    def __init__(self, house: House, partner_id: str) -> None:
        super().__init__(house.channel(house.authority.partner(partner_id)), self.token)
        self.id = partner_id
        self.name = f"partners/{partner_id}"
        request = pb.CreateCredentialRequest(parent=self.name, display_name="till 1")
        self.credential = house.operator(house.operator.partners.CreateCredential, request)
        self._clock = house.clock
        self._got: tuple[str, datetime] | None = None

    def token(self) -> str:
        if self._got is None or self._clock.now() >= self._got[1]:
            request = pb.IssueTokenRequest(credential=self.credential.name, secret=self.credential.secret)
            token = call(self.tokens.IssueToken, request, timeout=20)
            self._got = token.access_token, self._clock.now() + timedelta(minutes=14)
        return self._got[0]

    def resolve(self, identifier: pb.Identifier, code: str = "", most: int | None = None) -> pb.ResolveMemberResponse:
        request = pb.ResolveMemberRequest(identifier=identifier, code=code, max_redeem_points=most)
        return self(self.members.ResolveMember, request)

    def resolve_all(self, identifiers: list[pb.Identifier]) -> list[pb.ResolveResult]:
        request = pb.BatchResolveMembersRequest(identifiers=identifiers)
        return list(self(self.members.BatchResolveMembers, request).results)


class House:
    """The running service and everybody who calls it."""

    def __init__(self, folder: Path, databases: Databases, **settings: object) -> None:
        self.folder = folder
        self.clock = SetClock()
        self.authority = Authority.founded(folder / "authority")
        self.database = databases.fresh("identity")
        self.settings = self._settings(settings)
        self.identity = Identity(self.settings, self.clock)
        self.server, port = build_server(
            name=NAME,
            settings=self.settings,
            clock=self.clock,
            access=ACCESS,
            register=self.identity.register,
            service_names=SERVICES,
            ready=self.identity.ready,
            limits=LIMITS,
            tokenless=TOKENLESS,
        )
        self.target = f"127.0.0.1:{port}"
        self._channels: list[grpc.Channel] = []
        self._cluster = databases.cluster
        self.server.start()

    def _settings(self, more: dict[str, object]) -> Settings:
        leaf = self.authority.service("identity")
        signing = load_or_create(self.folder / "signing.pem")
        publish(signing.public_key(), self.folder / "token-keys")
        create_grant_keys(self.folder / "grants.keys")
        for name in ("master", "lookup", "pairwise"):
            write_secret(self.folder / name, uuid.uuid4().bytes + uuid.uuid4().bytes)
        files: dict[str, object] = {
            "ca_file": leaf.ca_file,
            "certificate_file": leaf.certificate_file,
            "key_file": leaf.key_file,
            "token_keys_folder": self.folder / "token-keys",
            "grant_keys_file": self.folder / "grants.keys",
            "token_key_file": self.folder / "signing.pem",
            "master_key_file": self.folder / "master",
            "lookup_key_file": self.folder / "lookup",
            "pairwise_key_file": self.folder / "pairwise",
        }
        return Settings.model_validate(files | self.database | more)

    def channel(self, leaf: Leaf) -> grpc.Channel:
        channel = open_channel(self.target, leaf.ca_file, leaf.certificate_file, leaf.key_file)
        self._channels.append(channel)
        return channel

    @cached_property
    def operator(self) -> Desk:
        return Desk(self.channel(self.authority.operator("anna")))

    def service(self, name: str) -> Desk:
        return Desk(self.channel(self.authority.service(name)))

    def partner(self, partner_id: str = "") -> Partner:
        """A partner that no other test knows."""
        partner_id = partner_id or f"p-{uuid.uuid4().hex[:12]}"
        shown = pb.Partner(display_name="Corner shop")
        self.operator(
            self.operator.partners.CreatePartner, pb.CreatePartnerRequest(partner_id=partner_id, partner=shown)
        )
        return Partner(self, partner_id)

    def enrol(self, wish: pb.EnrolMemberRequest | None = None, by: Desk | None = None) -> pb.Member:
        """A member; the operator enrols unless somebody else is named."""
        by = by or self.operator
        return by(by.members.EnrolMember, wish or wish_of())

    def code(self, member: pb.Member, steps: int = 0) -> str:
        """What the member's app shows, or showed or will show so many steps from now."""
        shown: str = pyotp.TOTP(member.code_seed).at(self.clock.now() + timedelta(seconds=30 * steps))
        return shown

    def grant(self, resolved: pb.ResolveMemberResponse, partner: str, for_: Scope = Scope.AWARD) -> Grant:
        """The grant, as the ledger opens it for this partner."""
        ring = GrantRing.from_file(self.settings.grant_keys_file)
        return ring.opened(resolved.grant, for_=for_, by=Caller(Role.PARTNER, partner, partner), at=self.clock.now())

    def identity_is_ready(self) -> bool:
        """What the health check would be told, without its second of memory."""
        try:
            return self.identity.ready()
        except DBAPIError:
            return False

    def as_administrator(self) -> psycopg.Connection:
        return psycopg.connect(self._cluster.address(str(self.database["database_name"])), autocommit=True)

    def close(self) -> None:
        for channel in self._channels:
            channel.close()
        self.server.stop(None).wait()
        self.identity.close()


def card(value: str = "") -> pb.Identifier:
    return pb.Identifier(type=pb.IDENTIFIER_TYPE_CARD, value=value or f"C{uuid.uuid4().int % 10**15:015}")


def number(member: pb.Member) -> pb.Identifier:
    return pb.Identifier(type=pb.IDENTIFIER_TYPE_MEMBER_NUMBER, value=member.member_number)


def wish_of(*identifiers: pb.Identifier, seed: bool = True, name: str = "Anna Example") -> pb.EnrolMemberRequest:
    return pb.EnrolMemberRequest(
        request_id=str(uuid.uuid4()),
        identifiers=identifiers or [card()],
        terms_version="2026-01",
        profile=pb.Profile(full_name=name),
        with_code_seed=seed,
    )


def refused(desk: Desk, method: grpc.UnaryUnaryMultiCallable[Request, Answer], request: Request) -> RemoteRefusal:
    """The refusal that the call must meet."""
    with pytest.raises(grpc.RpcError) as caught:
        desk(method, request)
    return remote_refusal(caught.value)


def reason_of(status: Status) -> str:
    """The reason of a refusal inside a batch."""
    info = ErrorInfo()
    assert status.details[0].Unpack(info)
    return info.reason
