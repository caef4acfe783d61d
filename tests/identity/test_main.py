"""Identity as a process of its own: started by its environment, ended by a signal, discreet in between."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from coalition.identity.v1 import identity_pb2 as pb
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from pydantic import ValidationError

from services.identity.main import Identity
from services.identity.settings import Settings
from shared.clock import SandboxClock, SystemClock
from shared.credentials.files import write_secret
from tests.identity.house import BEGINNING, Desk, House, card, refused, wish_of
from tests.support.ports import claimed


def environment(settings: Settings, **more: object) -> dict[str, str]:
    """The process's settings as the sandbox hands them over."""
    values = settings.model_dump(exclude_none=True) | more
    return {f"COALITION_IDENTITY_{name}".upper(): str(value) for name, value in values.items()}


def healthy(channel: grpc.Channel) -> bool:
    check = channel.unary_unary(
        "/grpc.health.v1.Health/Check", HealthCheckRequest.SerializeToString, HealthCheckResponse.FromString
    )
    try:
        answer: HealthCheckResponse = check(HealthCheckRequest(), timeout=2)
    except grpc.RpcError:
        return False
    return answer.status == HealthCheckResponse.SERVING


@pytest.fixture
def process(house: House, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], Desk, Path]]:
    SandboxClock(tmp_path / "clock").set(BEGINNING)
    log, port = tmp_path / "log", claimed()
    settings = environment(
        house.settings, listen=f"127.0.0.1:{port}", clock_file=tmp_path / "clock", drain_notice_seconds=0
    )
    with log.open("wb") as output:
        command = [sys.executable, "-m", "services.identity.main"]
        running = subprocess.Popen(command, env=os.environ | settings, stdout=output, stderr=output)
    leaf = house.authority.operator("anna")
    target, house.target = house.target, f"127.0.0.1:{port}"
    channel = house.channel(leaf)
    house.target = target
    try:
        give_up = time.monotonic() + 60
        while not healthy(channel):
            assert running.poll() is None, log.read_text()
            assert time.monotonic() < give_up, log.read_text()
            time.sleep(0.1)
        yield running, Desk(channel), log
    finally:
        running.kill()
        running.wait()


def test_it_serves_drains_and_says_nothing_about_anybody(process: tuple[subprocess.Popen[bytes], Desk, Path]) -> None:
    running, operator, log = process
    phone = pb.Identifier(type=pb.IDENTIFIER_TYPE_PHONE, value="+15559876543")
    member = operator(operator.members.EnrolMember, wish_of(phone, name="Tricia McMillan"))
    refused(operator, operator.members.EnrolMember, wish_of(phone, card("SECRETCARD"), name="Tricia McMillan"))
    wrong = pb.Identifier(type=pb.IDENTIFIER_TYPE_EMAIL, value="tricia-at-home")
    refused(operator, operator.members.EnrolMember, wish_of(wrong))
    block = pb.BlockMemberRequest(name=member.name, reason="left on a spaceship")
    operator(operator.members.BlockMember, block)
    running.send_signal(signal.SIGTERM)
    assert running.wait(30) == 0
    said = log.read_text()
    assert "IDENTIFIER_TAKEN" in said
    assert "IDENTIFIER_INVALID" in said
    for value in (
        "McMillan",
        "5559876543",
        "SECRETCARD",
        "tricia",
        "spaceship",
        member.member_number,
        member.code_seed,
    ):
        assert value.lower() not in said.lower()


def test_a_key_of_the_wrong_size_stops_the_start(house: House, tmp_path: Path) -> None:
    for content in (b"", b"x" * 31, b"x" * 33):
        write_secret(tmp_path / "key", content)
        with pytest.raises(ValueError, match="32 raw bytes"):
            Identity(house.settings.model_copy(update={"master_key_file": tmp_path / "key"}), SystemClock())
    write_secret(tmp_path / "key", b"x" * 64)
    with pytest.raises(ValueError, match="one key"):
        Identity(house.settings.model_copy(update={"lookup_key_file": tmp_path / "key"}), SystemClock())


def test_a_token_never_lives_longer_than_fifteen_minutes(house: House) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(house.settings.model_dump() | {"token_seconds": 901})
