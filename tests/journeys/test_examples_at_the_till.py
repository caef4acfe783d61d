"""E24 at the running services: retries, reused ids, receipts sent twice, and twenty tills at once."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import Any

import grpc
import pytest
from coalition.ledger.v1 import ledger_pb2 as ledger

from shared.rpc.wire import date_pb
from tests.journeys.story import SECONDS, Story, fresh_id, terms, yesterday
from tests.support.platform import RunningPlatform
from tests.support.refused import Refused
from tests.support.together import at_once
from tests.support.vectors import example


@pytest.fixture
def story(platform: RunningPlatform) -> Story:
    told = Story(platform)
    told.join("A", terms(example("E1")["given"], yesterday(platform)))
    return told


def entries_of(story: Story, *kinds: str) -> list[ledger.Entry]:
    """The partner's entries of these kinds."""
    partner = story.partners["A"]
    found = partner.calls.ledger.ListEntries(ledger.ListEntriesRequest(parent=partner.name), timeout=SECONDS).entries
    return [entry for entry in found if ledger.EntryKind.Name(entry.kind).removeprefix("ENTRY_KIND_") in kinds]


def holds_asked(story: Story, steps: list[dict[str, Any]]) -> list[ledger.HoldPointsRequest]:
    """Requests for the steps of E24a and E24b; equal labels get equal ids."""
    ids: dict[str, str] = {}
    grant = story.platform.grant(story.partners["A"], story.anna, redeem=True)
    return [
        ledger.HoldPointsRequest(
            request_id=ids.setdefault(step["request_id"], fresh_id()), grant=grant, points=step["points"]
        )
        for step in steps
    ]


def test_e24a_a_retry_is_safe(story: Story) -> None:
    e24a = example("E24a")
    story.award("A", e24a["given"]["available"])
    hold = story.partners["A"].calls.ledger.HoldPoints
    answers = [hold.with_call(request, timeout=SECONDS) for request in holds_asked(story, e24a["when"])]
    assert (answers[0][0] == answers[1][0]) is e24a["then"]["same_answer"]
    replayed = [("idempotent-replay", "true") in (call.trailing_metadata() or ()) for _, call in answers]
    assert replayed == [False, True]
    assert len(entries_of(story, "HOLD")) == e24a["then"]["entries"]
    balance = story.balance("A")
    assert (balance.held, balance.available) == (e24a["then"]["held"], e24a["then"]["available"])


def test_e24a_a_retry_with_a_fresh_grant_is_the_same_request(story: Story) -> None:
    e24a = example("E24a")
    story.award("A", e24a["given"]["available"])
    [first, again] = holds_asked(story, e24a["when"])
    again.grant = story.platform.grant(story.partners["A"], story.anna, redeem=True)
    hold = story.partners["A"].calls.ledger.HoldPoints
    assert hold(first, timeout=SECONDS) == hold(again, timeout=SECONDS)


def test_e24b_a_reused_id_shows(story: Story) -> None:
    e24b = example("E24b")
    then = e24b["then"]
    story.award("A", e24b["given"]["available"])
    hold = story.partners["A"].calls.ledger.HoldPoints
    [first, other] = holds_asked(story, e24b["when"])
    hold(first, timeout=SECONDS)
    refused = Refused.of(lambda: hold(other, timeout=SECONDS))
    assert {"status": refused.code.name, "reason": refused.reason} == then["refused"]
    assert len(entries_of(story, "HOLD")) == then["entries"]
    balance = story.balance("A")
    assert (balance.held, balance.available) == (then["held"], then["available"])


def test_e24c_one_receipt_earns_once_and_the_refusal_names_the_first_entry(story: Story) -> None:
    e24c = example("E24c")
    then, ref = e24c["then"], e24c["given"]["receipt_ref"]
    receipt = ledger.ReceiptRef(
        store=ref["store"],
        terminal=ref["terminal"],
        business_date=date_pb(date.fromisoformat(ref["business_date"])),
        receipt_no=ref["receipt_no"],
    )
    [first_step, second_step] = e24c["when"]
    first = story.award("A", first_step["points"], receipt_ref=receipt)
    refused = Refused.of(lambda: story.award("A", second_step["points"], receipt_ref=receipt))
    assert refused.code.name == then["refused"]["status"]
    assert refused.metadata["entry"] == first.name
    assert len(entries_of(story, "AWARD")) == then["entries"]
    assert story.balance("A").available == then["balance"]


def test_e24d_a_balance_is_spent_once_by_twenty_at_once(story: Story) -> None:
    e24d = example("E24d")
    [step] = e24d["when"]
    then = e24d["then"]
    story.award("A", e24d["given"]["available"])
    grant = story.platform.grant(story.partners["A"], story.anna, redeem=True)
    requests = [
        ledger.RedeemPointsRequest(request_id=fresh_id(), grant=grant, points=step["points"])
        for _ in range(step["parallel"])
    ]

    def attempt(request: ledger.RedeemPointsRequest) -> str:
        try:
            story.partners["A"].calls.ledger.RedeemPoints(request, timeout=SECONDS)
        except grpc.RpcError as error:
            return Refused(error).reason
        return "succeeded"

    outcomes = at_once([partial(attempt, request) for request in requests])
    assert outcomes.count("succeeded") == then["succeeded"]
    assert outcomes.count("INSUFFICIENT_POINTS") == then["refused"]
    assert story.balance("A").available == then["available"]
    assert sum(entry.points for entry in entries_of(story, "REDEMPTION", "CAPTURE")) == then["captured"]
