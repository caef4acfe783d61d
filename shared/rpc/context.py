"""The outermost frame: every call gets an id, log fields of its own, and one line when it is over."""

from __future__ import annotations

import re
import time

import grpc

from shared.log import get_logger, set_fields
from shared.rpc.call import CallContext, header

REQUEST_ID = "x-request-id"
_SANE = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_QUIET = ("/grpc.health.", "/grpc.reflection.")

log = get_logger()


class RequestContext:
    """The frame. The id that a calling service sends is written beside ours, so that a chain of calls can be read."""

    def begin(self, call: CallContext) -> None:
        fields = {"call_id": call.call_id, "method": call.method}
        asked_by = header(call, REQUEST_ID)
        if asked_by and _SANE.fullmatch(asked_by):
            fields["for_call"] = asked_by
        set_fields(fields)
        call.send_trailing()

    def end(self, call: CallContext, error: BaseException | None) -> None:
        if error is not None and call.status is grpc.StatusCode.OK:
            call.status = grpc.StatusCode.CANCELLED  # a caller who went away; refusals have set a code
        _report(call, (time.perf_counter() - call.began) * 1000)
        set_fields({})


def _report(call: CallContext, milliseconds: float) -> None:
    say = log.debug if call.method.startswith(_QUIET) else log.info
    fields = {"reason": call.reason} if call.reason else {}
    say("call answered", code=call.status.name, ms=round(milliseconds, 2), **fields)
