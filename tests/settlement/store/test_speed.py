"""How fast a backlog is taken in and a window closed: printed, not judged."""

from __future__ import annotations

import time

from shared.instants import instant
from tests.settlement.paper import day, terms
from tests.settlement.store.office import Office

ENTRIES = 50_000
PAGE = 5_000


def test_a_backlog_is_taken_in_and_closed(office: Office) -> None:
    partners = [f"partner-{number}" for number in range(7)]
    for partner in partners:
        office.publish(partner, terms(since=day(-1)))
    paper = office.paper
    for number in range(ENTRIES // 10):
        award = None
        for partner in partners:
            award = paper.award(7 + number % 50, partner, bucket=number % 2)
        assert award is not None
        paper.redeem(5, partners[number % 7], bucket=number % 2)
        paper.write("HOLD", [("AVAILABLE", "HELD", 1)], bucket=number % 2)
        paper.reverse(award, 3, partners[-1])
    page = paper.page()
    began = time.monotonic()
    taken = sum(office.take_in(page[start : start + PAGE]) for start in range(0, len(page), PAGE))
    seconds = time.monotonic() - began
    assert taken == len(page) == ENTRIES
    print(f"\n{taken / seconds:,.0f} entries/s taken in")
    edge = paper.checkpoint(day(9))
    office.ask(1)
    office.closing.fix_edge(1, edge)
    began = time.monotonic()
    assert office.closing.finish(instant(day(9))) is None
    print(f"{time.monotonic() - began:.2f} s to close a window of {taken:,} entries")
    began = time.monotonic()
    office.check()
    print(f"{taken / (time.monotonic() - began):,.0f} entries/s verified")
