"""Bad messages for every RPC of the ledger, each from a caller that may call it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import psutil
from coalition.ledger.v1 import ledger_pb2 as pb
from coalition.ledger.v1 import peers_pb2
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

from services.ledger.access import ACCESS
from services.sandbox.clients import channel
from shared.rpc.caller import Role
from tests.fuzz.junk import Junk
from tests.fuzz.likely import Likely
from tests.fuzz.report import Report
from tests.fuzz.sending import pid_of, send, traces
from tests.fuzz.working import work
from tests.ledger.till import Till, award, hold, points, redeem, till_of
from tests.support.platform import RunningPlatform

NAME: Final = "ledger"
_MIB = 1024 * 1024
_LIKELY: Final = 10
"""Of so many messages one keeps the contract."""
_READS_ALL: Final = "VerifyJournal"
_GUESSED = (
    "checkpoints/latest",
    "checkpoints/1",
    "adjustments/1-00000000-0000-0000-0000-000000000000",
    "partners/nobody/entries/99999-999999999999999999",
    "partners/nobody/holds/63-9223372036854775807",
)


def methods() -> Mapping[str, MethodDescriptor]:
    """By full name, those of the ledger's contracts; first the one that reads all that the others write."""
    services = [pb.DESCRIPTOR.services_by_name["LedgerService"], peers_pb2.DESCRIPTOR.services_by_name["PeerService"]]
    found = [(f"/{service.full_name}/{method.name}", method) for service in services for method in service.methods]
    return dict(sorted(found, key=lambda one: one[1].name != _READS_ALL))


def fuzz(platform: RunningPlatform, seed: int, messages: int, say: Callable[[str], None] = print) -> Report:
    """Every method in turn; after each the next good call must work.

    Memory is measured from where the good calls of a busy day have brought it: see `working`.
    """
    till, report = till_of(platform), Report(seed, messages)
    lines = {
        Role.PARTNER: till.partner.calls.channel(NAME),
        Role.OPERATOR: platform.operator.channel(NAME),
        Role.LEDGER: channel(platform.sandbox.targets[NAME], platform.sandbox.authority.service(NAME)),
    }
    process = psutil.Process(pid_of(platform, NAME))
    began_with = process.memory_info().rss
    work(till, lines[Role.PARTNER], lines[Role.OPERATOR], messages)
    before = process.memory_info().rss
    say(f"good calls brought it from {began_with / _MIB:.1f} to {before / _MIB:.1f} MiB")
    for name, method in methods().items():
        began = time.monotonic()
        contents = _messages(till, method, name, f"{seed} {name}", messages)
        report.methods[name] = result = send(lines[_role(name)], name, method, contents)
        report.good_calls = _works(till)
        rate, growth = messages / (time.monotonic() - began), (process.memory_info().rss - before) / _MIB
        say(f"{method.name:20} {rate:8,.0f}/s {growth:6.1f} MiB  {dict(result.codes)}")
        if not report.good_calls:
            break
    report.growth_mib = (process.memory_info().rss - before) / _MIB
    report.traces = traces(platform.home.logs / f"{NAME}.log")
    return report


def _role(method: str) -> Role:
    return next(role for role in (Role.PARTNER, Role.OPERATOR, Role.LEDGER) if role in ACCESS[method])


def _messages(till: Till, method: MethodDescriptor, name: str, seed: str, count: int) -> Iterator[bytes]:
    """A tenth keeps the contract and means nothing, the rest is junk, half of it made of the former."""
    grants = [till.grant() for _ in range(3)]
    entries = [till.award(grant, 9).name for grant in grants]
    held = till.hold(grants[0], 2).name
    found = [*grants, *entries, held, till.partner.name, *_GUESSED]
    likely = Likely(method.input_type, seed, found).requests(count // _LIKELY)
    yield from (one.SerializeToString() for one in likely)
    yield from Junk(method.input_type, seed, [*_good(till, name), *likely]).messages(count - len(likely))


def _good(till: Till, name: str) -> list[Message]:
    """A request that would do, for the methods where most mistakes are made."""
    grant = till.grant()
    match name.rpartition("/")[2]:
        case "AwardPoints":
            return [award(grant, 5)]
        case "BatchAwardPoints":
            return [pb.BatchAwardPointsRequest(items=[award(grant, 5)])]
        case "HoldPoints":
            return [hold(grant, 5)]
        case "RedeemPoints":
            return [redeem(grant, 5)]
        case "GetBalance":
            return [pb.GetBalanceRequest(grant=grant)]
        case "ListEntries":
            return [pb.ListEntriesRequest(parent=till.partner.name, grant=grant)]
        case _:
            return []


def _works(till: Till) -> bool:
    grant = till.grant()
    return till.award(grant, 7).balance == points(7) and till.redeem(grant, 7).balance == points()
