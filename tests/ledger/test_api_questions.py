"""Balances of any moment and unit, every date on which points end, and histories with filters."""

from __future__ import annotations

from datetime import timedelta

from coalition.ledger.v1 import ledger_pb2 as pb
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date

from tests.ledger.till import SECONDS, Till, award, fresh_id, points
from tests.support.refused import Refused


def now(till: Till) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(till.platform.clock.now())
    return stamp


def as_of(till: Till, grant: str, when: Timestamp) -> pb.Balance:
    return till.ledger.GetBalance(pb.GetBalanceRequest(grant=grant, as_of=when), timeout=SECONDS)


def test_the_balance_of_a_past_moment_is_what_the_last_entry_before_it_left(till: Till) -> None:
    grant, moments = till.grant(), [now(till)]
    for amount in (10, 5):
        till.platform.clock.move(timedelta(hours=1))
        till.award(grant, amount)
        moments.append(now(till))
    till.platform.clock.move(timedelta(hours=1))
    till.redeem(grant, 12)
    assert [as_of(till, grant, moment) for moment in moments] == [points(), points(10), points(15)]
    assert as_of(till, grant, now(till)) == till.balance(grant) == points(3)


def test_of_tomorrow_nothing_is_recorded(till: Till) -> None:
    tomorrow = now(till)
    tomorrow.seconds += 86_400
    assert Refused.of(lambda: as_of(till, till.grant(), tomorrow)).reason == "OCCURRED_IN_FUTURE"


def test_one_award_fills_several_units_and_each_has_a_balance_of_its_own(till: Till) -> None:
    grant, before = till.grant(), now(till)
    till.platform.clock.move(timedelta(hours=1))
    lines = [
        pb.AwardLine(points=10, campaign="base"),
        pb.AwardLine(points=4, campaign="spring"),
        pb.AwardLine(points=14, unit=pb.UNIT_QUALIFYING),
        pb.AwardLine(points=1, unit=pb.UNIT_STAMPS),
    ]
    entry = till.ledger.AwardPoints(
        pb.AwardPointsRequest(request_id=fresh_id(), grant=grant, lines=lines), timeout=SECONDS
    )
    assert (entry.points, entry.unit) == (14, pb.UNIT_POINTS)
    assert [(line.points, line.unit, line.campaign) for line in entry.lines] == [
        (10, pb.UNIT_POINTS, "base"),
        (4, pb.UNIT_POINTS, "spring"),
        (14, pb.UNIT_QUALIFYING, ""),
        (1, pb.UNIT_STAMPS, ""),
    ]
    others = {other.unit: other.available for other in till.balance(grant).others}
    assert others == {pb.UNIT_QUALIFYING: 14, pb.UNIT_STAMPS: 1}
    spent = till.redeem(grant, 1, unit=pb.UNIT_STAMPS)
    assert (spent.unit, spent.balance.available) == (pb.UNIT_STAMPS, 0)
    assert till.available(grant) == 14
    assert as_of(till, grant, before).others == []
    latest = as_of(till, grant, now(till))
    assert {other.unit: other.available for other in latest.others} == {pb.UNIT_QUALIFYING: 14, pb.UNIT_STAMPS: 0}


def test_a_line_of_one_issuer_unit_and_campaign_stands_once(till: Till) -> None:
    lines = [pb.AwardLine(points=1, campaign="spring"), pb.AwardLine(points=2, campaign="spring")]
    request = pb.AwardPointsRequest(request_id=fresh_id(), grant=till.grant(), lines=lines)
    refused = Refused.of(lambda: till.ledger.AwardPoints(request, timeout=SECONDS))
    assert (refused.reason, refused.fields) == ("ISSUER_TWICE", ["lines"])
    told = {"issuer": till.partner.id, "unit": "POINTS", "campaign": "spring", "field": "lines"}
    assert refused.metadata == told


def test_the_schedule_lists_every_date_and_what_waits_or_is_held(till: Till) -> None:
    grant = till.grant()
    year = till.platform.clock.now().year
    for amount, month in ((10, 6), (5, 3), (7, 6)):
        day = Date(year=year + 2, month=month, day=15)
        line = pb.AwardLine(points=amount, expires_on=day)
        till.ledger.AwardPoints(
            pb.AwardPointsRequest(request_id=fresh_id(), grant=grant, lines=[line]), timeout=SECONDS
        )
    till.hold(grant, 6)
    dates = till.ledger.GetExpirySchedule(pb.GetExpiryScheduleRequest(grant=grant), timeout=SECONDS).dates
    assert [(one.expires_on.month, one.available, one.held) for one in dates] == [(3, 0, 5), (6, 16, 1)]


def test_a_history_lists_only_the_kinds_and_times_that_are_asked_for(till: Till) -> None:
    grant = till.grant()
    till.award(grant, 10)
    till.platform.clock.move(timedelta(hours=1))
    middle = now(till)
    till.redeem(grant, 3)
    till.award(grant, 5)

    def listed(**filters: object) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        token = ""
        while True:
            request = pb.ListEntriesRequest(
                parent=till.partner.name,
                grant=grant,
                page_size=1,
                page_token=token,
                **filters,  # type: ignore[arg-type]
            )
            page = till.ledger.ListEntries(request, timeout=SECONDS)
            found += [(entry.kind, entry.points) for entry in page.entries]
            token = page.next_page_token
            if not token:
                return found

    awards = pb.ENTRY_KIND_AWARD
    assert listed() == [(awards, 10), (pb.ENTRY_KIND_REDEMPTION, 3), (awards, 5)]
    assert listed(kinds=[awards]) == [(awards, 10), (awards, 5)]
    assert listed(posted_from=middle) == [(pb.ENTRY_KIND_REDEMPTION, 3), (awards, 5)]
    assert listed(posted_before=middle, kinds=[awards]) == [(awards, 10)]


def test_a_page_token_continues_only_the_filters_it_came_from(till: Till) -> None:
    grant = till.grant()
    till.award(grant, 1)
    till.award(grant, 1)
    first = pb.ListEntriesRequest(parent=till.partner.name, grant=grant, page_size=1)
    token = till.ledger.ListEntries(first, timeout=SECONDS).next_page_token
    other = pb.ListEntriesRequest(
        parent=till.partner.name, grant=grant, page_size=1, page_token=token, kinds=[pb.ENTRY_KIND_AWARD]
    )
    assert Refused.of(lambda: till.ledger.ListEntries(other, timeout=SECONDS)).reason == "INVALID_PAGE_TOKEN"


def test_what_is_only_tried_has_no_place_and_leaves_nothing(till: Till) -> None:
    grant = till.grant()
    tried = till.ledger.AwardPoints(award(grant, 10, validate_only=True), timeout=SECONDS)
    assert (tried.name, tried.seq, tried.hash, tried.balance) == ("", 0, b"", points(10))
    assert till.balance(grant) == points()
    refusal = Refused.of(lambda: till.redeem(grant, 5, validate_only=True))
    assert refusal.reason == "INSUFFICIENT_POINTS"
