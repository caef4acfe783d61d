"""A server whose calls wait on an event loop: for a service that answers many callers after one commit.

With a thread for each waiting call, handing the interpreter from one to the next costs more than the work (see
deploy/decisions/calls-on-a-loop.md). Here a method that is a coroutine runs on the loop, through the same steps as
everywhere; a method that blocks, because it asks the database itself, runs in one of a few threads.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import grpc
import grpc.aio
import uvloop

from shared.rpc.chain import Chain, Handler
from shared.rpc.loop.bursts import Bursts
from shared.rpc.loop.handlers import Handlers

Answer = TypeVar("Answer")


class LoopServer:
    """A gRPC server on an event loop of its own thread, with the face of the one that has only threads."""

    def __init__(self, chain: Chain, threads: int, calls: int, options: Sequence[tuple[str, Any]]) -> None:
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="rpc-loop", daemon=True)
        self._thread.start()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="rpc")
        self._chain = chain
        self._bursts = Bursts()
        self._server: grpc.aio.Server = self._run(self._made(calls, options))

    async def _made(self, calls: int, options: Sequence[tuple[str, Any]]) -> grpc.aio.Server:
        self._loop.set_default_executor(self._pool)
        return grpc.aio.server(options=options, maximum_concurrent_rpcs=calls)

    def add_generic_rpc_handlers(self, handlers: Iterable[grpc.GenericRpcHandler]) -> None:
        self._server.add_generic_rpc_handlers((Handlers(self._chain, self._pool, self._bursts, handlers),))

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
