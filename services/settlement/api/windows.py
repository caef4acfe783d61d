"""Windows: asked to close here, closed by the worker; and the books verified."""

from __future__ import annotations

import time
from collections.abc import Iterator
from uuid import UUID

import grpc
from coalition.settlement.v1 import settlement_pb2 as pb
from coalition.settlement.v1 import settlement_pb2_grpc as rpc

from services.settlement.api.answers import window_pb
from services.settlement.api.worker import Worker
from services.settlement.domain.refusals import WindowWaits
from services.settlement.domain.window import Window, WindowState
from services.settlement.store import books, windows
from services.settlement.store.ingest import positions, suspense_count
from services.settlement.store.verifier import Verifier
from shared.db.sessions import Sessions
from shared.rpc.caller import caller
from shared.rpc.deadline import time_left
from shared.rpc.pages import open_page, page_size, query_fingerprint, seal_page
from shared.rpc.replay import mark_replay
from shared.verifying import Difference, Progress

_LOOK_SECONDS = 0.05
_ANSWER_SECONDS = 0.5
"""Kept of the deadline to say what a window waits for."""
_PATIENCE_SECONDS = 2.0
"""How long an obstacle that only people remove is looked at before the caller is told."""


class WindowServicer(rpc.WindowServiceServicer):
    """Closes windows, shows them and checks what was booked."""

    def __init__(self, sessions: Sessions, worker: Worker, verifier: Verifier, page_key: bytes) -> None:
        self._sessions = sessions
        self._worker = worker
        self._verifier = verifier
        self._page_key = page_key

    def CloseWindow(self, request: pb.CloseWindowRequest, context: grpc.ServicerContext) -> pb.Window:
        """Ask, then wait: whoever asks again with the same request id waits for the same closing."""
        number = int(request.name.removeprefix("windows/"))
        with self._sessions.writing(time_left(context)) as connection:
            again = windows.ask_to_close(connection, number, UUID(request.request_id))
        self._worker.hurry()
        self._wait_until_closed(number, context)
        if again:
            mark_replay(context)
        return self._window(request.name, time_left(context))

    def GetWindow(self, request: pb.GetWindowRequest, context: grpc.ServicerContext) -> pb.Window:
        return self._window(request.name, time_left(context))

    def ListWindows(self, request: pb.ListWindowsRequest, context: grpc.ServicerContext) -> pb.ListWindowsResponse:
        size, bound = page_size(request.page_size), query_fingerprint("ListWindows", caller(context), request)
        position = open_page(self._page_key, bound, request.page_token)
        with self._sessions.snapshot(time_left(context)) as connection:
            found = windows.page(connection, int(position[0]) if position else 0, size + 1)
            counted = windows.counts(connection, [window.number for window in found])
        token = seal_page(self._page_key, bound, [found[size - 1].number]) if len(found) > size else ""
        answers = [window_pb(window, counted.get(window.number, (0, 0))) for window in found[:size]]
        return pb.ListWindowsResponse(windows=answers, next_page_token=token)

    def GetIngestStatus(self, request: pb.GetIngestStatusRequest, context: grpc.ServicerContext) -> pb.IngestStatus:
        with self._sessions.reading(time_left(context)) as connection:
            reached = positions(connection)
            suspended = suspense_count(connection)
        buckets = [
            pb.BucketIngest(bucket=bucket, seq=position.seq, hash=position.hash, stopped_because=why)
            for bucket, (position, why) in reached.items()
        ]
        return pb.IngestStatus(buckets=buckets, suspense_count=suspended)

    def VerifyBooks(
        self, request: pb.VerifyBooksRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.VerifyBooksResponse]:
        for event in self._verifier.run():
            match event:
                case Progress(entries, total):
                    yield pb.VerifyBooksResponse(progress=pb.VerifyBooksProgress(entries=entries, total=total))
                case Difference(subject, name, detail):
                    difference = pb.BooksDifference(subject=subject, name=name, detail=detail)
                    yield pb.VerifyBooksResponse(difference=difference)
                case _:
                    summary = pb.VerifyBooksSummary(
                        entries=event.entries, windows=event.windows, statements=event.statements
                    )
                    yield pb.VerifyBooksResponse(summary=summary)

    def _wait_until_closed(self, number: int, context: grpc.ServicerContext) -> None:
        began = time.monotonic()
        while self._state(number, context) is not WindowState.CLOSED:
            waits, waited = self._worker.waits, time.monotonic() - began
            stuck = waits is not None and waits.waits_for != "INGEST" and waited > _PATIENCE_SECONDS
            if stuck or time_left(context) < _ANSWER_SECONDS:
                waits_for = waits.waits_for if waits else "INGEST"
                detail = waits.detail if waits else "the journal is being read"
                raise WindowWaits(window=f"windows/{number}", waits_for=waits_for, detail=detail)
            time.sleep(_LOOK_SECONDS)

    def _state(self, number: int, context: grpc.ServicerContext) -> WindowState:
        with self._sessions.reading(time_left(context)) as connection:
            return windows.found(connection, f"windows/{number}").state

    def _window(self, name: str, within: float) -> pb.Window:
        with self._sessions.snapshot(within) as connection:
            window: Window = windows.found(connection, name)
            counted = windows.counts(connection, [window.number]).get(window.number, (0, 0))
            return window_pb(window, counted, books.nets(connection, window.number))
