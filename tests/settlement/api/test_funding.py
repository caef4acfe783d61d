"""Prefundings over the wire and by command: two people, what is free, and nothing that is promised taken back.

In currencies that no other test pays in: what one clearing account can pay is the same for all.
"""

from __future__ import annotations

from functools import partial

import pytest
from coalition.settlement.v1 import funding_pb2 as pb
from google.type.money_pb2 import Money

from shared.rpc.wire import money_pb
from tests.settlement.api.desk import SECONDS, fresh_id, refused, replayed
from tests.support.finance import NEEDS_A_PERSON, REFUSED, decided, settle
from tests.support.platform import RunningPlatform


def wanted(minor: int, currency: str, source: str = "TRF 4711") -> pb.AddPrefundingRequest:
    prefunding = pb.Prefunding(amount=money_pb(minor, currency), source=source)
    return pb.AddPrefundingRequest(request_id=fresh_id(), prefunding=prefunding)


def free(platform: RunningPlatform, currency: str) -> int:
    found = platform.operator.funding.GetFunding(pb.GetFundingRequest(), timeout=SECONDS).currencies
    return sum(one.free.units for one in found if one.free.currency_code == currency)


def test_money_of_the_operators_counts_when_a_second_person_said_so(platform: RunningPlatform) -> None:
    stub, request = platform.operator.funding, wanted(5_000_00, "NOK")
    made, call = stub.AddPrefunding.with_call(request, timeout=SECONDS)
    assert not replayed(call)
    again, call = stub.AddPrefunding.with_call(request, timeout=SECONDS)
    assert (again, replayed(call)) == (made, True)
    look = pb.GetPrefundingRequest(name=made.name)
    unseen = refused(lambda: stub.GetPrefunding(look, timeout=SECONDS))
    assert unseen == ("NOT_FOUND", "PREFUNDING_NOT_FOUND")
    assert free(platform, "NOK") == 0
    platform.approve(made.proposal)
    assert free(platform, "NOK") == 5_000
    found = stub.GetPrefunding(look, timeout=SECONDS)
    assert (found.amount, found.source, found.proposal) == (made.amount, "TRF 4711", made.proposal)
    assert found.HasField("create_time")


def test_what_is_promised_to_partners_is_not_taken_back(platform: RunningPlatform) -> None:
    stub = platform.operator.funding
    platform.approve(stub.AddPrefunding(wanted(100_00, "DKK"), timeout=SECONDS).proposal)
    too_much = refused(lambda: stub.AddPrefunding(wanted(-100_01, "DKK"), timeout=SECONDS))
    assert too_much == ("FAILED_PRECONDITION", "PREFUNDING_NOT_FREE")
    first, second = (stub.AddPrefunding(wanted(-60_00, "DKK"), timeout=SECONDS) for _ in range(2))
    platform.approve(first.proposal)
    late = refused(partial(platform.approve, second.proposal))
    assert late == ("FAILED_PRECONDITION", "PREFUNDING_NOT_FREE")
    assert free(platform, "DKK") == 40


@pytest.mark.parametrize(
    ("units", "currency", "reason"),
    [(0, "SEK", "NOT_MONEY"), (1, "", "CURRENCY_UNKNOWN"), (1, "QQQ", "CURRENCY_UNKNOWN")],
)
def test_what_is_no_money_is_refused(platform: RunningPlatform, units: int, currency: str, reason: str) -> None:
    request = wanted(0, "SEK")
    request.prefunding.amount.MergeFrom(Money(currency_code=currency, units=units))
    if not currency:
        request.prefunding.amount.ClearField("currency_code")
    found = refused(lambda: platform.operator.funding.AddPrefunding(request, timeout=SECONDS))
    assert found == ("INVALID_ARGUMENT", reason)


def test_the_list_has_pages_and_every_prefunding_once(platform: RunningPlatform) -> None:
    stub = platform.operator.funding
    made = [stub.AddPrefunding(wanted(minor, "CZK"), timeout=SECONDS) for minor in (1, 2, 3)]
    for one in made:
        platform.approve(one.proposal)
    request, seen = pb.ListPrefundingsRequest(page_size=2), list[str]()
    while True:
        page = stub.ListPrefundings(request, timeout=SECONDS)
        assert len(page.prefundings) <= 2
        seen += [one.name for one in page.prefundings]
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert len(set(seen)) == len(seen)
    assert {one.name for one in made} <= set(seen)


def test_finance_prefunds_by_command(platform: RunningPlatform) -> None:
    home = platform.home
    made, again = (settle(home, "fund", "250.50 HUF", "--source", "TRF 1", code=NEEDS_A_PERSON) for _ in range(2))
    assert again == made
    assert "another person: coalition settle proposals" in made["next"]
    decided(home, made)
    shown = settle(home, "fund")
    assert {"free": "250.50 HUF", "waiting": "0.00 HUF", "missing": "0.00 HUF"} in shown["currencies"]
    assert made["prefunding"] in {one["prefunding"] for one in shown["prefundings"]}
    back = settle(home, "fund", "250.51 HUF", "--back", "--source", "TRF 2", code=REFUSED)
    assert "cannot be taken back" in back["refused"]
