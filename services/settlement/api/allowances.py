"""The one who tells the ledger how many points each capped issuer may still award: after each page that was counted.

What the ledger could not be told stays in its row and is told again: until then the old limit holds (F22).
"""

from __future__ import annotations

import threading

import grpc
from coalition.ledger.v1 import ledger_pb2 as pb
from coalition.ledger.v1 import ledger_pb2_grpc as rpc

from services.settlement.api.bell import Bell
from services.settlement.store import allowances
from services.settlement.store.allowances import Allowance
from shared.clock import Clock
from shared.db.sessions import Sessions
from shared.log import get_logger
from shared.refusal import Kind, Refusal
from shared.rpc.channel import call
from shared.rpc.remote import RemoteRefusal

log = get_logger()

_SECONDS = 60.0
_CALL_SECONDS = 10.0
_PAUSE_SECONDS = 0.5
_LOOK_SECONDS = 5.0
"""Positions also move by settling, by suspending and by approving: nobody rings for those."""


class AllowanceTeller:
    """A thread; any number of them may run."""

    def __init__(self, sessions: Sessions, channel: grpc.Channel, clock: Clock) -> None:
        self._sessions = sessions
        self._stub = rpc.LedgerServiceStub(channel)
        self._clock = clock
        self._bell = Bell()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="allowances", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._bell.ring()
        if self._thread.is_alive():
            self._thread.join(timeout=_SECONDS)

    def hurry(self) -> None:
        """Something was counted, or decided."""
        self._bell.ring()

    def step(self) -> None:
        """Set the limits that follow from what is counted, then tell what was not told. Raises RemoteRefusal."""
        with self._sessions.reading(_SECONDS) as connection:
            if not allowances.wanted(connection):
                return
        with self._sessions.writing(_SECONDS) as connection:
            allowances.lock(connection)
            with self._sessions.snapshot(_SECONDS) as moment:
                found = allowances.limits(moment, self._clock.now())
            allowances.set_all(connection, found, self._clock.now())
        with self._sessions.reading(_SECONDS) as connection:
            waiting = allowances.untold(connection)
        for one in waiting:
            self._tell(one)

    def _tell(self, one: Allowance) -> None:
        request = pb.SetAwardAllowanceRequest(partner=one.partner, revision=one.revision, limit_points=one.limit_points)
        try:
            call(self._stub.SetAwardAllowance, request, timeout=_CALL_SECONDS)
        except RemoteRefusal as refusal:
            if refusal.reason != "ALLOWANCE_CHANGED":
                raise
            with self._sessions.writing(_SECONDS) as connection:
                allowances.overtake(connection, one.partner, int(refusal.metadata["revision"]))
            self._bell.ring()
            return
        with self._sessions.writing(_SECONDS) as connection:
            allowances.told(connection, one, self._clock.now())

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.step()
            except Refusal as refusal:
                if refusal.kind is not Kind.DOWN:
                    log.warning("allowance not told", reason=refusal.reason)
                self._stopping.wait(_PAUSE_SECONDS)
            except Exception:
                log.exception("allowance not told")
                self._stopping.wait(_PAUSE_SECONDS)
            self._bell.wait_for(lambda: False, _LOOK_SECONDS)
            self._bell.heard()
