"""Bad messages for every RPC of the ledger: whatever comes, it says what is wrong, and goes on.

python -m tests.fuzz.run --messages 10000 --seed 1      a platform of its own is started and stopped
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import psutil
from coalition.ledger.v1 import ledger_pb2 as pb
from coalition.ledger.v1 import peers_pb2
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

from services.ledger.access import ACCESS
from services.sandbox.clients import channel
from shared.rpc.caller import Role
from tests.fuzz.junk import Junk
from tests.ledger.till import Till, award, hold, points, redeem, till_of
from tests.support.platform import RunningPlatform, platform_in

MOST_GROWTH_MIB = 50
_AT_ONCE = 64
_SECONDS = 60.0
_NEVER = frozenset({grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNIMPLEMENTED})
_WARM_UP = 200
_MIB = 1024 * 1024
_SIGNS = ("Traceback", "unexpected failure", '"event": "bug"', "posting failed")


@dataclass
class Result:
    """What one method said to all of it."""

    codes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


@dataclass
class Report:
    """What the run found. `sound` when nothing is to be complained of."""

    seed: int
    messages: int
    methods: dict[str, Result] = field(default_factory=dict)
    growth_mib: float = 0.0
    traces: list[str] = field(default_factory=list)
    good_calls: bool = False

    @property
    def sound(self) -> bool:
        quiet = not self.traces and not any(result.wrong for result in self.methods.values())
        return quiet and self.good_calls and self.growth_mib < MOST_GROWTH_MIB


def methods() -> Mapping[str, MethodDescriptor]:
    """By full name, those of the ledger's contracts."""
    services = [pb.DESCRIPTOR.services_by_name["LedgerService"], peers_pb2.DESCRIPTOR.services_by_name["PeerService"]]
    return {f"/{service.full_name}/{method.name}": method for service in services for method in service.methods}


def fuzz(platform: RunningPlatform, seed: int, messages: int, say: Callable[[str], None] = print) -> Report:
    """Every method in turn, by a caller that may call it; after each the next good call must work."""
    till, report = till_of(platform), Report(seed, messages)
    till.award(till.grant(), 1)
    lines = {
        Role.PARTNER: till.partner.calls.channel("ledger"),
        Role.OPERATOR: platform.operator.channel("ledger"),
        Role.LEDGER: channel(platform.sandbox.targets["ledger"], platform.sandbox.authority.service("ledger")),
    }
    for name, method in methods().items():  # what is made once and kept is no growth
        warm = Junk(method.input_type, f"{seed} warm", _good(till, name))
        _send(lines[_role(name)], name, method, warm, min(messages, _WARM_UP))
    process = psutil.Process(_pid(platform))
    before = process.memory_info().rss
    for name, method in methods().items():
        junk = Junk(method.input_type, f"{seed} {name}", _good(till, name))
        began = time.monotonic()
        report.methods[name] = result = _send(lines[_role(name)], name, method, junk, messages)
        report.good_calls = _works(till)
        say(f"{name.rpartition('/')[2]:24} {messages / (time.monotonic() - began):8,.0f}/s  {dict(result.codes)}")
        if not report.good_calls:
            break
    report.growth_mib = (process.memory_info().rss - before) / _MIB
    report.traces = _traces(platform.home.logs / "ledger.log")
    return report


def _send(line: grpc.Channel, name: str, method: MethodDescriptor, junk: Junk, count: int) -> Result:
    result, room, lock = Result(), threading.Semaphore(_AT_ONCE), threading.Lock()

    def count_one(code: grpc.StatusCode | None, text: str, content: bytes) -> None:
        with lock:
            result.codes[code.name if code else "OK"] += 1
            if code in _NEVER:
                result.wrong.append(f"{code} {text} to {content[:200].hex()}")

    streams = method.server_streaming or method.client_streaming
    unary = line.unary_unary(name, lambda content: content, lambda content: content)
    for content in junk.messages(count):
        if streams:
            count_one(*_streamed(line, name, method, content), content)
            continue
        room.acquire()
        call = unary.future(content, timeout=_SECONDS)

        def over(done: grpc.Future[bytes], content: bytes = content) -> None:
            error = done.exception() if not done.cancelled() else None
            count_one(error.code() if error else None, error.details() or "" if error else "", content)  # type: ignore[attr-defined]
            room.release()

        call.add_done_callback(over)
    for _ in range(_AT_ONCE):
        room.acquire()
    return result


def _streamed(
    line: grpc.Channel, name: str, method: MethodDescriptor, content: bytes
) -> tuple[grpc.StatusCode | None, str]:
    """The first answer counts; whoever has seen it wants no more."""

    def same(raw: bytes) -> bytes:
        return raw

    if method.client_streaming:
        call = line.stream_stream(name, same, same)(iter([content]), timeout=_SECONDS)
    else:
        call = line.unary_stream(name, same, same)(content, timeout=_SECONDS)
    try:
        next(iter(call), None)
    except grpc.RpcError as error:
        return error.code(), error.details() or ""
    finally:
        call.cancel()
    return None, ""


def _role(method: str) -> Role:
    return next(role for role in (Role.PARTNER, Role.OPERATOR, Role.LEDGER) if role in ACCESS[method])


def _good(till: Till, name: str) -> Message | None:
    """A request that would do, for the methods where most mistakes are made."""
    grant = till.grant()
    match name.rpartition("/")[2]:
        case "AwardPoints":
            return award(grant, 5)
        case "BatchAwardPoints" | "StreamAwardPoints":
            return pb.BatchAwardPointsRequest(items=[award(grant, 5)]) if "Batch" in name else None
        case "HoldPoints":
            return hold(grant, 5)
        case "RedeemPoints":
            return redeem(grant, 5)
        case "GetBalance":
            return pb.GetBalanceRequest(grant=grant)
        case "ListEntries":
            return pb.ListEntriesRequest(parent=till.partner.name, grant=grant)
        case _:
            return None


def _works(till: Till) -> bool:
    grant = till.grant()
    return till.award(grant, 7).balance == points(7) and till.redeem(grant, 7).balance == points()


def _pid(platform: RunningPlatform) -> int:
    return int(json.loads((platform.home.run / "ledger.json").read_text())["pid"])


def _traces(log: Path) -> list[str]:
    return [line[:500] for line in _lines(log) if any(sign in line for sign in _SIGNS)]


def _lines(log: Path) -> Iterator[str]:
    with log.open(encoding="utf-8", errors="replace") as lines:
        yield from lines


def main() -> int:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=10_000, help="for each RPC")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    given = parser.parse_args()
    print(f"seed {given.seed}")
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder, platform_in(Path(folder)) as platform:
        report = fuzz(platform, given.seed, given.messages)
    for name, result in report.methods.items():
        for wrong in result.wrong[:5]:
            print(f"WRONG {name}: {wrong}")
    for trace in report.traces[:10]:
        print(f"TRACE {trace}")
    sent = sum(sum(result.codes.values()) for result in report.methods.values())
    print(f"{sent:,} messages, {len(report.methods)} methods, memory grew by {report.growth_mib:.1f} MiB")
    print("sound" if report.sound else f"NOT SOUND; repeat with --seed {report.seed}")
    return 0 if report.sound else 1


if __name__ == "__main__":
    sys.exit(main())
