"""`validate_only`, at one place for every call: what the call does is done, answered from, and undone."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from google.protobuf.message import Message

from shared.db.sessions import Sessions
from shared.rpc.call import CallContext
from shared.rpc.chain import Inside


def rehearsing(sessions: Sessions) -> Inside:
    """What a server puts around its servicers."""

    def inside(request: Message, call: CallContext) -> AbstractContextManager[None]:
        dry = getattr(request, "validate_only", False)
        return sessions.rehearsing(call.time_remaining()) if dry else nullcontext()

    return inside
