"""kill -9 while tills are at work: what was acknowledged is there once; what was not happens once, by repeating it."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar
from uuid import UUID, uuid4

import grpc
import pytest
from coalition.ledger.v1 import ledger_pb2 as pb
from google.rpc import error_details_pb2 as details

from services.sandbox import processes
from services.sandbox.keys import keys_of
from services.sandbox.platform import up
from services.sandbox.postgres import Server, server_of
from tests.faults.history import Answered, gaps, violations
from tests.ledger.till import SECONDS, Till, award, receipt, redeem, till_of
from tests.support.platform import RunningPlatform, platform_in
from tests.support.refused import Refused
from tests.support.together import until

R = TypeVar("R", pb.AwardPointsRequest, pb.RedeemPointsRequest)

TILLS = 4
PATIENCE = 60.0
PASSING = {"UNAVAILABLE", "ABORTED", "DEADLINE_EXCEEDED", "CANCELLED"}
"""What a till may be told while the ledger dies: each of them means `repeat with the same id`."""


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    """A platform of our own to kill."""
    with platform_in(tmp_path_factory.mktemp("mortal")) as running:
        yield running


@dataclass(frozen=True)
class Done:
    """What was acknowledged, and how to ask for it again."""

    call: Callable[[], tuple[pb.Entry, grpc.Call]]
    entry: pb.Entry


@dataclass
class Shift:
    """One till's work: awards and redemptions in a wallet of its own, never given up before their fate is known."""

    till: Till
    wallet: UUID = field(default_factory=uuid4)
    history: list[Answered] = field(default_factory=list)
    done: list[Done] = field(default_factory=list)
    interrupted: int = 0

    def work(self, over: threading.Event) -> None:
        grant = self.till.grant(self.wallet)
        while not over.is_set():
            self._insisted(award(grant, 10, receipt_ref=receipt()), self.till.ledger.AwardPoints)
            self._insisted(redeem(grant, 7), self.till.ledger.RedeemPoints)

    def _insisted(self, request: R, method: grpc.UnaryUnaryMultiCallable[R, pb.Entry]) -> None:
        called = time.monotonic()
        while True:
            try:
                entry = method(request, timeout=5)
            except grpc.RpcError as error:
                refused = Refused(error)
                assert refused.code.name in PASSING, f"{refused.code.name}: {refused.text}"
                assert time.monotonic() < called + PATIENCE, "it never came back"
                self.interrupted += 1
                time.sleep(0.05)
            else:
                self.history.append(Answered(str(self.wallet), called, time.monotonic(), entry))
                self.done.append(Done(partial(method.with_call, request, timeout=SECONDS), entry))
                return


def _kill_ledger(platform: RunningPlatform) -> None:
    record = processes.recorded("ledger", platform.home.run)
    assert record is not None
    os.kill(record.pid, signal.SIGKILL)
    until(lambda: not processes.running(record))


def _kill_postgres(platform: RunningPlatform) -> None:
    server = _postgres(platform)
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    until(lambda: not server.running())


def _postgres(platform: RunningPlatform) -> Server:
    return server_of(platform.home, keys_of(platform.home).administrator)


@pytest.mark.parametrize("kill", [_kill_ledger, _kill_postgres])
def test_every_acknowledged_call_is_there_once_after_a_kill(
    mortal: RunningPlatform, kill: Callable[[RunningPlatform], None]
) -> None:
    luck = random.Random(20260115)
    shifts = [Shift(till_of(mortal)) for _ in range(TILLS)]
    over = threading.Event()
    with ThreadPoolExecutor(TILLS) as pool:
        working = [pool.submit(shift.work, over) for shift in shifts]
        try:
            for _ in range(2):
                time.sleep(luck.uniform(0.3, 1.0))
                kill(mortal)
                up(mortal.home, say=print)
            time.sleep(0.5)
        finally:
            over.set()
        for done in working:
            done.result()

    assert sum(shift.interrupted for shift in shifts) > 0, "nobody was working when it died"
    assert violations(answer for shift in shifts for answer in shift.history) == []
    for shift in shifts:
        _is_there_once(shift)
    journal = _journal(mortal)
    assert gaps(journal) == []
    *_, last = mortal.operator.ledger.VerifyJournal(pb.VerifyJournalRequest(), timeout=60)
    assert last.WhichOneof("event") == "summary", last
    assert last.summary.entries == len(journal)


def _is_there_once(shift: Shift) -> None:
    """The partner's list holds exactly what was acknowledged, and a repeat of each request answers the same."""
    listed: list[pb.Entry] = []
    token = ""
    while True:
        request = pb.ListEntriesRequest(parent=shift.till.partner.name, page_size=1000, page_token=token)
        page = shift.till.ledger.ListEntries(request, timeout=SECONDS)
        listed += page.entries
        token = page.next_page_token
        if not token:
            break
    assert listed == sorted((done.entry for done in shift.done), key=lambda entry: (entry.bucket, entry.seq))
    for again in shift.done[-10:]:
        answer, call = again.call()
        assert answer == again.entry
        assert dict(call.trailing_metadata())["idempotent-replay"] == "true"


def _journal(platform: RunningPlatform) -> list[pb.JournalEntry]:
    ledger = platform.operator.ledger
    first = pb.ReadJournalRequest(cursor=[pb.BucketPosition()])
    count = ledger.ReadJournal(first, timeout=SECONDS, wait_for_ready=True).bucket_count
    request = pb.ReadJournalRequest(cursor=[pb.BucketPosition(bucket=bucket) for bucket in range(count)])
    found: list[pb.JournalEntry] = []
    while True:
        page = ledger.ReadJournal(request, timeout=SECONDS)
        found += page.entries
        if not page.more:
            return found
        request = pb.ReadJournalRequest(cursor=page.cursor)


def test_while_postgresql_is_away_calls_are_refused_with_a_time_to_come_back(mortal: RunningPlatform) -> None:
    till = till_of(mortal)
    grant = till.grant()
    request = award(grant, 100)
    first = till.ledger.AwardPoints(request, timeout=SECONDS)
    ledger_before = processes.recorded("ledger", mortal.home.run)
    _postgres(mortal).stop()
    try:
        calls: list[Callable[[], object]] = [
            lambda: till.award(grant, 1),
            lambda: till.redeem(grant, 1),
            lambda: till.balance(grant),
            lambda: mortal.operator.ledger.GetTotals(pb.GetTotalsRequest(), timeout=SECONDS),
        ]
        for call in calls:
            refused = Refused.of(call)
            assert (refused.code.name, refused.reason) == ("UNAVAILABLE", "DATABASE_UNAVAILABLE")
            assert refused.well_formed()
            retry = refused.detail(details.RetryInfo)
            assert retry
            assert retry.retry_delay.ToMilliseconds() > 0
    finally:
        up(mortal.home, say=print)
    assert processes.recorded("ledger", mortal.home.run) == ledger_before, "the ledger itself did not have to restart"
    again, call_ = till.ledger.AwardPoints.with_call(request, timeout=SECONDS)
    assert again == first
    assert dict(call_.trailing_metadata())["idempotent-replay"] == "true"
    assert till.available(grant) == 100
    assert till.award(grant, 1).balance.available == 101
