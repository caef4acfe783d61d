"""What stands around every call: a deadline, the partner's token, and an answer that is a message or a `Refused`."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from typing import TypeVar

import grpc
from coalition.client.aio.tokens import Tokens
from coalition.client.lease import names_stale_token
from coalition.client.reading import refusal_on_wire
from coalition.client.refused import Refused
from grpc import aio

Asked = TypeVar("Asked")
Answered = TypeVar("Answered")


class Bearer(aio.UnaryUnaryClientInterceptor):
    """Sends the token; when the platform says that it is stale, gets another and repeats the call once."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def intercept_unary_unary(
        self,
        continuation: Callable[[aio.ClientCallDetails, Asked], Awaitable[aio.UnaryUnaryCall[Asked, Answered]]],
        client_call_details: aio.ClientCallDetails,
        request: Asked,
    ) -> aio.UnaryUnaryCall[Asked, Answered]:
        token = await self._tokens.token()
        try:
            return await continuation(_bearing(client_call_details, token), request)
        except Refused as refusal:
            if not names_stale_token(refusal):
                raise
        fresh = await self._tokens.instead_of(token)
        return await continuation(_bearing(client_call_details, fresh), request)


class Deadline(aio.UnaryUnaryClientInterceptor):
    """Gives a call without a timeout the default one: nobody waits for ever by accident."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    async def intercept_unary_unary(
        self,
        continuation: Callable[[aio.ClientCallDetails, Asked], Awaitable[aio.UnaryUnaryCall[Asked, Answered]]],
        client_call_details: aio.ClientCallDetails,
        request: Asked,
    ) -> aio.UnaryUnaryCall[Asked, Answered]:
        if client_call_details.timeout is not None:
            return await continuation(client_call_details, request)
        return await continuation(_copy(client_call_details, timeout=self._seconds), request)


class Refusing(aio.UnaryUnaryClientInterceptor):
    """Raises what was answered instead of a message as a `Refused`."""

    async def intercept_unary_unary(
        self,
        continuation: Callable[[aio.ClientCallDetails, Asked], Awaitable[aio.UnaryUnaryCall[Asked, Answered]]],
        client_call_details: aio.ClientCallDetails,
        request: Asked,
    ) -> aio.UnaryUnaryCall[Asked, Answered]:
        call = await continuation(client_call_details, request)
        code = await call.code()
        if code is grpc.StatusCode.OK:
            return call
        raise refusal_on_wire(code, await call.details() or "", await call.trailing_metadata() or ())


class Talking(aio.StreamStreamClientInterceptor):
    """For a method that answers each message of a stream: deadline and token; errors are raised as `Refused`."""

    def __init__(self, tokens: Tokens | None, seconds: float) -> None:
        self._tokens = tokens
        self._seconds = seconds

    async def intercept_stream_stream(
        self,
        continuation: Callable[..., Awaitable[aio.StreamStreamCall[Asked, Answered]]],
        client_call_details: aio.ClientCallDetails,
        request_iterator: AsyncIterable[Asked] | Iterable[Asked],
    ) -> AsyncIterator[Answered]:
        details = client_call_details
        if details.timeout is None:
            details = _copy(details, timeout=self._seconds)
        if self._tokens is not None:
            details = _bearing(details, await self._tokens.token())
        return _answers(await continuation(details, request_iterator))


async def _answers(call: aio.StreamStreamCall[Asked, Answered]) -> AsyncIterator[Answered]:
    try:
        async for message in call:
            yield message
    except aio.AioRpcError as error:
        raise refusal_on_wire(error.code(), error.details() or "", error.trailing_metadata() or ()) from error
    finally:
        call.cancel()


def _bearing(details: aio.ClientCallDetails, token: str) -> aio.ClientCallDetails:
    return _copy(details, metadata=aio.Metadata(*(details.metadata or ()), ("authorization", f"Bearer {token}")))


def _copy(
    details: aio.ClientCallDetails, *, timeout: float | None = None, metadata: aio.Metadata | None = None
) -> aio.ClientCallDetails:
    return aio.ClientCallDetails(
        details.method,
        details.timeout if timeout is None else timeout,
        details.metadata if metadata is None else metadata,
        details.credentials,
        details.wait_for_ready,
    )
