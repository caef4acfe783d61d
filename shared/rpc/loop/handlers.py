"""The same steps around methods that wait on the loop, and around those that block a thread."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from functools import partial
from typing import Any, TypeVar, cast

import grpc
import grpc.aio
from google.protobuf.message import Message

from shared.rpc.call import CallContext
from shared.rpc.chain import Chain, Handler
from shared.rpc.loop.bursts import Bursts
from shared.rpc.loop.contents import Contents, decoding
from shared.rpc.loop.context import Aborted, LoopContext
from shared.rpc.validation import Decode

Answer = TypeVar("Answer")
_END = object()


class Handlers(grpc.GenericRpcHandler):
    """Methods as generated code made them, each wrapped when it is first called.

    Not an interceptor: gRPC would run one as a coroutine of its own, for each call anew.
    """

    def __init__(
        self, chain: Chain, pool: ThreadPoolExecutor, bursts: Bursts, made: Iterable[grpc.GenericRpcHandler]
    ) -> None:
        self._chain = chain
        self._pool = pool
        self._made = tuple(made)
        self._bursts = bursts
        self._wrapped: dict[str, Handler] = {}

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Handler | None:
        method = handler_call_details.method
        return self._wrapped.get(method) or self._found(method, handler_call_details)

    def _found(self, method: str, details: grpc.HandlerCallDetails) -> Handler | None:
        for one in self._made:
            handler = one.service(details)
            if handler is not None:
                return self._wrapped.setdefault(method, self._around(method, handler))
        return None  # gRPC answers UNIMPLEMENTED

    def _around(self, method: str, handler: Handler) -> Handler:
        decode, serialize = self._chain.decoder(method, handler), handler.response_serializer
        if handler.unary_unary and inspect.iscoroutinefunction(handler.unary_unary):
            waiting = self._waiting(method, handler.unary_unary, decode, self._chain.encoder(method, handler))
            return grpc.unary_unary_rpc_method_handler(cast(Any, waiting), None, None)
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
        self,
        method: str,
        behaviour: Callable[[Any, grpc.ServicerContext], Awaitable[Message]],
        decode: Decode,
        serialize: Callable[[Message], bytes],
    ) -> Callable[..., Awaitable[bytes]]:
        steps, bursts = self._chain.steps, self._bursts

        async def answer(content: bytes, inner: grpc.aio.ServicerContext[Any, Any]) -> bytes:
            arrived = time.perf_counter()
            await bursts.begin()
            try:
                context = LoopContext(inner)
                call = CallContext(context, method)
                call.began = arrived
                try:
                    with steps.around(call):
                        answered = await behaviour(decode(content, call), call)
                except Aborted as aborted:
                    ending = aborted.ending()
                else:
                    context.hand_over()
                    said = serialize(answered)
                    await bursts.together()
                    return said
                del content
                return await context.end(ending)
            finally:
                bursts.end()

        return answer

    def _waiting_stream(
        self, method: str, behaviour: Callable[[Any, grpc.ServicerContext], AsyncIterator[Message]], decode: Decode
    ) -> Callable[..., AsyncIterator[Message]]:
        steps = self._chain.steps

        async def answers(
            contents: AsyncIterator[bytes], inner: grpc.aio.ServicerContext[Any, Any]
        ) -> AsyncIterator[Message]:
            context = LoopContext(inner)
            call = CallContext(context, method)
            timer = None if call.had_deadline else _ended_at(context.until)
            ending = None
            try:
                with steps.around(call):
                    async for message in behaviour(decoding(contents, decode, call), call):
                        yield message
            except Aborted as aborted:
                ending = aborted.ending()
            finally:
                if timer is not None:
                    timer.cancel()
            if ending is None:
                context.hand_over()
            else:
                context.conclude(ending)

        return answers

    def _blocking(
        self, answer: Callable[[Any, grpc.ServicerContext], Message], *, streams: bool = False
    ) -> Callable[..., Awaitable[Message]]:
        async def answered(request: Any, inner: grpc.aio.ServicerContext[Any, Any]) -> Message:  # noqa: ANN401 - bytes
            context = LoopContext(inner)
            contents = Contents(request, asyncio.get_running_loop(), context.until) if streams else request
            try:
                message = await self._in_thread(answer, iter(contents) if streams else contents, context)
            except Aborted as aborted:
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
            context = LoopContext(inner)
            contents = Contents(request, asyncio.get_running_loop(), context.until) if streams else request
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
            except Aborted as aborted:
                ending = aborted.ending()
            finally:
                self._pool.submit(fields.run, _closed, messages, running)
            del request, contents, messages, running  # the last holds what was raised, which holds this frame
            if ending is None:
                context.hand_over()
            else:
                context.conclude(ending)

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
