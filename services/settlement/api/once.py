"""A write that counts once: the first answer's name for a repeat, REQUEST_ID_REUSED for another meaning."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from uuid import UUID

import grpc
from sqlalchemy import Connection

from services.settlement.store import requests
from shared.canonical import Canonical, canonical
from shared.clock import Clock
from shared.db.sessions import Sessions
from shared.rpc.caller import caller
from shared.rpc.deadline import time_left
from shared.rpc.replay import mark_replay


class Once:
    """Runs acts in one transaction with the note that they were done."""

    def __init__(self, sessions: Sessions, clock: Clock) -> None:
        self._sessions = sessions
        self._clock = clock

    def __call__(
        self,
        method: str,
        request_id: str,
        meaning: Canonical,
        context: grpc.ServicerContext,
        act: Callable[[Connection], str],
    ) -> str:
        """The name that this request led to: by doing it now, or by having done it before. Raises RequestIdReused."""
        digest = sha256(canonical([caller(context).principal, meaning])).digest()
        with self._sessions.writing(time_left(context)) as connection:
            first = requests.once(connection, UUID(request_id), method, digest)
            if first is not None:
                mark_replay(context)
                return first
            name = act(connection)
            requests.remember(connection, UUID(request_id), method, digest, name, self._clock.now())
            return name
