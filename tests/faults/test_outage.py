"""While PostgreSQL is away the ledger says so, and goes on by itself when it is back."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from coalition.ledger.v1 import ledger_pb2 as pb
from google.rpc import error_details_pb2 as details

from services.sandbox import processes
from services.sandbox.keys import keys_of
from services.sandbox.platform import up
from services.sandbox.postgres import Server, server_of
from tests.ledger.till import SECONDS, award, till_of
from tests.support.platform import RunningPlatform, platform_in
from tests.support.refused import Refused


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    """A platform of our own to stop."""
    with platform_in(tmp_path_factory.mktemp("mortal")) as running:
        yield running


def _postgres(platform: RunningPlatform) -> Server:
    return server_of(platform.home, keys_of(platform.home).administrator)


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
