"""The entries of a window by line: the same leaves in the same order, however they are cut into pages."""

from __future__ import annotations

from collections import defaultdict

from services.settlement.domain.lines import LineKey
from services.settlement.domain.statement import EntryLeaf
from services.settlement.store import books
from services.settlement.store.contracts import price_book
from tests.settlement.paper import day, terms
from tests.settlement.store.office import BUCKETS, PATIENCE, Office


def leaves(office: Office, number: int, page_entries: int) -> dict[LineKey, list[EntryLeaf]]:
    found: dict[LineKey, list[EntryLeaf]] = defaultdict(list)
    window = office.window(number)
    with office.sessions.reading(PATIENCE) as connection:
        book = price_book(connection, window.versions_known)
        for key, some in books.leaves_by_line(connection, window, range(BUCKETS), book, page_entries):
            found[key] += some
    return found


def test_a_windows_leaves_do_not_depend_on_the_pages_that_they_come_in(office: Office) -> None:
    for partner in ("acorn", "birch"):
        office.publish(partner, terms(since=day(-1)))
    office.paper.award(1000)
    office.closed(day(1))
    for points in range(1, 8):
        office.paper.award(points, "birch" if points % 3 else "acorn", bucket=points % BUCKETS)
        office.paper.redeem(1, "birch", bucket=points % BUCKETS)
    office.closed(day(2))
    office.paper.award(5)
    whole = leaves(office, 2, 10_000)
    assert sum(map(len, whole.values())) == 14
    assert all(some == sorted(some) for some in whole.values())
    assert all(leaves(office, 2, page_entries) == whole for page_entries in (1, 2, 3, 7, 13, 14, 15))
