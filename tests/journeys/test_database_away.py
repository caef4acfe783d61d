"""The database goes away and comes back: nothing is lost, nothing counts twice, and nobody has to restart a service."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import grpc
import pytest
from coalition.identity.v1 import identity_pb2 as identity
from coalition.ledger.v1 import ledger_pb2 as ledger
from coalition.settlement.v1 import settlement_pb2 as settlement
from google.rpc.error_details_pb2 import RetryInfo
from grpc import StatusCode

from services.sandbox import processes
from services.sandbox.keys import keys_of
from services.sandbox.postgres import server_of
from services.sandbox.services import SERVICES
from services.sandbox.verification import verify
from tests.journeys.shopping import per_unit, publish, receipt, record_request
from tests.journeys.story import SECONDS, Story, award, fresh_id, terms, yesterday
from tests.support.platform import RunningPlatform
from tests.support.refused import Refused
from tests.support.together import until
from tests.support.vectors import example

EUR = "EUR"


@pytest.fixture
def story(own_platform: RunningPlatform) -> Story:
    told = Story(own_platform)
    told.join("A", terms(example("E1")["given"], yesterday(own_platform)))
    publish(told, EUR, [per_unit("base", "1")])
    told.award("A", 100)
    return told


@contextmanager
def database_away(platform: RunningPlatform) -> Iterator[None]:
    server = server_of(platform.home, keys_of(platform.home).administrator)
    server.stop()
    try:
        yield
    finally:
        server.start(say=print)


def pids(platform: RunningPlatform) -> dict[str, int]:
    found = {service: processes.recorded(service, platform.home.run) for service in SERVICES}
    return {service: record.pid for service, record in found.items() if record and processes.running(record)}


def works(call: Callable[[], object]) -> bool:
    """Whether it does by now; until then it says that the service is down, or that the answer will come."""
    try:
        call()
    except grpc.RpcError as error:
        if error.code() not in {StatusCode.UNAVAILABLE, StatusCode.ABORTED}:
            raise
        return False
    return True


def test_every_service_says_that_it_is_down_and_works_again_when_the_database_is_back(story: Story) -> None:
    platform, partner = story.platform, story.partners["A"]
    running = pids(platform)
    grant = platform.grant(partner, story.anna, redeem=True)
    sale = record_request(story, receipt(story, EUR, [3_000]))
    given = award(grant, 7)
    spending = ledger.RedeemPointsRequest(request_id=fresh_id(), grant=grant, points=10)
    calls: dict[str, Callable[[], object]] = {
        "resolve": lambda: partner.calls.members.ResolveMember(
            identity.ResolveMemberRequest(identifier=story.anna.card), timeout=SECONDS
        ),
        "award": lambda: partner.calls.ledger.AwardPoints(given, timeout=SECONDS),
        "redeem": lambda: partner.calls.ledger.RedeemPoints(spending, timeout=SECONDS),
        "balance": lambda: partner.calls.ledger.GetBalance(ledger.GetBalanceRequest(grant=grant), timeout=SECONDS),
        "totals": lambda: platform.operator.ledger.GetTotals(ledger.GetTotalsRequest(), timeout=SECONDS),
        "purchase": lambda: partner.calls.purchases.RecordPurchase(sale, timeout=SECONDS),
        "contract": lambda: partner.calls.contracts.ListContractVersions(
            settlement.ListContractVersionsRequest(parent=partner.name), timeout=SECONDS
        ),
        "window": lambda: platform.operator.windows.GetWindow(
            settlement.GetWindowRequest(name="windows/open"), timeout=SECONDS
        ),
    }
    with database_away(platform):
        for call in calls.values():
            refused = Refused.of(call)
            assert refused.code is StatusCode.UNAVAILABLE, refused.text
            retry = refused.detail(RetryInfo)
            assert retry is not None
            assert retry.retry_delay.ToMilliseconds() > 0
            assert refused.well_formed()

    for call in calls.values():
        until(partial(works, call))
    for call in (calls["award"], calls["redeem"], calls["purchase"]):
        call()  # the same request ids again: the same answers
    assert story.balance("A").available == 100 + 7 - 10 + 30
    assert pids(platform) == running
    line = story.statement("A", platform.close_window()).line("ISSUANCE")
    assert line["points"] == 100 + 7 + 30
    assert verify(platform.operator, lambda what, done, total: None).difference == ""


def test_a_window_closes_after_the_database_was_away_in_the_middle_of_it(story: Story) -> None:
    platform = story.platform
    window = platform.operator.windows.GetWindow(settlement.GetWindowRequest(name="windows/open"), timeout=SECONDS)
    request = settlement.CloseWindowRequest(name=window.name, request_id=fresh_id())
    closing = platform.operator.windows.CloseWindow.future(request, timeout=60)
    with database_away(platform):
        closing.exception()  # whatever it says, the same request goes on
    closed: list[settlement.Window] = []

    def close() -> bool:
        try:
            closed.append(platform.operator.windows.CloseWindow(request, timeout=SECONDS))
        except grpc.RpcError:
            return False
        return True

    until(close)
    assert closed[0].state == settlement.WINDOW_STATE_CLOSED
    assert story.statement("A", closed[0]).line("ISSUANCE")["points"] == 100
    assert verify(platform.operator, lambda what, done, total: None).difference == ""
