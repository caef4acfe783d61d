"""Calls that take long, with a sign of life on stderr: what is being done, and for how long already."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TypeVar

import grpc

from shared.rpc.channel import calling_metadata
from shared.rpc.remote import remote_refusal

Request = TypeVar("Request", contravariant=True)
Response = TypeVar("Response")
_LOOK_SECONDS = 1.0


def patiently(
    method: grpc.UnaryUnaryMultiCallable[Request, Response], request: Request, doing: str, *, timeout: float
) -> Response:
    """The answer, or the callee's refusal; what takes less than a second says nothing."""
    running = method.future(request, timeout=timeout, metadata=calling_metadata())
    return awaited(running, lambda seconds: f"{doing} for {seconds:,.0f} s")


def awaited(running: grpc.Future[Response], told: Callable[[float], str]) -> Response:
    """As `patiently`, of a call that was begun; `told` says how it stands after so many seconds."""
    began, said = time.monotonic(), False
    while True:
        try:
            answer: Response = running.result(timeout=_LOOK_SECONDS)
        except grpc.FutureTimeoutError:
            print(f"\r{told(time.monotonic() - began)}", end="", file=sys.stderr, flush=True)
            said = True
        except grpc.RpcError as error:
            raise remote_refusal(error) from error
        else:
            if said:
                print(file=sys.stderr)
            return answer
