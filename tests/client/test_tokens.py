"""Tokens come and go without the till noticing, whatever the clocks say."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from coalition.client import Coalition, CredentialRefused, IssuedTokens, Kit, TokenExpired, connect
from coalition.client.lease import Clocks
from coalition.identity.v1.identity_pb2 import IssueTokenRequest, IssueTokenResponse
from coalition.ledger.v1 import ledger_pb2 as pb

from tests.client.house import AWARD, ISSUE, House, refuse

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _awards(house: House) -> None:
    house.on(AWARD, lambda request, context: pb.Entry(name="partners/grocer/entries/1-1"))


def test_one_token_serves_many_calls(house: House, coalition: Coalition) -> None:
    for _ in range(3):
        coalition.ledger.AwardPoints(pb.AwardPointsRequest())
    assert len(house.issued) == 1
    assert house.bearers == house.issued * 3


def test_many_threads_fetch_one_token(house: House, coalition: Coalition) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: coalition.ledger.AwardPoints(pb.AwardPointsRequest()), range(24)))
    assert len(house.issued) == 1


def test_a_token_that_ended_early_is_renewed_and_the_call_repeated(house: House, coalition: Coalition) -> None:
    coalition.ledger.AwardPoints(pb.AwardPointsRequest())
    house.good.clear()
    assert coalition.ledger.AwardPoints(pb.AwardPointsRequest()).name == "partners/grocer/entries/1-1"
    assert house.bearers == [house.issued[0], house.issued[0], house.issued[1]]


def test_a_platform_that_takes_no_token_is_asked_twice_and_no_more(house: House, coalition: Coalition) -> None:
    house.on(AWARD, lambda request, context: refuse(context, grpc.StatusCode.UNAUTHENTICATED, "TOKEN_EXPIRED"))
    with pytest.raises(TokenExpired):
        coalition.ledger.AwardPoints(pb.AwardPointsRequest())
    assert len(house.bearers) == len(house.issued) == 2


def test_a_wrong_secret_is_the_refusal_of_the_call_that_needed_it(house: House) -> None:
    (house.kit / "secret").write_text("another")
    with connect(house.kit) as coalition, pytest.raises(CredentialRefused):
        coalition.ledger.AwardPoints(pb.AwardPointsRequest())
    assert house.bearers == []


def test_tokens_may_come_from_elsewhere(house: House) -> None:
    class Vault:
        def token(self) -> str:
            return "from the vault"

        def instead_of(self, stale: str) -> str:
            raise AssertionError(stale)

    house.good = {"from the vault"}
    house.behaviours.pop(ISSUE)
    with connect(house.kit, tokens=Vault()) as coalition:
        coalition.ledger.AwardPoints(pb.AwardPointsRequest())
    assert house.bearers == ["from the vault"]


class Desk:
    """Issues t1, t2 ... and says that they end when the test says."""

    def __init__(self, ends: Callable[[], datetime]) -> None:
        self.count = 0
        self._ends = ends

    def __call__(self, request: IssueTokenRequest) -> IssueTokenResponse:
        self.count += 1
        answer = IssueTokenResponse(access_token=f"t{self.count}")
        answer.expire_time.FromDatetime(self._ends())
        return answer


@pytest.mark.parametrize(
    ("ends", "renewed_after"),
    [
        (NOON + timedelta(minutes=15), 720),
        (NOON + timedelta(minutes=1), 48),
        (NOON + timedelta(days=-3000), 720),
        (NOON + timedelta(days=3000), 720),
    ],
    ids=["clocks agree", "a short token", "a sandbox in the past", "a sandbox in the future"],
)
def test_a_token_is_renewed_when_a_fifth_of_its_time_is_left(house: House, ends: datetime, renewed_after: int) -> None:
    seconds = 0.0
    desk = Desk(lambda: ends)
    tokens = IssuedTokens(Kit.load(house.kit), desk, Clocks(steady=lambda: seconds, wall=lambda: NOON))
    assert tokens.token() == "t1"
    seconds = renewed_after - 1
    assert tokens.token() == "t1"
    seconds = renewed_after + 1
    assert tokens.token() == "t2"


def test_a_token_that_another_thread_replaced_is_not_fetched_again(house: House) -> None:
    desk = Desk(lambda: NOON)
    tokens = IssuedTokens(Kit.load(house.kit), desk)
    stale = tokens.token()
    assert [tokens.instead_of(stale), tokens.instead_of(stale)] == ["t2", "t2"]
    assert desk.count == 2
