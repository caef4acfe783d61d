"""A contract and a service of the tests' own: every arity, and rules on its fields."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

import grpc
from buf.validate import validate_pb2
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format
from google.protobuf.message import Message

from shared.rpc.caller import EVERYONE, Role

SERVICE = "coalition.test.v1.EchoService"
SAY, COUNT, GATHER = f"/{SERVICE}/Say", f"/{SERVICE}/Count", f"/{SERVICE}/Gather"
ISSUE, NOBODY = f"/{SERVICE}/Issue", f"/{SERVICE}/Nobody"
WAIT, TALK, CHAT = f"/{SERVICE}/Wait", f"/{SERVICE}/Talk", f"/{SERVICE}/Chat"
ACCESS = {
    SAY: EVERYONE,
    COUNT: EVERYONE,
    GATHER: EVERYONE,
    ISSUE: EVERYONE,
    NOBODY: frozenset({Role.SETTLEMENT}),
    WAIT: EVERYONE,
    TALK: EVERYONE,
    CHAT: EVERYONE,
}
KIND = descriptor_pb2.FieldDescriptorProto


def _rule(text: str) -> descriptor_pb2.FieldOptions:
    """The options of a field in the text of protovalidate."""
    return text_format.Parse(f"[buf.validate.field] {{ {text} }}", descriptor_pb2.FieldOptions())


def _contract() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(
        name="coalition/test/v1/echo.proto",
        package="coalition.test.v1",
        syntax="proto3",
        dependency=[validate_pb2.DESCRIPTOR.name],
    )
    message = file.message_type.add(name="Words")
    text = message.field.add(name="text", number=1, type=KIND.TYPE_STRING, label=KIND.LABEL_OPTIONAL)
    text.options.CopyFrom(_rule("string { min_len: 1 }"))
    numbers = message.field.add(name="numbers", number=2, type=KIND.TYPE_INT64, label=KIND.LABEL_REPEATED)
    numbers.options.CopyFrom(_rule("repeated { items { int64 { gt: 0 } } }"))
    inner = message.field.add(
        name="inner", number=3, type=KIND.TYPE_MESSAGE, type_name=".coalition.test.v1.Words", label=KIND.LABEL_OPTIONAL
    )
    assert inner.number == 3
    service = file.service.add(name="EchoService")
    for name, asks_stream, answers_stream in (
        ("Say", False, False),
        ("Count", False, True),
        ("Gather", True, False),
        ("Issue", False, False),
        ("Nobody", False, False),
        ("Wait", False, False),
        ("Talk", True, True),
        ("Chat", True, True),
    ):
        service.method.add(
            name=name,
            input_type=".coalition.test.v1.Words",
            output_type=".coalition.test.v1.Words",
            client_streaming=asks_stream,
            server_streaming=answers_stream,
        )
    return file


descriptor_pool.Default().Add(_contract())

if TYPE_CHECKING:

    class Words(Message):
        """The only message, asked and answered."""

        text: str
        numbers: Sequence[int]
        inner: Words

        def __init__(self, *, text: str = ..., numbers: Sequence[int] = ..., inner: Words | None = ...) -> None: ...
else:
    Words = message_factory.GetMessageClass(descriptor_pool.Default().FindMessageTypeByName("coalition.test.v1.Words"))

Behaviour = Callable[[Words, grpc.ServicerContext], Words]


def raising(error: Exception) -> Behaviour:
    """A servicer that raises."""

    def behave(_request: Words, _context: grpc.ServicerContext) -> Words:
        raise error

    return behave


def looking(look: Callable[[grpc.ServicerContext], object]) -> Behaviour:
    """A servicer that looks at the call's context and repeats what it hears."""

    def behave(request: Words, context: grpc.ServicerContext) -> Words:
        look(context)
        return request

    return behave


class Echo:
    """Does what the test says; without being told, repeats what it hears.

    `waits`: on a loop Wait and Chat are coroutines there; else they are as Say and Talk.
    `closed_by`: the threads in which streams of answers let go of what they held.
    """

    def __init__(self, *, waits: bool = False) -> None:
        self.waits = waits
        self.behaviour: Behaviour = lambda request, _context: Words(text=request.text)
        self.closed_by: queue.Queue[str] = queue.Queue()

    def say(self, request: Words, context: grpc.ServicerContext) -> Words:
        return self.behaviour(request, context)

    def count(self, request: Words, context: grpc.ServicerContext) -> Iterator[Words]:
        try:
            for number in request.numbers:
                yield self.behaviour(Words(text=str(number)), context)
        finally:
            self.closed_by.put(threading.current_thread().name)

    def gather(self, requests: Iterator[Words], context: grpc.ServicerContext) -> Words:
        return self.behaviour(Words(text=" ".join(request.text for request in requests)), context)

    def talk(self, requests: Iterator[Words], context: grpc.ServicerContext) -> Iterator[Words]:
        for request in requests:
            yield self.behaviour(request, context)

    async def wait(self, request: Words, context: grpc.ServicerContext) -> Words:
        await asyncio.sleep(0)
        return self.behaviour(request, context)

    async def chat(self, requests: AsyncIterator[Words], context: grpc.ServicerContext) -> AsyncIterator[Words]:
        async for request in requests:
            yield self.behaviour(request, context)

    def register(self, server: grpc.Server) -> None:
        read, write = Words.FromString, Words.SerializeToString
        handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
            "Say": grpc.unary_unary_rpc_method_handler(self.say, read, write),
            "Issue": grpc.unary_unary_rpc_method_handler(self.say, read, write),
            "Nobody": grpc.unary_unary_rpc_method_handler(self.say, read, write),
            "Count": grpc.unary_stream_rpc_method_handler(self.count, read, write),
            "Gather": grpc.stream_unary_rpc_method_handler(self.gather, read, write),
            "Talk": grpc.stream_stream_rpc_method_handler(self.talk, read, write),
            "Wait": grpc.unary_unary_rpc_method_handler(cast(Any, self.wait if self.waits else self.say), read, write),
            "Chat": grpc.stream_stream_rpc_method_handler(
                cast(Any, self.chat if self.waits else self.talk), read, write
            ),
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
        server.add_registered_method_handlers(SERVICE, handlers)


class Stub:
    """The client's side."""

    def __init__(self, channel: grpc.Channel) -> None:
        write, read = Words.SerializeToString, Words.FromString
        self.say = channel.unary_unary(SAY, write, read)
        self.issue = channel.unary_unary(ISSUE, write, read)
        self.nobody = channel.unary_unary(NOBODY, write, read)
        self.count = channel.unary_stream(COUNT, write, read)
        self.gather = channel.stream_unary(GATHER, write, read)
        self.wait = channel.unary_unary(WAIT, write, read)
        self.talk = channel.stream_stream(TALK, write, read)
        self.chat = channel.stream_stream(CHAT, write, read)
        self.say_bytes = channel.unary_unary(SAY, bytes, read)
