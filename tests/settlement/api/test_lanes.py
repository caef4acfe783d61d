"""Those who read the journal: they follow it, and leave the ledger alone while they could not count what they read."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import cast

import pytest

from services.settlement.api import lanes
from services.settlement.api.bell import Bell
from services.settlement.api.journal import Journal, Page
from services.settlement.api.lanes import Reader
from tests.settlement.paper import day, terms
from tests.settlement.store.office import BUCKETS, Office
from tests.support.databases import Databases
from tests.support.together import until


class Reading:
    """The journal on paper as a ledger answers; counts how often it was asked."""

    def __init__(self, office: Office, share: int = 100) -> None:
        self._office = office
        self._share = share
        self.asked = 0

    def page(self, cursor: Mapping[int, int], size: int, wait_seconds: int = 0, bell: Bell | None = None) -> Page:
        self.asked += 1
        found = [entry for entry in self._office.paper.page() if entry.seq > cursor.get(entry.bucket, 2**62)]
        if not found:
            time.sleep(0.01)
        return Page(found[: self._share], more=len(found) > self._share, bucket_count=BUCKETS)


@pytest.fixture
def office(databases: Databases) -> Iterator[Office]:
    one = Office(databases)
    yield one
    one.leave()


def counted(office: Office) -> int:
    ((count,),) = office.rows("SELECT coalesce(sum(entries), 0)::bigint FROM settlement.window_counts")
    assert isinstance(count, int)
    return count


def test_nobody_asks_the_ledger_while_a_window_waits_for_its_edge(office: Office) -> None:
    office.publish("acorn", terms(since=0))
    office.paper.award(100)
    journal = Reading(office)
    lane = Reader(office.sessions, cast("Journal", journal), 0, 1, 100, 1, lambda: None)
    office.ask(1)
    lane.start()
    try:
        time.sleep(0.3)
        assert (journal.asked, counted(office), lane.waits) == (0, 0, None)
        office.closing.fix_edge(1, office.paper.checkpoint(day(1)))
        until(lambda: counted(office) == 1)
    finally:
        lane.stop()


def test_a_lane_gathers_entries_only_where_there_are_no_more(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "_GATHER_SECONDS", 3_600.0)
    office.publish("acorn", terms(since=0))
    for _ in range(3):
        office.paper.award(100)
    lane = Reader(office.sessions, cast("Journal", Reading(office, share=1)), 0, 1, 100, 1, lambda: None)
    lane.start()
    try:
        until(lambda: counted(office) == 3)  # each of the first two pages is shorter than was asked for
    finally:
        lane.stop()
