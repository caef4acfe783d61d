"""What stands around every call: a deadline, the partner's token, and an answer that is a message or a `Refused`.

A channel of our own and not `grpc.intercept_channel`: that one looks its method up again on each call, and the process
dies when another thread closes the channel meanwhile (grpcio 1.85). A partner has unary calls, and a stream of awards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

import grpc
from coalition.client.lease import names_stale_token
from coalition.client.reading import refusal_on_wire
from coalition.client.refused import Refused
from coalition.client.tokens import Tokens

if TYPE_CHECKING:
    from grpc import _Metadata

Asked = TypeVar("Asked")
Answered = TypeVar("Answered")


class Unary(grpc.UnaryUnaryMultiCallable, Generic[Asked, Answered]):  # type: ignore[type-arg]  # no subscript at runtime
    """One method. When the platform says that the token is stale, it gets another and repeats the call once."""

    def __init__(
        self, inner: grpc.UnaryUnaryMultiCallable[Asked, Answered], tokens: Tokens | None, deadline: float
    ) -> None:
        self._inner = inner
        self._tokens = tokens
        self._deadline = deadline

    def __call__(
        self,
        request: Asked,
        timeout: float | None = None,
        metadata: _Metadata | None = None,
        credentials: grpc.CallCredentials | None = None,
        wait_for_ready: bool | None = None,
        compression: grpc.Compression | None = None,
    ) -> Answered:
        answer, _ = self.with_call(request, timeout, metadata, credentials, wait_for_ready, compression)
        return answer

    def with_call(
        self,
        request: Asked,
        timeout: float | None = None,
        metadata: _Metadata | None = None,
        credentials: grpc.CallCredentials | None = None,
        wait_for_ready: bool | None = None,
        compression: grpc.Compression | None = None,
    ) -> tuple[Answered, grpc.Call]:
        seconds = self._deadline if timeout is None else timeout

        def ask(*bearer: tuple[str, str]) -> tuple[Answered, grpc.Call]:
            sent = (*(metadata or ()), *bearer)
            try:
                return self._inner.with_call(request, seconds, sent, credentials, wait_for_ready, compression)
            except grpc.RpcError as error:
                trailing = [(item.key, item.value) for item in error.trailing_metadata() or ()]
                raise refusal_on_wire(error.code(), error.details() or "", trailing) from error

        return ask() if self._tokens is None else _with_token(self._tokens, ask)

    def future(self, *_: object, **__: object) -> NoReturn:
        raise NotImplementedError("Use threads, or coalition.client.aio, for several calls at once.")


class Talk(grpc.StreamStreamMultiCallable, Generic[Asked, Answered]):  # type: ignore[type-arg]  # as above
    """One method that answers each message of a stream. A stale token ends it before it begins: then open it again."""

    def __init__(
        self, inner: grpc.StreamStreamMultiCallable[Asked, Answered], tokens: Tokens | None, deadline: float
    ) -> None:
        self._inner = inner
        self._tokens = tokens
        self._deadline = deadline

    def __call__(  # type: ignore[override]  # what is answered can be iterated, and needs no more
        self,
        request_iterator: Iterator[Asked],
        timeout: float | None = None,
        metadata: _Metadata | None = None,
        credentials: grpc.CallCredentials | None = None,
        wait_for_ready: bool | None = None,
        compression: grpc.Compression | None = None,
    ) -> Iterator[Answered]:
        seconds = self._deadline if timeout is None else timeout
        bearer = () if self._tokens is None else (_bearer(self._tokens.token()),)
        sent = (*(metadata or ()), *bearer)
        answers = self._inner(request_iterator, seconds, sent, credentials, wait_for_ready, compression)
        try:
            yield from answers
        except grpc.RpcError as error:
            trailing = [(name, value) for name, value in answers.trailing_metadata() or ()]
            raise refusal_on_wire(answers.code(), answers.details() or "", trailing) from error
        finally:
            answers.cancel()  # whoever stops listening wants no more


def _with_token(tokens: Tokens, ask: Callable[[tuple[str, str]], Answered]) -> Answered:
    token = tokens.token()
    try:
        return ask(_bearer(token))
    except Refused as refusal:
        if not names_stale_token(refusal):
            raise
    return ask(_bearer(tokens.instead_of(token)))


def _bearer(token: str) -> tuple[str, str]:
    return "authorization", f"Bearer {token}"


class Line(grpc.Channel):
    """A channel whose methods are ours, as stubs see it. Whoever opened the inner one closes it."""

    def __init__(self, inner: grpc.Channel, tokens: Tokens | None, deadline: float) -> None:
        self._inner = inner
        self._tokens = tokens
        self._deadline = deadline

    def unary_unary(self, method: str, *codec: Any, **options: Any) -> Unary[Any, Any]:  # noqa: ANN401 - as gRPC leaves it
        return Unary(self._inner.unary_unary(method, *codec, **options), self._tokens, self._deadline)

    def unary_stream(self, *args: Any, **options: Any) -> grpc.UnaryStreamMultiCallable[Any, Any]:  # noqa: ANN401
        return self._inner.unary_stream(*args, **options)

    def stream_unary(self, *args: Any, **options: Any) -> grpc.StreamUnaryMultiCallable[Any, Any]:  # noqa: ANN401
        return self._inner.stream_unary(*args, **options)

    def stream_stream(self, method: str, *codec: Any, **options: Any) -> Talk[Any, Any]:  # noqa: ANN401 - as above
        return Talk(self._inner.stream_stream(method, *codec, **options), self._tokens, self._deadline)

    def subscribe(self, callback: Callable[[grpc.ChannelConnectivity], None], try_to_connect: bool = False) -> None:
        self._inner.subscribe(callback, try_to_connect)

    def unsubscribe(self, callback: Callable[[grpc.ChannelConnectivity], None]) -> None:
        self._inner.unsubscribe(callback)

    def close(self) -> None:
        self._inner.close()

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
