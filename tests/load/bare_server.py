"""The server of `tests.load.bare`, run by path under any interpreter that has grpcio and uvloop.

Calls wait on the loop; another thread answers all that wait, every 4 ms, as the ledger's lanes do.
"""

import asyncio
import sys
import threading
import time
from collections.abc import Awaitable
from pathlib import Path

import grpc
import grpc.aio
import uvloop

_COMMIT_SECONDS = 0.004


async def serve() -> None:
    loop, waiting = asyncio.get_running_loop(), list[asyncio.Future[None]]()

    def commit() -> None:
        for future in waiting:
            if not future.done():
                future.set_result(None)
        waiting.clear()

    def lane() -> None:
        while True:
            time.sleep(_COMMIT_SECONDS)
            loop.call_soon_threadsafe(commit)

    async def answer(request: bytes, _context: object) -> bytes:
        waiting.append(future := loop.create_future())
        await future
        return request

    class Anything(grpc.GenericRpcHandler):
        def service(self, _details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes]":
            behaviour: Awaitable[bytes] = answer  # type: ignore[assignment]  # the stub knows only blocking ones
            return grpc.unary_unary_rpc_method_handler(behaviour)  # type: ignore[arg-type]  # as above

    certificate, key, authority = (Path(name).read_bytes() for name in sys.argv[1:4])
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Anything(),))
    credentials = grpc.ssl_server_credentials([(key, certificate)], authority, require_client_auth=True)
    print(server.add_secure_port("127.0.0.1:0", credentials), flush=True)
    threading.Thread(target=lane, daemon=True).start()
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    uvloop.run(serve())
