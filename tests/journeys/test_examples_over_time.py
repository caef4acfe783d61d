"""E8, E9, W1 and W2 at the running services: what time does to prices, lots and windows.

Tests run in any order and time only goes on, so the days of an example are moved into the first years in which none of
them is over yet: whole years, so that each keeps its month and day.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from coalition.ledger.v1 import ledger_pb2 as ledger

from shared.rpc.wire import date_pb, timestamp
from tests.journeys.story import SECONDS, Story, fresh_id, terms, version, yesterday
from tests.support.platform import RunningPlatform
from tests.support.refused import Refused
from tests.support.vectors import Example, example

_LONG_BEFORE = timedelta(days=30)


@dataclass(frozen=True)
class Calendar:
    """The days of an example, moved."""

    years: int

    @classmethod
    def beginning(cls, first: str, now: datetime) -> Calendar:
        """The earliest one in which everything about the example, a month before its first day too, is to come."""
        years = 0
        while cls(years).noon(first) - _LONG_BEFORE <= now:
            years += 1
        return cls(years)

    def day(self, text: str) -> date:
        """A day of the example."""
        day = date.fromisoformat(text)
        return day.replace(year=day.year + self.years)

    def noon(self, text: str) -> datetime:
        """Noon of that day."""
        return datetime.combine(self.day(text), time(12), UTC)

    def midnight(self, text: str) -> datetime:
        """Its first instant."""
        return datetime.combine(self.day(text), time(), UTC)


class Dated(Story):
    """A story with a calendar."""

    def __init__(self, platform: RunningPlatform, first: str) -> None:
        super().__init__(platform)
        self.calendar = Calendar.beginning(first, platform.clock.now())

    def come(self, day: str) -> None:
        """Noon of that day comes."""
        self.platform.clock.set(self.calendar.noon(day))

    def join_with_rates(self, letter: str, given: Example) -> None:
        """A contract whose rates follow each other."""
        since = self.platform.clock.now()
        versions = []
        for period in given["billing_rates"]:
            start = self.calendar.midnight(period["from"]) if "from" in period else since
            versions.append(version(start, given["currency"], issuance=period["rate"]))
        self.join(letter, *versions)

    def postings(self, entry: ledger.Entry) -> list[dict[str, Any]]:
        """What an entry moved, as the journal has it."""
        cursor = [ledger.BucketPosition(bucket=entry.bucket, seq=entry.seq - 1)]
        request = ledger.ReadJournalRequest(cursor=cursor, page_size=1)
        [found] = self.platform.operator.ledger.ReadJournal(request, timeout=SECONDS).entries
        postings: list[dict[str, Any]] = json.loads(found.canonical)["postings"]
        return postings


def test_e8_a_reversal_is_priced_like_its_award(own_platform: RunningPlatform) -> None:
    e8 = example("E8")
    given, then = e8["given"], e8["then"]
    given_award, given_reversal = e8["when"]
    story = Dated(own_platform, given_award["on"])
    story.join_with_rates("A", given)
    story.come(given_award["on"])
    entry = story.award("A", given_award["points"])
    before = own_platform.close_window()
    story.come(given_reversal["on"])
    story.reverse("A", entry, given_reversal["points"])
    after = own_platform.close_window()

    billed, credited = (story.statement("A", window).line("ISSUANCE") for window in (before, after))
    assert (billed["booked_minor"], -credited["booked_minor"]) == (then["billed_minor"], then["credited_minor"])
    assert billed["rate"] == credited["rate"]
    assert -credited["booked_minor"] != then["wrong"]["credited_at_new_rate_minor"]


def test_e8_the_new_rate_bills_what_happens_after_it(own_platform: RunningPlatform) -> None:
    e8 = example("E8")
    given_award, given_reversal = e8["when"]
    story = Dated(own_platform, given_award["on"])
    story.join_with_rates("A", e8["given"])
    story.come(given_reversal["on"])
    story.award("A", given_award["points"])
    line = story.statement("A", own_platform.close_window()).line("ISSUANCE")
    assert line["booked_minor"] == e8["then"]["wrong"]["credited_at_new_rate_minor"]


def test_e9_first_expiring_first_and_a_refund_restores_the_lots(own_platform: RunningPlatform) -> None:
    e9 = example("E9")
    given, then = e9["given"], e9["then"]
    redemption, refund = e9["when"]
    story = Dated(own_platform, redemption["on"])
    shop = story.join("A", version(own_platform.clock.now(), "EUR", issuance="0.012"))
    story.come(redemption["on"])
    names = {}
    for lot in reversed(given["lots"]):  # the order of earning is not the order of spending
        entry = story.award("A", lot["points"], expires_on=date_pb(story.calendar.day(lot["expires"])))
        names[f"{entry.seq}.0"] = lot["lot"]
    spent = story.redeem("A", redemption["points"])
    story.come(refund["on"])
    request = ledger.RefundRedemptionRequest(request_id=fresh_id(), entry=spent.name, points=refund["points"])
    restored = shop.calls.ledger.RefundRedemption(request, timeout=SECONDS)

    assert {names[one["lot"]]: one["points"] for one in story.postings(spent)} == then["consumed"]
    moved = story.postings(restored)
    assert [{"lot": names[one["lot"]], "points": one["points"]} for one in moved] == then["restored"]
    expected = {lot["lot"]: story.calendar.day(lot["expires"]).isoformat() for lot in then["lots"]}
    assert {names[one["lot"]]: one["expires_on"] for one in moved} == expected
    assert restored.balance.available == then["balance"]
    _is_good_to_its_last_day(story, then)


def _is_good_to_its_last_day(story: Dated, then: Example) -> None:
    """Everything can be spent on the first lot's new last day, and what is left of the others on the day after."""
    calls = story.partners["A"].calls.ledger
    first, *others = then["lots"]
    last_day = story.calendar.noon(first["expires"])
    story.platform.clock.set(last_day)
    hold = calls.HoldPoints(story.hold_request("A", then["balance"]), timeout=SECONDS)
    calls.ReleaseHold(ledger.ReleaseHoldRequest(request_id=fresh_id(), name=hold.name), timeout=SECONDS)
    story.platform.clock.set(last_day + timedelta(days=1))
    refused = Refused.of(lambda: calls.HoldPoints(story.hold_request("A", then["balance"]), timeout=SECONDS))
    assert refused.reason == "INSUFFICIENT_POINTS"
    assert refused.metadata["available"] == str(sum(lot["points"] for lot in others))


@pytest.mark.parametrize("cut", example("W1")["when"], ids=lambda cut: f"{cut['length_days']}-days")
def test_w1_the_bill_does_not_depend_on_where_windows_are_cut(
    own_platform: RunningPlatform, cut: dict[str, int]
) -> None:
    w1 = example("W1")
    given, then = w1["given"], w1["then"]
    story = Story(own_platform)
    story.join("C", terms(given, yesterday(own_platform)))
    booked = [
        story.statement("C", window).line("ISSUANCE")["booked_minor"]
        for window in _windows(story, given, cut["length_days"])
    ]
    expected = then["booked_minor"]
    assert sum(booked) == then["total_minor"] != then["wrong"]["daily_windows_rounded_alone_minor"]
    if cut["length_days"] == 1:
        assert booked[:5] == expected["length_1_first_five"]
        assert len(booked) == given["days"]
    else:
        assert booked == expected[f"length_{cut['length_days']}"]


def _windows(story: Story, given: Example, length: int) -> Iterator[Any]:
    """The same awards, day by day, with a window closed after every `length` days."""
    for day in range(1, given["days"] + 1):
        story.award("C", given["points_per_day"])
        if day % length == 0:
            yield story.platform.close_window()
        story.platform.clock.move(timedelta(days=1))


def test_w2_reversals_and_a_late_entry_across_windows(own_platform: RunningPlatform) -> None:
    """Partner B does the same as A, without the late award."""
    w2 = example("W2")
    given, then = w2["given"], w2["then"]
    story = Dated(own_platform, w2["when"][0]["occurred_on"])
    for letter in ("A", "B"):
        story.join_with_rates(letter, given)
    windows, entries, as_sent = {}, {}, {}
    for step in w2["when"]:
        if "occurred_on" in step and not step.get("late"):
            story.come(step["occurred_on"])
        match step:
            case {"do": "close_window", "window": name}:
                windows[name] = own_platform.close_window()
                as_sent[name] = story.statement("A", windows[name]).content
            case {"do": "award", "late": True}:
                at = timestamp(story.calendar.noon(step["occurred_on"]))
                story.award("A", step["points"], occurred_at=at)
            case {"do": "award", "id": label}:
                entries[label] = {letter: story.award(letter, step["points"]) for letter in story.partners}
            case {"do": "reverse", "of": label}:
                for letter, entry in entries[label].items():
                    story.reverse(letter, entry, step["points"])

    lines = {name: story.statement("A", window).line("ISSUANCE") for name, window in windows.items()}
    assert {line["rate"] for line in lines.values()} == {then["line_rate"]}
    booked = {name: line["booked_minor"] for name, line in lines.items()}
    assert booked == then["booked_minor"]
    assert sum(booked.values()) == then["sum_minor"]
    assert {name for name, line in lines.items() if line["late_items"]} == {then["late"]["window"]}
    assert {name: story.statement("A", window).content for name, window in windows.items()} == as_sent
    without = then["without_the_late_award"]
    others = [story.statement("B", window).line("ISSUANCE")["booked_minor"] for window in windows.values()]
    assert (others[-1], sum(others)) == (without["w3_booked_minor"], without["sum_minor"])
    assert others != without["wrong"]["each_window_rounded_alone_minor"]
