"""Bad messages for every RPC of settlement, from a person of each duty and from a partner."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import grpc
import psutil
from coalition.settlement.v1 import reconciliation_pb2, settlement_pb2
from coalition.settlement.v1.approvals_pb2 import GetProposalRequest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

from services.sandbox.clients import Calls
from services.settlement.access import ACCESS
from services.settlement.domain.duties import Duty
from services.settlement.duties import DUTIES
from services.settlement.main import CONTRACTS
from shared.rpc.caller import Role
from tests.fuzz import stage
from tests.fuzz.junk import Junk
from tests.fuzz.likely import Likely
from tests.fuzz.report import Report
from tests.fuzz.sending import Result, pid_of, send, traces
from tests.journeys.story import SECONDS, fresh_id
from tests.settlement.control.test_approvals import rates
from tests.support.platform import Partner, RunningPlatform

NAME: Final = "settlement"
_AT_ONCE: Final = 16
"""As many as it has threads: more are refused unread."""
_STRANGERS: Final = 10
"""Of ten messages of those who may call a method, one by each who may not: that is refused before it is read."""


def methods() -> Mapping[str, MethodDescriptor]:
    """By full name, those of settlement's contracts."""
    services = [service for file in CONTRACTS for service in file.DESCRIPTOR.services_by_name.values()]
    return {f"/{service.full_name}/{method.name}": method for service in services for method in service.methods}


def fuzz(platform: RunningPlatform, seed: int, messages: int, say: Callable[[str], None] = print) -> Report:
    """Every method in turn. So many to each are shared by those who may call it; half of them keep its contract.

    The platform has the duties of `stage.share_duties`. After each method the next good call must work.
    """
    partner, report = stage.set_up(platform), Report(seed, messages)
    callers = _callers(platform, partner)
    process = psutil.Process(pid_of(platform, NAME))
    before = process.memory_info().rss
    for name, method in methods().items():
        began, result = time.monotonic(), Result()
        kinds = _Kinds(platform, method, f"{seed} {name}", stage.found(platform, methods(), partner))
        allowed = {caller for caller in callers if may(caller, name)}
        for caller, line in callers.items():
            share = messages // len(allowed) if caller in allowed else messages // _STRANGERS
            result += send(line, name, method, kinds.messages(caller, max(1, share)), _AT_ONCE)
        report.methods[name] = result
        report.good_calls = _works(platform, partner)
        say(f"{method.name:24} {result.codes.total() / (time.monotonic() - began):8,.0f}/s  {dict(result.codes)}")
        if not report.good_calls:
            break
    report.growth_mib = (process.memory_info().rss - before) / 2**20
    report.traces = traces(platform.home.logs / f"{NAME}.log")
    return report


def may(caller: Duty | Role, name: str) -> bool:
    """Whether this is the caller's to call."""
    if isinstance(caller, Duty):
        return Role.OPERATOR in ACCESS[name] and caller in DUTIES[name]
    return caller in ACCESS[name]


class _Kinds:
    """The messages of one method, for one caller after the other."""

    def __init__(self, platform: RunningPlatform, method: MethodDescriptor, seed: str, found: set[str | bytes]) -> None:
        self._method = method
        self._seed = seed
        self._likely = Likely(method.input_type, seed, sorted(found, key=repr))
        self._papers = list(stage.papers(platform)) if method.name == "ImportBankFile" else []

    def messages(self, caller: Duty | Role, count: int) -> Iterator[bytes]:
        """First those that keep the contract, then junk made of them."""
        likely = [*self._imports(), *self._likely.requests(max(1, count // 2))]
        yield from (one.SerializeToString() for one in likely[: count // 2])
        yield from Junk(self._method.input_type, f"{self._seed} {caller}", likely).messages(count - count // 2)

    def _imports(self) -> Iterator[Message]:
        for content in self._papers:
            yield reconciliation_pb2.ImportBankFileRequest(request_id=fresh_id(), file_name="a.xml", content=content)


def _callers(platform: RunningPlatform, partner: Partner) -> Mapping[Duty | Role, grpc.Channel]:
    sandbox = platform.sandbox
    people = {duty: Calls(sandbox.targets, sandbox.authority.operator(stage.person(duty))) for duty in Duty}
    return {
        **{duty: calls.channel(NAME) for duty, calls in people.items()},
        Role.PARTNER: partner.calls.channel(NAME),
    }


def _works(platform: RunningPlatform, partner: Partner) -> bool:
    """Who reads is answered, and so is who writes: a set of rates is proposed, and the colleague reads it."""
    window = platform.operator.windows.GetWindow(settlement_pb2.GetWindowRequest(name="windows/1"), timeout=SECONDS)
    asked = settlement_pb2.ListStatementsRequest(parent=partner.name)
    statements = partner.calls.statements.ListStatements(asked, timeout=SECONDS).statements
    made = platform.operator.reference.LoadFxSet(rates(USD="1.08"), timeout=SECONDS)
    read = platform.colleague.approvals.GetProposal(GetProposalRequest(name=made.proposal), timeout=SECONDS)
    return window.name == "windows/1" and bool(statements) and read.name == made.proposal
