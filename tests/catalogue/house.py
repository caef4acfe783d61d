"""Catalogue, ledger and identity as they are deployed: processes, mTLS, a database each, and a clock that tests set.

Identity keeps the partners; tokens and grants the house signs and seals itself, as identity would.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import grpc
import psycopg
import pytest
from coalition.catalogue.v1 import catalogue_pb2 as pb
from coalition.catalogue.v1 import catalogue_pb2_grpc as rpc
from coalition.identity.v1 import identity_pb2 as identity_pb
from coalition.identity.v1 import identity_pb2_grpc as identity_rpc
from coalition.ledger.v1 import ledger_pb2 as ledger_pb
from coalition.ledger.v1 import ledger_pb2_grpc as ledger_rpc
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from google.type.date_pb2 import Date
from google.type.decimal_pb2 import Decimal as DecimalMessage
from google.type.money_pb2 import Money

from shared.clock import SandboxClock
from shared.credentials.authority import Authority, Leaf
from shared.credentials.files import write_secret
from shared.credentials.grants import Grant, GrantRing, Scope, create_grant_keys
from shared.credentials.keys import load_or_create, publish
from shared.credentials.tokens import TokenSigner
from shared.refusal import Kind
from shared.rpc.channel import RemoteRefusal, open_channel
from shared.rpc.remote import remote_refusal
from shared.rpc.wire import money_pb, timestamp
from tests.support.databases import Databases
from tests.support.ports import claimed

Request = TypeVar("Request")
Answer = TypeVar("Answer")

BEGINNING = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
PATIENCE = 20.0


class Process:
    """One service in a process of its own, which tests may kill, stop and start again on the same port."""

    def __init__(self, service: str, settings: dict[str, object], log: Path) -> None:
        self.service = service
        self.port = claimed()
        self._log = log
        told = {**settings, "listen": f"127.0.0.1:{self.port}", "drain_notice_seconds": 0, "drain_seconds": 2}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("COALITION_")}
        self._environment = inherited | {
            f"COALITION_{service}_{name}".upper(): str(value) for name, value in told.items()
        }
        self._running: subprocess.Popen[bytes] | None = None

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Begin, without waiting: services may start in any order."""
        with self._log.open("ab") as log:
            command = [sys.executable, "-m", f"services.{self.service}.main"]
            self._running = subprocess.Popen(command, env=self._environment, cwd=ROOT, stdout=log, stderr=log)

    def listening(self) -> None:
        """Return once it takes connections."""
        give_up = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                assert self._running is not None
                assert self._running.poll() is None, f"{self.service} ended: {self.said()[-2000:]}"
                assert time.monotonic() < give_up, f"{self.service} does not listen: {self.said()[-2000:]}"
                time.sleep(0.05)
            else:
                return

    def send(self, number: signal.Signals) -> None:
        assert self._running is not None
        self._running.send_signal(number)

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        if self._running is not None:
            self._running.send_signal(number)
            self._running.wait(30)
            self._running = None

    def kill(self) -> None:
        self.end(signal.SIGKILL)

    def said(self) -> str:
        return self._log.read_text(errors="replace")


class Desk:
    """Somebody who calls the catalogue and what stands behind it."""

    def __init__(self, house: House, leaf: Leaf, partner: str = "") -> None:
        self.id = partner
        self.name = f"partners/{partner}"
        self._house = house
        channel, ledger = house.channel(house.catalogue, leaf), house.channel(house.ledger, leaf)
        self.rules = rpc.EarnRuleServiceStub(channel)
        self.purchases = rpc.PurchaseServiceStub(channel)
        self.ledger = ledger_rpc.LedgerServiceStub(ledger)
        self.partners = identity_rpc.PartnerServiceStub(house.channel(house.identity, leaf))

    def __call__(self, method: grpc.UnaryUnaryMultiCallable[Request, Answer], request: Request) -> Answer:
        return self.answered(method, request)[0]

    def answered(
        self, method: grpc.UnaryUnaryMultiCallable[Request, Answer], request: Request, timeout: float = PATIENCE
    ) -> tuple[Answer, bool]:
        """The answer, and whether it is the first answer again."""
        metadata = self.credentials()
        answer, finished = method.with_call(request, timeout=timeout, metadata=metadata, wait_for_ready=True)
        replay = any(key == "idempotent-replay" for key, _ in finished.trailing_metadata() or ())
        return answer, replay

    def credentials(self) -> tuple[tuple[str, str | bytes], ...]:
        """What goes with a call beside the certificate."""
        return (("authorization", f"Bearer {self._house.token(self.id)}"),) if self.id else ()

    def patiently(self, method: grpc.UnaryUnaryMultiCallable[Request, Answer], request: Request) -> Answer:
        """The answer that a caller gets who repeats while the refusal says that a repeat will help."""
        give_up = time.monotonic() + PATIENCE
        while True:
            try:
                return self(method, request)
            except grpc.RpcError as error:
                if remote_refusal(error).kind not in {Kind.CHANGED, Kind.DOWN} or time.monotonic() > give_up:
                    raise
                time.sleep(0.1)

    def refused(
        self, method: grpc.UnaryUnaryMultiCallable[Request, Answer], request: Request, timeout: float = PATIENCE
    ) -> RemoteRefusal:
        """The refusal that the call must meet."""
        with pytest.raises(grpc.RpcError) as caught:
            self.answered(method, request, timeout)
        return remote_refusal(caught.value)


class Till(Desk):
    """A partner's till."""

    def record(self, request: pb.RecordPurchaseRequest) -> pb.Purchase:
        return self(self.purchases.RecordPurchase, request)

    def record_all(self, requests: Sequence[pb.RecordPurchaseRequest]) -> list[pb.PurchaseResult]:
        return list(self(self.purchases.BatchRecordPurchases, pb.BatchRecordPurchasesRequest(items=requests)).results)

    def take_back(self, purchase: pb.Purchase, *lines: pb.ReturnedLine) -> pb.Refund:
        return self(self.purchases.RefundPurchase, return_of(purchase, *lines))

    def look_at(self, name: str) -> pb.Purchase:
        return self(self.purchases.GetPurchase, pb.GetPurchaseRequest(name=name))

    def purchase(
        self, *amounts: int | tuple[str, int], wallet: uuid.UUID | None = None, segments: tuple[str, ...] = ()
    ) -> pb.RecordPurchaseRequest:
        """A purchase that nobody has recorded yet: lines of so many cents."""
        wallet = wallet or uuid.uuid4()
        return pb.RecordPurchaseRequest(
            request_id=str(uuid.uuid4()), grant=self._house.grant(self.id, wallet, segments), receipt=receipt(*amounts)
        )

    def balance(self, wallet: uuid.UUID) -> ledger_pb.Balance:
        return self(self.ledger.GetBalance, ledger_pb.GetBalanceRequest(grant=self._house.grant(self.id, wallet)))


class House:
    """The running services and everybody who calls them."""

    def __init__(self, folder: Path, databases: Databases) -> None:
        self.folder = folder
        self.clock = SandboxClock(folder / "clock")
        self.clock.set(BEGINNING)
        self.authority = Authority.founded(folder / "authority")
        self._signing = load_or_create(folder / "signing.pem")
        publish(self._signing.public_key(), folder / "token-keys")
        create_grant_keys(folder / "grants.keys")
        load_or_create(folder / "checkpoints.pem")
        self.grants = GrantRing.from_file(folder / "grants.keys")
        self.databases = databases
        self.database = databases.fresh("catalogue")
        own: dict[str, object] = {"checkpoint_key_file": folder / "checkpoints.pem", "buckets": 8}
        self.ledger_database = databases.fresh("ledger")
        self.ledger = self.process("ledger", self.ledger_database | own)
        self.identity = self.process("identity", databases.fresh("identity") | self._identity_keys())
        targets: dict[str, object] = {
            "ledger_target": self.ledger.target,
            "identity_target": self.identity.target,
        }
        self.catalogue = self.process("catalogue", self.database | targets | {"heal_seconds": 1, "rules_seconds": 1})
        self._channels: list[grpc.Channel] = []
        for process in (self.catalogue, self.ledger, self.identity):
            process.start()
        for process in (self.catalogue, self.ledger, self.identity):
            process.listening()
        self.operator = Desk(self, self.authority.operator("anna"))

    def _identity_keys(self) -> dict[str, object]:
        names = ("master", "lookup", "pairwise")
        for name in names:
            write_secret(self.folder / name, os.urandom(32))
        files: dict[str, object] = {f"{name}_key_file": self.folder / name for name in names}
        return files | {"token_key_file": self.folder / "signing.pem"}

    def process(self, service: str, settings: dict[str, object]) -> Process:
        leaf = self.authority.service(service)
        files: dict[str, object] = {
            "ca_file": leaf.ca_file,
            "certificate_file": leaf.certificate_file,
            "key_file": leaf.key_file,
            "token_keys_folder": self.folder / "token-keys",
            "grant_keys_file": self.folder / "grants.keys",
            "clock_file": self.folder / "clock",
        }
        return Process(service, files | settings, self.folder / f"{service}.log")

    def channel(self, process: Process, leaf: Leaf) -> grpc.Channel:
        channel = open_channel(process.target, leaf.ca_file, leaf.certificate_file, leaf.key_file)
        self._channels.append(channel)
        return channel

    def token(self, partner: str) -> str:
        audience = ["catalogue", "ledger"]
        return TokenSigner(self._signing).sign(
            partner, audience, self.clock.now(), timedelta(minutes=10), str(uuid.uuid4())
        )

    def grant(self, partner: str, wallet: uuid.UUID, segments: tuple[str, ...] = ()) -> str:
        now = self.clock.now()
        return self.grants.seal(
            Grant(wallet, partner, Scope.AWARD, None, segments, now, now + timedelta(minutes=15), uuid.uuid4())
        )

    def till(self, *rules: pb.EarnRule) -> Till:
        """A partner that no other test knows, with rules in force; one point for each euro where none are given."""
        partner = self.partner()
        self.publish(partner, *rules or [base()])
        return Till(self, self.authority.partner(partner), partner)

    def partner(self) -> str:
        """A partner that no other test knows, without rules."""
        partner_id = f"p-{uuid.uuid4().hex[:12]}"
        shown = identity_pb.Partner(display_name="Corner shop")
        request = identity_pb.CreatePartnerRequest(partner_id=partner_id, partner=shown)
        self.operator(self.operator.partners.CreatePartner, request)
        return partner_id

    def publish(self, partner: str, *rules: pb.EarnRule, at: datetime = BEGINNING) -> pb.EarnRules:
        return self.operator(self.operator.rules.PublishEarnRules, publication(partner, *rules, at=at))

    def as_administrator(self, database: dict[str, object] | None = None) -> psycopg.Connection:
        """Of the catalogue's database, or another one."""
        name = str((database or self.database)["database_name"])
        return psycopg.connect(self.databases.cluster.address(name), autocommit=True)

    def close(self) -> None:
        for channel in self._channels:
            channel.close()
        for process in (self.catalogue, self.ledger, self.identity):
            process.end()


def publication(partner: str, *rules: pb.EarnRule, at: datetime = BEGINNING) -> pb.PublishEarnRulesRequest:
    return pb.PublishEarnRulesRequest(
        parent=f"partners/{partner}",
        request_id=str(uuid.uuid4()),
        earn_rules=pb.EarnRules(effective_from=timestamp(at), currency="EUR", rules=rules),
    )


def base(rate: str = "1", payer: str = "", condition: pb.EarnCondition | None = None) -> pb.EarnRule:
    return pb.EarnRule(rule_id="base", points_per_unit=DecimalMessage(value=rate), payer=payer, condition=condition)


def euros(cents: int) -> Money:
    return money_pb(cents, "EUR")


def receipt(*amounts: int | tuple[str, int], number: str = "", at: datetime | None = None) -> pb.Receipt:
    named = [amount if isinstance(amount, tuple) else ("", amount) for amount in amounts]
    return pb.Receipt(
        store="1",
        terminal="1",
        business_date=Date(year=2026, month=3, day=1),
        receipt_no=number or uuid.uuid4().hex,
        lines=[
            pb.PurchaseLine(line_no=line_no, category=category, amount=euros(cents))
            for line_no, (category, cents) in enumerate(named, start=1)
        ],
        occurred_at=_optional(at),
    )


def return_of(purchase: pb.Purchase, *lines: pb.ReturnedLine) -> pb.RefundPurchaseRequest:
    return pb.RefundPurchaseRequest(request_id=str(uuid.uuid4()), name=purchase.name, lines=lines)


def back(line_no: int, cents: int | None = None) -> pb.ReturnedLine:
    return pb.ReturnedLine(line_no=line_no, amount=None if cents is None else euros(cents))


def reason_of(status: Status) -> str:
    """The reason of a refusal inside a batch."""
    info = ErrorInfo()
    assert status.details[0].Unpack(info)
    return info.reason


def parts_of(message: pb.Purchase | pb.RatePurchaseResponse) -> dict[str, int]:
    return {part.payer: part.points for part in message.attributions}


def _optional(at: datetime | None) -> Timestamp | None:
    return timestamp(at) if at else None
