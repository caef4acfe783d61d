"""How an answer says that it is the first answer again."""

from __future__ import annotations

import grpc

from shared.rpc.call import CallContext

KEY = "idempotent-replay"


def mark_replay(context: grpc.ServicerContext) -> None:
    """Tell the caller that this request id was answered before, and that nothing happened now."""
    if isinstance(context, CallContext):
        context.add_trailing(KEY, "true")
    else:
        context.set_trailing_metadata(((KEY, "true"),))
