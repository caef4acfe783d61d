"""While the ledger, PostgreSQL or settlement itself is away a window waits; a repeat of the call closes it, once."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import psutil
import pytest
from coalition.settlement.v1 import settlement_pb2 as pb
from coalition.statements.verify import public_key, verify

from services.sandbox import processes
from services.sandbox.keys import keys_of
from services.sandbox.platform import up
from services.sandbox.postgres import server_of
from shared.rpc.remote import remote_refusal
from tests.ledger.till import Till, till_of
from tests.settlement.api.desk import SECONDS, fresh_id, open_window, verdict
from tests.support.platform import RunningPlatform, platform_in
from tests.support.refused import Refused
from tests.support.together import until

KILLS = 4
PASSING = {"UNAVAILABLE", "ABORTED", "DEADLINE_EXCEEDED", "CANCELLED"}


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    """A platform of our own to kill."""
    with platform_in(tmp_path_factory.mktemp("mortal")) as running:
        yield running


def kill(platform: RunningPlatform, service: str, number: signal.Signals = signal.SIGKILL) -> None:
    record = processes.recorded(service, platform.home.run)
    assert record is not None
    os.kill(record.pid, number)
    if number == signal.SIGKILL:
        until(lambda: not processes.running(record))


def asked(platform: RunningPlatform) -> pb.CloseWindowRequest:
    return pb.CloseWindowRequest(name=open_window(platform).name, request_id=fresh_id())


def has_read(platform: RunningPlatform) -> bool:
    status = platform.operator.windows.GetIngestStatus(pb.GetIngestStatusRequest(), timeout=SECONDS)
    return any(bucket.seq for bucket in status.buckets)


def insisted(platform: RunningPlatform, request: pb.CloseWindowRequest) -> pb.Window:
    """The closed window, by repeating while the refusal says that this helps."""
    give_up = time.monotonic() + 60
    while True:
        try:
            return platform.operator.windows.CloseWindow(request, timeout=SECONDS)
        except grpc.RpcError as error:
            refused = remote_refusal(error)
            if (refused.reason != "WINDOW_WAITS" and error.code().name not in PASSING) or time.monotonic() > give_up:
                raise
            time.sleep(0.1)


def is_sound(platform: RunningPlatform, till: Till, window: pb.Window, billed_minor: int) -> None:
    """Billed once, verified by us and by the partner."""
    (net,) = (net for net in window.nets if net.partner == till.partner.id)
    assert net.billed.units * 100 + net.billed.nanos // 10**7 == billed_minor
    last = verdict(platform)
    assert last.WhichOneof("event") == "summary", last
    name = f"{till.partner.name}/statements/{window.name.removeprefix('windows/')}"
    statement = till.partner.calls.statements.GetStatement(pb.GetStatementRequest(name=name), timeout=SECONDS)
    keys = [public_key((platform.home.keys / f"{key}.pub").read_bytes()) for key in ("operator", "checkpoint")]
    assert verify(statement.content, *keys).partner == till.partner.id


def test_a_kill_at_any_instant_of_a_closing_is_healed_by_a_repeat(mortal: RunningPlatform) -> None:
    luck = random.Random(20260115)
    till = till_of(mortal)
    grant = till.grant()
    for _ in range(KILLS):
        for _ in range(20):
            till.award(grant, 50)
        request = asked(mortal)
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(mortal.operator.windows.CloseWindow, request, timeout=SECONDS)
            time.sleep(luck.uniform(0.0, 0.25))
            kill(mortal, "settlement")
            up(mortal.home, say=lambda _: None)
            first.exception(SECONDS)
        window = insisted(mortal, request)
        assert window == mortal.operator.windows.CloseWindow(request, timeout=SECONDS)
        is_sound(mortal, till, window, 1200)


def test_while_the_ledger_is_away_the_window_waits_for_it(mortal: RunningPlatform) -> None:
    till = till_of(mortal)
    till.award(till.grant(), 1000)
    until(lambda: has_read(mortal))  # or there would be nothing for which the ledger is needed
    request = asked(mortal)
    kill(mortal, "ledger")
    try:
        waits = Refused.of(lambda: mortal.operator.windows.CloseWindow(request, timeout=SECONDS))
        assert (waits.code.name, waits.reason) == ("FAILED_PRECONDITION", "WINDOW_WAITS")
        assert waits.metadata["waitsFor"] == "LEDGER_UNREACHABLE"
        assert waits.well_formed()
        with pytest.raises(grpc.RpcError) as unverified:
            verdict(mortal)
        assert unverified.value.code().name == "UNAVAILABLE"
    finally:
        up(mortal.home, say=lambda _: None)
    is_sound(mortal, till, insisted(mortal, request), 1200)


def test_while_the_ledger_does_not_answer_the_caller_is_told_in_time(mortal: RunningPlatform) -> None:
    request = asked(mortal)
    kill(mortal, "ledger", signal.SIGSTOP)
    try:
        waits = Refused.of(lambda: mortal.operator.windows.CloseWindow(request, timeout=4))
        assert (waits.code.name, waits.reason) == ("FAILED_PRECONDITION", "WINDOW_WAITS"), "not DEADLINE_EXCEEDED"
    finally:
        kill(mortal, "ledger", signal.SIGCONT)
    assert insisted(mortal, request).state == pb.WINDOW_STATE_CLOSED


def test_while_postgresql_is_away_the_call_is_unavailable(mortal: RunningPlatform) -> None:
    till = till_of(mortal)
    till.award(till.grant(), 1000)
    request = asked(mortal)
    server_of(mortal.home, keys_of(mortal.home).administrator).stop()
    try:
        refused = Refused.of(lambda: mortal.operator.windows.CloseWindow(request, timeout=SECONDS))
        assert (refused.code.name, refused.reason) == ("UNAVAILABLE", "DATABASE_UNAVAILABLE")
        assert refused.well_formed()
    finally:
        up(mortal.home, say=lambda _: None)
    is_sound(mortal, till, insisted(mortal, request), 1200)


def test_an_idle_settlement_leaves_the_ledger_alone(mortal: RunningPlatform) -> None:
    """It waits for news instead of asking again and again: a busy loop once took a third of a core from the tills."""
    record = processes.recorded("settlement", mortal.home.run)
    assert record is not None
    settlement = psutil.Process(record.pid)

    def idles() -> bool:
        before = settlement.cpu_times()
        time.sleep(2)
        after = settlement.cpu_times()
        return after.user + after.system - before.user - before.system < 0.2

    until(idles, seconds=60)  # once it has done what earlier tests left to it
