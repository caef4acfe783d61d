"""How the sandbox itself speaks to the services: like any client, over mTLS, as an operator or as a partner."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final

import grpc
from coalition.catalogue.v1 import catalogue_pb2_grpc as catalogue
from coalition.identity.v1 import identity_pb2 as identity_pb
from coalition.identity.v1 import identity_pb2_grpc as identity
from coalition.ledger.v1 import ledger_pb2_grpc as ledger
from coalition.settlement.v1 import approvals_pb2_grpc as approvals_rpc
from coalition.settlement.v1 import batches_pb2_grpc as batches_rpc
from coalition.settlement.v1 import corrections_pb2_grpc as corrections_rpc
from coalition.settlement.v1 import funding_pb2_grpc as funding_rpc
from coalition.settlement.v1 import payments_pb2_grpc as payments_rpc
from coalition.settlement.v1 import proofs_pb2_grpc as proofs_rpc
from coalition.settlement.v1 import reconciliation_pb2_grpc as reconciliation_rpc
from coalition.settlement.v1 import reference_pb2_grpc as reference_rpc
from coalition.settlement.v1 import reports_pb2_grpc as reports_rpc
from coalition.settlement.v1 import settlement_pb2_grpc as settlement
from coalition.settlement.v1 import steps_pb2_grpc as steps_rpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from shared.credentials.authority import Leaf
from shared.rpc.channel import open_channel
from shared.rpc.remote import remote_refusal
from shared.rpc.tls import channel_credentials
from shared.rpc.wire import instant

_OPTIONS: Final = (
    ("grpc.max_receive_message_length", 16 * 1024 * 1024),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    ("grpc.use_local_subchannel_pool", 1),
)
_IMPATIENT: Final = (
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 50),
    ("grpc.use_local_subchannel_pool", 1),
)
_MARGIN: Final = timedelta(minutes=1)


def channel(target: str, leaf: Leaf, token: Callable[[], str] | None = None) -> grpc.Channel:
    """A connection as the one whom the certificate names; a partner's calls also carry a token."""
    if token is None:
        return open_channel(target, leaf.ca_file, leaf.certificate_file, leaf.key_file)
    credentials = grpc.composite_channel_credentials(
        channel_credentials(leaf.ca_file, leaf.certificate_file, leaf.key_file),
        grpc.metadata_call_credentials(Bearer(token)),
    )
    return grpc.secure_channel(target, credentials, options=_OPTIONS)


def healthy(target: str, leaf: Leaf, timeout: float) -> str:
    """Empty when the service says that it is serving; else what it says instead. Waits for one that is starting."""
    credentials = channel_credentials(leaf.ca_file, leaf.certificate_file, leaf.key_file)
    with grpc.secure_channel(target, credentials, options=_IMPATIENT) as connection:
        check = connection.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=HealthCheckRequest.SerializeToString,
            response_deserializer=HealthCheckResponse.FromString,
        )
        try:
            answer: HealthCheckResponse = check(HealthCheckRequest(), timeout=timeout, wait_for_ready=True)
        except grpc.RpcError as error:
            return str(remote_refusal(error))
    serving = answer.status == HealthCheckResponse.SERVING
    return "" if serving else "it is not ready: its log says why"


class Calls:
    """Typed stubs of all services for one caller. Connections are made when they are first used."""

    def __init__(self, targets: Mapping[str, str], leaf: Leaf, token: Callable[[], str] | None = None) -> None:
        self._targets = targets
        self._leaf = leaf
        self._token = token
        self._channels: dict[str, grpc.Channel] = {}
        self._lock = threading.Lock()

    def channel(self, service: str) -> grpc.Channel:
        """The connection to a service; calls on it carry the partner's token."""
        with self._lock:
            if service not in self._channels:
                opened = channel(self._targets[service], self._leaf, self._token)
                self._channels[service] = opened
            return self._channels[service]

    def close(self) -> None:
        """Let all connections go."""
        with self._lock:
            for opened in self._channels.values():
                opened.close()

    @cached_property
    def partners(self) -> identity.PartnerServiceStub:
        """identity: partners, stores, credentials."""
        return identity.PartnerServiceStub(self.channel("identity"))

    @cached_property
    def tokens(self) -> identity.TokenServiceStub:
        """identity: access tokens."""
        return identity.TokenServiceStub(self.channel("identity"))

    @cached_property
    def members(self) -> identity.MemberServiceStub:
        """identity: members and grants."""
        return identity.MemberServiceStub(self.channel("identity"))

    @cached_property
    def ledger(self) -> ledger.LedgerServiceStub:
        """ledger: points and the journal."""
        return ledger.LedgerServiceStub(self.channel("ledger"))

    @cached_property
    def earn_rules(self) -> catalogue.EarnRuleServiceStub:
        """catalogue: earn rules."""
        return catalogue.EarnRuleServiceStub(self.channel("catalogue"))

    @cached_property
    def purchases(self) -> catalogue.PurchaseServiceStub:
        """catalogue: purchases."""
        return catalogue.PurchaseServiceStub(self.channel("catalogue"))

    @cached_property
    def contracts(self) -> settlement.ContractServiceStub:
        """settlement: contracts."""
        return settlement.ContractServiceStub(self.channel("settlement"))

    @cached_property
    def windows(self) -> settlement.WindowServiceStub:
        """settlement: windows."""
        return settlement.WindowServiceStub(self.channel("settlement"))

    @cached_property
    def approvals(self) -> approvals_rpc.ApprovalServiceStub:
        """settlement: what waits for a second person."""
        return approvals_rpc.ApprovalServiceStub(self.channel("settlement"))

    @cached_property
    def reference(self) -> reference_rpc.ReferenceServiceStub:
        """settlement: calendars, sets of rates, models."""
        return reference_rpc.ReferenceServiceStub(self.channel("settlement"))

    @cached_property
    def steps(self) -> steps_rpc.StepServiceStub:
        """settlement: long work."""
        return steps_rpc.StepServiceStub(self.channel("settlement"))

    @cached_property
    def batches(self) -> batches_rpc.BatchServiceStub:
        """settlement: batches."""
        return batches_rpc.BatchServiceStub(self.channel("settlement"))

    @cached_property
    def caps(self) -> batches_rpc.CapServiceStub:
        """settlement: caps."""
        return batches_rpc.CapServiceStub(self.channel("settlement"))

    @cached_property
    def bank_accounts(self) -> payments_rpc.BankAccountServiceStub:
        """settlement: bank accounts."""
        return payments_rpc.BankAccountServiceStub(self.channel("settlement"))

    @cached_property
    def payments(self) -> payments_rpc.PaymentServiceStub:
        """settlement: instructions and files."""
        return payments_rpc.PaymentServiceStub(self.channel("settlement"))

    @cached_property
    def reconciliation(self) -> reconciliation_rpc.ReconciliationServiceStub:
        """settlement: what the bank says."""
        return reconciliation_rpc.ReconciliationServiceStub(self.channel("settlement"))

    @cached_property
    def corrections(self) -> corrections_rpc.CorrectionServiceStub:
        """settlement: adjustments and disputes."""
        return corrections_rpc.CorrectionServiceStub(self.channel("settlement"))

    @cached_property
    def proofs(self) -> proofs_rpc.ProofServiceStub:
        """What proves and explains settlement's books."""
        return proofs_rpc.ProofServiceStub(self.channel("settlement"))

    @cached_property
    def funding(self) -> funding_rpc.FundingServiceStub:
        """settlement: what can be paid, and the operator's own money."""
        return funding_rpc.FundingServiceStub(self.channel("settlement"))

    @cached_property
    def reports(self) -> reports_rpc.ReportServiceStub:
        """settlement: reports."""
        return reports_rpc.ReportServiceStub(self.channel("settlement"))

    @cached_property
    def statements(self) -> settlement.StatementServiceStub:
        """settlement: statements."""
        return settlement.StatementServiceStub(self.channel("settlement"))


class Bearer(grpc.AuthMetadataPlugin):
    """Sends the partner's access token with each call."""

    def __init__(self, token: Callable[[], str]) -> None:
        self._token = token

    def __call__(self, context: grpc.AuthMetadataContext, callback: grpc.AuthMetadataPluginCallback) -> None:
        """gRPC asks once per call, on a thread of its own."""
        try:
            token = self._token()
        except grpc.RpcError as error:
            callback((), error)
        else:
            callback((("authorization", f"Bearer {token}"),), None)


class Token:
    """A partner's access token, fetched when it is needed and again before it ends, by the sandbox's time."""

    def __init__(self, fetch: Callable[[], identity_pb.IssueTokenResponse], now: Callable[[], datetime]) -> None:
        self._fetch = fetch
        self._now = now
        self._lock = threading.Lock()
        self._token = ""
        self._good: tuple[datetime, datetime] | None = None

    def __call__(self) -> str:
        """A token that is good now, also when the clock was moved back."""
        with self._lock:
            now = self._now()
            if self._good is None or not self._good[0] <= now < self._good[1] - _MARGIN:
                answer = self._fetch()
                self._token = answer.access_token
                self._good = (now, instant(answer.expire_time))
            return self._token
