"""Bytes to a method, many at once, and what it said to them."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import grpc
from google.protobuf.descriptor import MethodDescriptor

from services.sandbox.processes import recorded
from tests.support.platform import RunningPlatform

AT_ONCE: Final = 64
SECONDS: Final = 60.0
_NEVER = frozenset({grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNIMPLEMENTED})
_SIGNS = ("Traceback", "unexpected failure", '"event": "bug"', "posting failed")


@dataclass
class Result:
    """What one method said to all of it."""

    codes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def __iadd__(self, other: Result) -> Result:
        self.codes += other.codes
        self.wrong += other.wrong
        return self


def send(
    line: grpc.Channel, name: str, method: MethodDescriptor, contents: Iterable[bytes], at_once: int = AT_ONCE
) -> Result:
    """Send them all, so many under way at once, and wait for the answers. Of a stream one at a time."""
    result, room, lock = Result(), threading.Semaphore(at_once), threading.Lock()

    def count_one(code: grpc.StatusCode | None, text: str, content: bytes) -> None:
        with lock:
            result.codes[code.name if code else "OK"] += 1
            if code in _NEVER:
                result.wrong.append(f"{code} {text} to {content[:200].hex()}")

    streams = method.server_streaming or method.client_streaming
    unary = line.unary_unary(name, lambda content: content, lambda content: content)
    for content in contents:
        if streams:
            count_one(*_streamed(line, name, method, content), content)
            continue
        room.acquire()
        call = unary.future(content, timeout=SECONDS)

        def over(done: grpc.Future[bytes], content: bytes = content) -> None:
            error = done.exception() if not done.cancelled() else None
            count_one(error.code() if error else None, error.details() or "" if error else "", content)  # type: ignore[attr-defined]
            room.release()

        call.add_done_callback(over)
    for _ in range(at_once):
        room.acquire()
    return result


def pid_of(platform: RunningPlatform, service: str) -> int:
    """The process of a service."""
    record = recorded(service, platform.home.run)
    assert record is not None, f"{service} does not run"
    return record.pid


def traces(log: Path) -> list[str]:
    """The lines of a log that tell of a mistake of ours."""
    return [line[:500] for line in _lines(log) if any(sign in line for sign in _SIGNS)]


def _streamed(
    line: grpc.Channel, name: str, method: MethodDescriptor, content: bytes
) -> tuple[grpc.StatusCode | None, str]:
    """The first answer counts; whoever has seen it wants no more."""

    def same(raw: bytes) -> bytes:
        return raw

    if method.client_streaming:
        call = line.stream_stream(name, same, same)(iter([content]), timeout=SECONDS)
    else:
        call = line.unary_stream(name, same, same)(content, timeout=SECONDS)
    try:
        next(iter(call), None)
    except grpc.RpcError as error:
        return error.code(), error.details() or ""
    finally:
        call.cancel()
    return None, ""


def _lines(log: Path) -> Iterator[str]:
    with log.open(encoding="utf-8", errors="replace") as lines:
        yield from lines
