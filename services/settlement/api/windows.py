"""Windows: asked to close here, closed by the worker; and the books verified."""

from __future__ import annotations

import time
from collections.abc import Iterator
from uuid import UUID

import grpc
from coalition.settlement.v1 import settlement_pb2 as pb
from coalition.settlement.v1 import settlement_pb2_grpc as rpc
from sqlalchemy import Connection

from services.settlement.api.answers import entry_pb, suspended_pb, waiver_pb, window_pb
from services.settlement.api.once import Once
from services.settlement.api.worker import Worker
from services.settlement.domain.refusals import WindowWaits
from services.settlement.domain.window import Window, WindowState
from services.settlement.store import books, entries, proposals, schedule, seals, suspense, windows
from services.settlement.store.closing import Waits
from services.settlement.store.ingest import positions
from services.settlement.store.verifier import Verifier
from shared.clock import Clock
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

    def __init__(
        self, sessions: Sessions, worker: Worker, verifier: Verifier, clock: Clock, page_key: bytes, calendar: str = ""
    ) -> None:
        self._sessions = sessions
        self._once = Once(sessions, clock)
        self._clock = clock
        self._calendar = calendar
        self._worker = worker
        self._verifier = verifier
        self._page_key = page_key

    def CloseWindow(self, request: pb.CloseWindowRequest, context: grpc.ServicerContext) -> pb.Window:
        """Ask, then wait: whoever asks again with the same request id waits for the same closing."""
        number = int(request.name.removeprefix("windows/"))
        if request.early_because:
            return self._propose_early(request, number, context)
        with self._sessions.writing(time_left(context)) as connection:
            window = windows.found(connection, request.name)
            schedule.check_due(connection, self._calendar, window, self._clock.now())
            again = windows.ask_to_close(connection, number, UUID(request.request_id), caller(context).principal)
        if not request.validate_only:  # others close it, and they see nothing of a rehearsal
            self._worker.hurry()
            self._wait_until_closed(number, context)
        if again:
            mark_replay(context)
        return self._window(request.name, time_left(context))

    def _propose_early(self, request: pb.CloseWindowRequest, number: int, context: grpc.ServicerContext) -> pb.Window:
        by, at = caller(context).principal, self._clock.now()

        def propose(connection: Connection) -> str:
            return schedule.propose_early(connection, number, request.early_because, by, at)

        meaning = [request.name, request.early_because]
        proposal = self._once("CloseWindow", request.request_id, meaning, context, propose)
        answer = self._window(request.name, time_left(context))
        answer.proposal = proposal
        return answer

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
            suspended = suspense.count(connection)
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

    def VerifyWindow(self, request: pb.VerifyWindowRequest, context: grpc.ServicerContext) -> pb.VerifyWindowResponse:
        with self._sessions.snapshot(time_left(context)) as connection:
            found = self._verifier.window(connection, windows.found(connection, request.name))
        if isinstance(found, int):
            return pb.VerifyWindowResponse(lines=found)
        difference = pb.BooksDifference(subject=found.subject, name=found.name, detail=found.detail)
        return pb.VerifyWindowResponse(difference=difference)

    def ListWindowEntries(
        self, request: pb.ListWindowEntriesRequest, context: grpc.ServicerContext
    ) -> pb.ListWindowEntriesResponse:
        size, bound = page_size(request.page_size), query_fingerprint("ListWindowEntries", caller(context), request)
        place = open_page(self._page_key, bound, request.page_token) or [0, 0, -1]
        with self._sessions.snapshot(time_left(context)) as connection:
            window = windows.found(connection, request.parent)
            found = entries.page(connection, window, int(place[0]), int(place[1]), int(place[2]), size + 1)
        token = ""
        if len(found) > size:
            last = found[size - 1]
            token = seal_page(self._page_key, bound, [last.bucket, last.seq, last.line])
        return pb.ListWindowEntriesResponse(entries=[entry_pb(one) for one in found[:size]], next_page_token=token)

    def ListSuspense(self, request: pb.ListSuspenseRequest, context: grpc.ServicerContext) -> pb.ListSuspenseResponse:
        size, bound = page_size(request.page_size), query_fingerprint("ListSuspense", caller(context), request)
        place = open_page(self._page_key, bound, request.page_token) or [0, 0]
        with self._sessions.reading(time_left(context)) as connection:
            number = windows.found(connection, request.parent).number
            found = suspense.page(connection, number, int(place[0]), int(place[1]), size + 1)
        token = seal_page(self._page_key, bound, [found[size - 1].bucket, found[size - 1].seq]) if found[size:] else ""
        return pb.ListSuspenseResponse(entries=[suspended_pb(one) for one in found[:size]], next_page_token=token)

    def WaiveSuspense(self, request: pb.WaiveSuspenseRequest, context: grpc.ServicerContext) -> pb.Waiver:
        by, at = caller(context).principal, self._clock.now()

        def propose(connection: Connection) -> str:
            number = windows.found(connection, request.name).number
            return suspense.propose_waiver(connection, number, request.why, by, at)

        name = self._once("WaiveSuspense", request.request_id, [request.name, request.why], context, propose)
        with self._sessions.reading(time_left(context)) as connection:
            return waiver_pb(proposals.found(connection, name))

    def _wait_until_closed(self, number: int, context: grpc.ServicerContext) -> None:
        """Until its statements are signed, which a large window takes a while for after it is closed."""
        began = time.monotonic()
        while not (window := self._look(number, context)).statements_root:
            waits, waited = self._worker.waits, time.monotonic() - began
            closed = window.state.is_final
            stuck = not closed and waits is not None and waits.waits_for != "INGEST" and waited > _PATIENCE_SECONDS
            if stuck or time_left(context) < _ANSWER_SECONDS:
                if closed:
                    waits = Waits("SIGNING", "its statements are being signed")
                waits_for = waits.waits_for if waits else "INGEST"
                detail = waits.detail if waits else "the journal is being read"
                raise WindowWaits(window=f"windows/{number}", waits_for=waits_for, detail=detail)
            time.sleep(_LOOK_SECONDS)

    def _look(self, number: int, context: grpc.ServicerContext) -> Window:
        with self._sessions.reading(time_left(context)) as connection:
            return windows.found(connection, f"windows/{number}")

    def _window(self, name: str, within: float) -> pb.Window:
        with self._sessions.snapshot(within) as connection:
            window: Window = windows.found(connection, name)
            counted = windows.counts(connection, [window.number]).get(window.number, (0, 0))
            seal = seals.digest(connection, window.number)
            waits = self._worker.waits if window.state is WindowState.CLOSING or window.asked_to_close else None
            waits_for = waits.waits_for if waits and not window.state.is_final else ""
            return window_pb(window, counted, books.nets(connection, window.number), seal, waits_for)
