"""Requests that are no requests: junk, too much, against the rules."""

import os
import random

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest

from tests.shared.rpc.conftest import Running
from tests.shared.rpc.echo import Words
from tests.shared.rpc.refused import refused


def test_bytes_that_are_no_message_are_an_invalid_argument(running: Running) -> None:
    got = refused(running.service().say_bytes, b"\xff\xff\xff\xff")
    assert (got.code, got.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "MESSAGE_UNDECODABLE")
    assert got.info.metadata["type"] == "coalition.test.v1.Words"


def test_text_that_is_not_utf8_is_an_invalid_argument(running: Running) -> None:
    assert refused(running.service().say_bytes, b"\x0a\x02\xc3\x28").reason == "MESSAGE_UNDECODABLE"


def test_bottomless_nesting_is_an_invalid_argument(running: Running) -> None:
    content = b""
    for _ in range(2000):
        size = len(content)
        length = b""
        while size > 127:
            length += bytes([size & 127 | 128])
            size >>= 7
        content = b"\x1a" + length + bytes([size]) + content
    assert refused(running.service().say_bytes, content).reason == "MESSAGE_UNDECODABLE"


def test_a_megabyte_of_junk_is_refused_and_the_next_good_call_works(running: Running) -> None:
    stub = running.service()
    got = refused(stub.say_bytes, os.urandom(1024 * 1024))
    assert (got.code, got.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "MESSAGE_TOO_LARGE")
    assert stub.say(Words(text="still here"), timeout=5).text == "still here"


def test_more_than_the_server_takes_is_refused_by_grpc_itself(running: Running) -> None:
    stub = running.service()
    assert refused(stub.say_bytes, bytes(5 * 1024 * 1024)).code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert stub.say(Words(text="still here"), timeout=5).text == "still here"


def test_a_method_may_take_more_than_its_neighbours(running: Running) -> None:
    numbers = list(range(1, 60_000))
    stub = running.service()
    assert refused(stub.say, Words(text="a", numbers=numbers)).reason == "MESSAGE_TOO_LARGE"
    assert next(stub.count(Words(text="a", numbers=numbers), timeout=10)).text == "1"


def test_each_broken_rule_is_one_violation_with_a_path(running: Running) -> None:
    got = refused(running.service().say, Words(numbers=[4, 0, -1], inner=Words(text="")))
    assert (got.code, got.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST")
    fields = [violation.field for violation in got.detail(BadRequest).field_violations]
    assert fields == ["text", "numbers[1]", "numbers[2]", "inner.text"]


def test_messages_of_a_stream_keep_the_rules_too(running: Running) -> None:
    stub = running.service()
    assert refused(stub.gather, iter([Words(text="a"), Words()])).reason == "INVALID_REQUEST"
    assert refused(stub.count, Words()).reason == "INVALID_REQUEST"
    assert stub.gather(iter([Words(text="a"), Words(text="b")]), timeout=5).text == "a b"


@pytest.mark.parametrize("seed", range(3))
def test_random_bytes_never_make_a_fault_of_ours(running: Running, seed: int) -> None:
    chance = random.Random(seed)
    stub = running.service()
    for _ in range(100):
        answer = stub.say_bytes.future(chance.randbytes(chance.randrange(1, 200)), timeout=10)
        assert answer.code() in (grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT)
