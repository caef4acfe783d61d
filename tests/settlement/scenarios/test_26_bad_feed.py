"""26: a hole, a duplicate, disorder, a poison entry in the feed.

A bucket stops at a hole, and goes on by itself when that is mended; a duplicate is ignored; poison goes to suspense.
"""

from __future__ import annotations

import pytest

from tests.settlement.paper import day, terms
from tests.settlement.store.office import Office

POISON = [b"", b"{}", b'{"v":1}', b"\xff", b"[" * 5000, b'{"v":1,"bucket":0,"seq":2,"kind":"AWARD","postings":1}']


def filled(office: Office) -> None:
    office.publish("acorn", terms(since=day(-1)))
    for bucket in (0, 1):
        for points in (1, 2, 3, 4):
            office.paper.award(points, bucket=bucket)


def test_a_bucket_stops_at_a_hole_and_goes_on_when_it_is_mended(office: Office) -> None:
    filled(office)
    first, second = office.paper.buckets
    assert office.take_in([first[0], first[2], *second]) == 4
    stopped = office.reached()[0]
    assert stopped == (0, "after entry 0-1 came 0-3")
    assert office.take_in(first) == 0, "who reads on does not look again"
    assert office.take_in([first[1]], stopped_too=True) == 0
    assert office.reached()[0] == (0, "after entry 0-0 came 0-2"), "still broken, and it says how"
    assert office.take_in(first, stopped_too=True) == 4
    assert office.reached() == {0: (4, ""), 1: (4, "")}
    office.closed(day(1))
    office.check()


def test_a_duplicate_counts_once(office: Office) -> None:
    filled(office)
    page = office.paper.page()
    assert [office.take_in(page[:6]), office.take_in(page), office.take_in(page)] == [6, 2, 0]
    assert office.rows("SELECT sum(points)::int FROM settlement.all_rollups") == [(20,)]
    office.check()


def test_disorder_inside_a_page_stops_its_bucket_only(office: Office) -> None:
    filled(office)
    first, second = office.paper.buckets
    assert office.take_in([first[1], first[0], *second]) == 4
    assert office.reached()[0][1] == "after entry 0-0 came 0-2"


@pytest.mark.parametrize("body", POISON, ids=range(len(POISON)))
def test_poison_waits_in_suspense_and_what_comes_behind_it_is_counted(office: Office, body: bytes) -> None:
    office.publish("acorn", terms(since=day(-1)))
    office.paper.award(5)
    office.paper.write_bytes(body)
    office.paper.award(7)
    assert office.take_in() == 3
    assert office.rows("SELECT seq, reason FROM settlement.suspense") == [(2, "UNREADABLE")]
    assert office.rows("SELECT sum(points)::int FROM settlement.all_rollups") == [(12,)]
    office.waive(1)
    office.closed(day(1))
    office.check()
