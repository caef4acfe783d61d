"""A server whose calls wait on an event loop: for a service that answers many callers after one commit.

With a thread for each waiting call, handing the interpreter from one to the next costs more than the work (see
deploy/decisions/calls-on-a-loop.md). Here a method that is a coroutine runs on the loop, through the same steps as
everywhere; a method that blocks, because it asks the database itself, runs in one of a few threads.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Generator,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from contextvars import copy_context
from functools import partial
from traceback import clear_frames
from typing import Any, NamedTuple, NoReturn, TypeVar, cast

import grpc
import grpc.aio
import uvloop
from google.protobuf.message import Message

from shared.rpc import call as calls
from shared.rpc.call import CallContext, Metadata
from shared.rpc.chain import Chain, Handler
from shared.rpc.deadline import TimeIsUp
from shared.rpc.validation import Decode

Answer = TypeVar("Answer")
_END = object()


class LoopServer:
    """A gRPC server on an event loop of its own thread, with the face of the one that has only threads."""

    def __init__(self, chain: Chain, threads: int, calls: int, options: Sequence[tuple[str, Any]]) -> None:
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="rpc-loop", daemon=True)
        self._thread.start()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="rpc")
        self._server: grpc.aio.Server = self._run(self._made(chain, calls, options))

    async def _made(self, chain: Chain, calls: int, options: Sequence[tuple[str, Any]]) -> grpc.aio.Server:
        self._loop.set_default_executor(self._pool)
        steps = _LoopChain(chain, self._pool)
        return grpc.aio.server(interceptors=[steps], options=options, maximum_concurrent_rpcs=calls)

    def add_generic_rpc_handlers(self, handlers: Iterable[grpc.GenericRpcHandler]) -> None:
        self._server.add_generic_rpc_handlers(tuple(handlers))

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Handler]) -> None:
        """What generated code calls beside `add_generic_rpc_handlers`; that one is enough."""

    def add_secure_port(self, address: str, credentials: grpc.ServerCredentials) -> int:
        return self._server.add_secure_port(address, credentials)

    def start(self) -> None:
        self._run(self._server.start())

    def stop(self, grace: float | None) -> threading.Event:
        """Refuse new calls, let running ones end; the event is set when all is over."""
        over = threading.Event()

        def ended(_: object) -> None:
            self._pool.shutdown(wait=False)
            over.set()

        asyncio.run_coroutine_threadsafe(self._server.stop(grace), self._loop).add_done_callback(ended)
        return over

    def _run(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


class _Ending(NamedTuple):
    """How a call ends that a step has broken off."""

    code: grpc.StatusCode
    details: str


class _Aborted(Exception):
    """A step has decided how the call ends; the loop has to say so."""

    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        super().__init__(details)
        self._ending = _Ending(code, details)

    def ending(self) -> _Ending:
        """What to say, once: then the steps that this came through let go of the call, with the whole request in it.

        ExitStack keeps what it raises, so all of that would wait for the collector. Nor may it hang on the exception
        with which gRPC ends the call, and which it keeps: `_LoopContext.end` is for behind the `except`.
        """
        clear_frames(self.__traceback__)
        return self._ending


class _LoopContext(grpc.ServicerContext):
    """gRPC's context of a call on the loop, as our steps know contexts. Any thread may use it."""

    def __init__(self, inner: grpc.aio.ServicerContext[Any, Any]) -> None:
        self._inner = inner
        self._auth = inner.auth_context()
        self._metadata = cast(Metadata, tuple(inner.invocation_metadata() or ()))
        left = cast(float | None, inner.time_remaining())  # the stub forgets that there may be no deadline
        self._left = float("inf") if left is None else left
        self.until = time.monotonic() + (calls.DEFAULT_SECONDS if left is None else left)
        self.trailing: Metadata = ()

    def time_remaining(self) -> float:
        """As it was at the beginning; `CallContext` counts on from there."""
        return self._left

    def set_trailing_metadata(self, trailing_metadata: Metadata) -> None:
        self.trailing = tuple(trailing_metadata)

    def hand_over(self) -> None:
        """Give gRPC what was gathered; on the loop, before the call ends."""
        self._inner.set_trailing_metadata(self.trailing)

    async def end(self, ending: _Ending) -> NoReturn:
        await self._inner.abort(ending.code, ending.details, self.trailing)

    def abort(self, code: grpc.StatusCode, details: str) -> NoReturn:
        raise _Aborted(code, details)

    def abort_with_status(self, status: grpc.Status) -> NoReturn:
        raise _Aborted(status.code, status.details)

    def is_active(self) -> bool:
        return not self._inner.done()

    def cancel(self) -> bool:
        return False  # a stream without a deadline ends between two messages, see `_in_time`

    def add_callback(self, callback: Callable[[], None]) -> bool:
        self._inner.add_done_callback(lambda *_: callback())  # type: ignore[arg-type]  # the stub wants its alias
        return True

    def auth_context(self) -> Mapping[str, Iterable[bytes]]:  # type: ignore[override]  # the stub says bytes, gRPC lists
        return self._auth

    def invocation_metadata(self) -> Metadata:
        return self._metadata

    def peer(self) -> str:
        return self._inner.peer()

    def peer_identities(self) -> Iterable[bytes] | None:
        return self._inner.peer_identities()

    def peer_identity_key(self) -> str | None:
        return self._inner.peer_identity_key()

    def send_initial_metadata(self, initial_metadata: Metadata) -> None:
        raise NotImplementedError("no step of ours sends metadata before the answer")

    def set_code(self, code: grpc.StatusCode) -> None:
        self._inner.set_code(code)

    def set_details(self, details: str) -> None:
        self._inner.set_details(details)

    def set_compression(self, compression: grpc.Compression) -> None:
        raise NotImplementedError("answers are not compressed one by one")

    def disable_next_message_compression(self) -> None:
        self._inner.disable_next_message_compression()


class _LoopChain(grpc.aio.ServerInterceptor):
    """The same steps around methods that wait on the loop, and around those that block a thread."""

    def __init__(self, chain: Chain, pool: ThreadPoolExecutor) -> None:
        self._chain = chain
        self._pool = pool
        self._wrapped: dict[str, Handler] = {}

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        method = handler_call_details.method
        known = self._wrapped.get(method)
        if known is not None:
            return known
        handler = await continuation(handler_call_details)
        if handler is None:
            return None  # gRPC answers UNIMPLEMENTED
        return self._wrapped.setdefault(method, self._around(method, handler))

    def _around(self, method: str, handler: Handler) -> Handler:
        decode, serialize = self._chain.decoder(method, handler), handler.response_serializer
        if handler.unary_unary and inspect.iscoroutinefunction(handler.unary_unary):
            unary = self._waiting(method, handler.unary_unary, decode)
            return grpc.unary_unary_rpc_method_handler(cast(Any, unary), None, serialize)
        if handler.unary_unary:
            unary = self._blocking(self._chain.unary(method, handler.unary_unary, decode))
            return grpc.unary_unary_rpc_method_handler(cast(Any, unary), None, serialize)
        if handler.unary_stream:
            stream = self._blocking_stream(self._chain.stream(method, handler.unary_stream, decode))
            return grpc.unary_stream_rpc_method_handler(cast(Any, stream), None, serialize)
        if handler.stream_unary:
            unary = self._blocking(self._chain.gathering(method, handler.stream_unary, decode), streams=True)
            return grpc.stream_unary_rpc_method_handler(cast(Any, unary), None, serialize)
        if handler.stream_stream and inspect.isasyncgenfunction(handler.stream_stream):
            stream = self._waiting_stream(method, handler.stream_stream, decode)
            return grpc.stream_stream_rpc_method_handler(cast(Any, stream), None, serialize)
        if handler.stream_stream:
            talk = self._blocking_stream(self._chain.conversing(method, handler.stream_stream, decode), streams=True)
            return grpc.stream_stream_rpc_method_handler(cast(Any, talk), None, serialize)
        raise TypeError(f"{method} has no behaviour")

    def _waiting(
        self, method: str, behaviour: Callable[[Any, grpc.ServicerContext], Awaitable[Message]], decode: Decode
    ) -> Callable[..., Awaitable[Message]]:
        async def answer(content: bytes, inner: grpc.aio.ServicerContext[Any, Any]) -> Message:
            context = _LoopContext(inner)
            call = CallContext(context, method)
            try:
                with ExitStack() as entered:
                    for step in self._chain.steps:
                        entered.enter_context(step(call))
                    answered = await behaviour(decode(content, call), call)
            except _Aborted as aborted:
                ending = aborted.ending()
            else:
                context.hand_over()
                return answered
            del content
            return await context.end(ending)

        return answer

    def _waiting_stream(
        self, method: str, behaviour: Callable[[Any, grpc.ServicerContext], AsyncIterator[Message]], decode: Decode
    ) -> Callable[..., AsyncIterator[Message]]:
        async def answers(
            contents: AsyncIterator[bytes], inner: grpc.aio.ServicerContext[Any, Any]
        ) -> AsyncIterator[Message]:
            context = _LoopContext(inner)
            call = CallContext(context, method)
            timer = None if call.had_deadline else _ended_at(context.until)
            ending = None
            try:
                with ExitStack() as entered:
                    for step in self._chain.steps:
                        entered.enter_context(step(call))
                    async for message in behaviour(_decoding(contents, decode, call), call):
                        yield message
            except _Aborted as aborted:
                ending = aborted.ending()
            finally:
                if timer is not None:
                    timer.cancel()
            if ending is not None:
                await context.end(ending)
            context.hand_over()

        return answers

    def _blocking(
        self, answer: Callable[[Any, grpc.ServicerContext], Message], *, streams: bool = False
    ) -> Callable[..., Awaitable[Message]]:
        async def answered(request: Any, inner: grpc.aio.ServicerContext[Any, Any]) -> Message:  # noqa: ANN401 - bytes
            context = _LoopContext(inner)
            contents = _Contents(request, asyncio.get_running_loop(), context.until) if streams else request
            try:
                message = await self._in_thread(answer, iter(contents) if streams else contents, context)
            except _Aborted as aborted:
                ending = aborted.ending()
            else:
                context.hand_over()
                return message
            del request, contents
            return await context.end(ending)

        return answered

    def _blocking_stream(
        self, answers: Callable[[Any, grpc.ServicerContext], Iterator[Message]], *, streams: bool = False
    ) -> Callable[..., AsyncIterator[Message]]:
        async def answered(
            request: Any,  # noqa: ANN401 - bytes, or an iterator of them
            inner: grpc.aio.ServicerContext[Any, Any],
        ) -> AsyncIterator[Message]:
            context = _LoopContext(inner)
            contents = _Contents(request, asyncio.get_running_loop(), context.until) if streams else request
            fields = copy_context()  # each step of the iterator runs in some thread, all under the call's log fields
            messages = fields.run(answers, iter(contents) if streams else contents, context)
            running: Future[object] | None = None
            ending = None
            try:
                while True:
                    running = self._pool.submit(fields.run, partial(_next, messages))
                    message = await asyncio.wrap_future(running)
                    if message is _END:
                        break
                    yield cast(Message, message)
            except _Aborted as aborted:
                ending = aborted.ending()
            finally:
                self._pool.submit(fields.run, _closed, messages, running)
            del request, contents
            if ending is not None:
                await context.end(ending)
            context.hand_over()

        return answered

    def _in_thread(self, work: Callable[..., Answer], *arguments: object) -> Awaitable[Answer]:
        return self._run(copy_context().run, work, *arguments)

    def _run(self, work: Callable[..., Answer], *arguments: object) -> Awaitable[Answer]:
        return asyncio.get_running_loop().run_in_executor(self._pool, work, *arguments)


def _next(messages: Iterator[Message]) -> object:
    return next(messages, _END)


def _closed(messages: Iterator[Message], running: Future[object] | None) -> None:
    """What an iterator holds is let go, also when the caller went away in the middle of a step."""
    if running is not None:
        wait([running])
    if isinstance(messages, Generator):
        messages.close()


def _ended_at(until: float) -> asyncio.TimerHandle | None:
    """A caller that named no deadline and reads no answers must not keep its call for ever."""
    task = asyncio.current_task()
    if task is None:
        return None
    return asyncio.get_running_loop().call_later(max(0.0, until - time.monotonic()), task.cancel)


class _Contents:
    """What a caller streams, for a method that reads it in a thread: nobody holds one beyond the call's time."""

    def __init__(self, contents: AsyncIterator[bytes], loop: asyncio.AbstractEventLoop, until: float) -> None:
        self._contents = contents
        self._loop = loop
        self._until = until

    def __iter__(self) -> Iterator[bytes]:
        while (content := asyncio.run_coroutine_threadsafe(self._next(), self._loop).result()) is not None:
            yield content

    async def _next(self) -> bytes | None:
        return await _following(self._contents, self._until - time.monotonic())


async def _following(contents: AsyncIterator[bytes], within: float) -> bytes | None:
    """The next message of a stream, None at its end. Raises TimeIsUp."""
    try:
        return await asyncio.wait_for(anext(contents, None), max(within, 0.0))
    except TimeoutError:
        raise TimeIsUp from None


async def _decoding(contents: AsyncIterator[bytes], decode: Decode, call: CallContext) -> AsyncIterator[Message]:
    """The messages as they come, until the call's time is up."""
    while (content := await _following(contents, call.time_remaining())) is not None:
        yield decode(content, call)
