"""How the steps go around a method of any arity. gRPC asks us at each call; what we build around a method is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeAlias

import grpc
from google.protobuf.message import Message

from shared.rpc.call import CallContext
from shared.rpc.deadline import TimeIsUp, ended_in_time
from shared.rpc.steps import Steps
from shared.rpc.validation import Decode, Validation

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"  # gRPC leaves the messages of a handler open
Inside: TypeAlias = "Callable[[Any, CallContext], AbstractContextManager[None]]"
"""What a service puts around each method that answers once, when its request is known."""


class Chain(grpc.ServerInterceptor):
    """gRPC's view of our steps: one interceptor that holds them all."""

    def __init__(self, steps: Steps, validation: Validation, inside: Inside | None = None) -> None:
        self.steps = steps
        self._inside = inside
        self._validation = validation
        self._wrapped: dict[str, Handler] = {}

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Handler | None],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        method = handler_call_details.method
        known = self._wrapped.get(method)
        if known is not None:
            return known
        handler = continuation(handler_call_details)
        if handler is None:
            return None  # gRPC answers UNIMPLEMENTED
        return self._wrapped.setdefault(method, self._around(method, handler))

    def _around(self, method: str, handler: Handler) -> Handler:
        decode, serialize = self.decoder(method, handler), handler.response_serializer
        if handler.unary_unary:
            unary = self.unary(method, handler.unary_unary, decode)
            return grpc.unary_unary_rpc_method_handler(unary, None, serialize)
        if handler.stream_unary:
            unary = self.gathering(method, handler.stream_unary, decode)
            return grpc.stream_unary_rpc_method_handler(unary, None, serialize)
        if handler.unary_stream:
            stream = self.stream(method, handler.unary_stream, decode)
            return grpc.unary_stream_rpc_method_handler(stream, None, serialize)
        if handler.stream_stream:
            stream = self.conversing(method, handler.stream_stream, decode)
            return grpc.stream_stream_rpc_method_handler(stream, None, serialize)
        raise TypeError(f"{method} has no behaviour")

    def decoder(self, method: str, handler: Handler) -> Decode:
        """What makes the messages of a method: gRPC hands over bytes."""
        if handler.request_deserializer is None:
            raise TypeError(f"{method} takes bytes; every method of ours takes a message")
        return self._validation.decoder(method, handler.request_deserializer)

    @staticmethod
    def encoder(method: str, handler: Handler) -> Callable[[Message], bytes]:
        """What makes the bytes of a method's answers."""
        if handler.response_serializer is None:
            raise TypeError(f"{method} answers bytes; every method of ours answers a message")
        return handler.response_serializer

    def gathering(
        self, method: str, behaviour: Callable[[Any, grpc.ServicerContext], Message], decode: Decode
    ) -> Callable[[Any, grpc.ServicerContext], Message]:
        """The steps around a method that reads a stream and answers once."""
        return self.unary(method, behaviour, _decoding(decode), streams=True)

    def conversing(
        self, method: str, behaviour: Callable[[Any, grpc.ServicerContext], Iterator[Message]], decode: Decode
    ) -> Callable[[Any, grpc.ServicerContext], Iterator[Message]]:
        """The steps around a method that reads a stream and answers with one."""
        return self.stream(method, behaviour, _decoding(decode))

    def unary(
        self,
        method: str,
        behaviour: Callable[[Any, grpc.ServicerContext], Message],
        receive: Callable[[Any, CallContext], Any],
        *,
        streams: bool = False,
    ) -> Callable[[Any, grpc.ServicerContext], Message]:
        """The steps around a method that answers once."""

        def answer(request: Any, context: grpc.ServicerContext) -> Message:  # noqa: ANN401 - bytes, or an iterator of them
            call = CallContext(context, method)
            timed: AbstractContextManager[None] = ended_in_time(call) if streams else nullcontext()
            with self.steps.around(call), timed:
                if self._inside is None:
                    return behaviour(receive(request, call), call)
                message = receive(request, call)
                try:
                    with self._inside(message, call):
                        return behaviour(message, call)
                finally:
                    del message  # or a refusal, which remembers this frame, would keep it for the collector

        return answer

    def stream(
        self,
        method: str,
        behaviour: Callable[[Any, grpc.ServicerContext], Iterator[Message]],
        receive: Callable[[Any, CallContext], Any],
    ) -> Callable[[Any, grpc.ServicerContext], Iterator[Message]]:
        """The steps around a method that answers again and again."""

        def answers(request: Any, context: grpc.ServicerContext) -> Iterator[Message]:  # noqa: ANN401 - as above
            call = CallContext(context, method)
            with self.steps.around(call), ended_in_time(call):
                for message in behaviour(receive(request, call), call):
                    _in_time(call)
                    yield message

        return answers


def _decoding(decode: Decode) -> Callable[[Iterator[bytes], CallContext], Iterator[Message]]:
    def messages(contents: Iterator[bytes], call: CallContext) -> Iterator[Message]:
        for content in contents:
            _in_time(call)
            yield decode(content, call)

    return messages


def _in_time(call: CallContext) -> None:
    if call.time_remaining() == 0:
        raise TimeIsUp
