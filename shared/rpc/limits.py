"""How much at once, how large, how often: the limits of a server, and the check that keeps its callers to a rate."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.refusal import Kind, Refusal
from shared.rpc.call import CallContext
from shared.rpc.caller import CallerUnknown

_MOST_REMEMBERED = 20_000
_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What one server takes. Methods are named in full: `/coalition.ledger.v1.LedgerService/AwardPoints`.

    `waiting_calls`: calls at once, where they wait on an event loop and only those that block take a thread; 0 where
    each call takes one.
    """

    threads: int = 16
    waiting_calls: int = 0
    max_message_bytes: int = 4 * 1024 * 1024
    per_method_bytes: Mapping[str, int] = field(default_factory=dict)
    default_method_bytes: int = 64 * 1024

    def bytes_for(self, method: str) -> int:
        """How large one request message of the method may be."""
        return min(self.per_method_bytes.get(method, self.default_method_bytes), self.max_message_bytes)


class RateLimited(Refusal):
    """The caller asks more often than agreed."""

    kind = Kind.TOO_MUCH
    message = "{resource} calls {method} more than {per_second} times per second."
    remedy = "Wait {retry_after_ms} ms, then repeat the call with the same request id."


class RateLimit:
    """The check: the generic cell rate algorithm, one cell per caller and method, in this process.

    A cell is the instant at which the caller would be even; who is ahead of it by more than the burst is refused.
    """

    def __init__(self, per_second: int, burst: int) -> None:
        self._per_second = per_second
        self._interval = _SECOND // per_second
        self._ahead = self._interval * burst
        self._lock = threading.Lock()
        self._even: dict[tuple[str, str], int] = {}

    def __call__(self, call: CallContext) -> None:
        if call.caller is None:
            raise CallerUnknown
        wait = self._take(call.caller.principal, call.method)
        if wait:
            raise RateLimited(
                resource=call.caller.principal,
                method=call.method,
                per_second=self._per_second,
                retry_after_ms=-(-wait // 1_000_000),
            )

    def _take(self, principal: str, method: str) -> int:
        """Nanoseconds to wait; none when the call is within the rate."""
        now = time.monotonic_ns()
        with self._lock:
            even = max(self._even.get((principal, method), now), now) + self._interval
            if even - now > self._ahead:
                return even - now - self._ahead
            self._even[principal, method] = even
            if len(self._even) > _MOST_REMEMBERED:
                self._even = {cell: instant for cell, instant in self._even.items() if instant > now}
        return 0
