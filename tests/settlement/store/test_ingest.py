"""A page is counted once, as a whole, or not at all; what cannot be believed stops its bucket and says why."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction

import pytest

from services.settlement.domain.journal import FeedEntry
from tests.settlement.paper import Journal, Wrote, day, terms
from tests.settlement.store.office import Office
from tests.support.together import at_once

ROLLUPS = "SELECT leg, partner, version, points::bigint, items, late_items FROM settlement.all_rollups ORDER BY 1, 2, 3"


def filled(office: Office) -> Journal:
    """Two buckets, two partners, every kind of entry."""
    office.publish("acorn", terms(since=day(-1)))
    office.publish("birch", terms("0.02", "0.01", since=day(-1)))
    paper = office.paper
    award = paper.award(100)
    paper.reverse(award, 30)
    redemption = paper.redeem(20, "birch")
    paper.refund(redemption, 5, "birch")
    paper.write("HOLD", [("AVAILABLE", "HELD", 1)])
    paper.award(7, "birch", bucket=1)
    return paper


def test_a_page_is_counted_once_however_often_it_comes(office: Office) -> None:
    page = filled(office).page()
    assert office.take_in(page) == 6
    rollups = office.rows(ROLLUPS)
    assert rollups == [
        ("ISSUANCE", "acorn", 1, 70, 2, 0),
        ("ISSUANCE", "birch", 1, 7, 1, 0),
        ("REIMBURSEMENT", "birch", 1, 15, 2, 0),
    ]
    assert office.take_in(page) == office.take_in(page[:2]) == office.take_in([]) == 0
    assert office.rows(ROLLUPS) == rollups
    assert office.counts(1) == (6, 0)
    assert office.check().entries == 6


def test_pages_that_overlap_are_counted_once(office: Office) -> None:
    page = filled(office).page()
    assert [office.take_in(page[:2]), office.take_in(page[1:4]), office.take_in(page)] == [2, 2, 2]
    assert office.check().entries == 6


def test_it_does_not_matter_how_the_journal_is_cut_into_pages(offices: Callable[[], Office]) -> None:
    whole, piecemeal = offices(), offices()
    filled(whole)
    whole.take_in()
    for entry in filled(piecemeal).page():
        piecemeal.take_in([entry])
    assert whole.rows(ROLLUPS) == piecemeal.rows(ROLLUPS)


def test_entries_of_several_buckets_may_be_mixed(office: Office) -> None:
    paper = filled(office)
    paper.award(1, "birch", bucket=1)
    first, second = paper.buckets
    assert office.take_in([first[0], second[0], first[1], second[1], *first[2:]]) == 7
    assert office.check().entries == 7


def test_two_who_take_in_the_same_page_at_once_count_it_once(office: Office) -> None:
    page = filled(office).page()
    assert sorted(at_once([lambda: office.take_in(page)] * 4)) == [0, 0, 0, 6]
    assert office.check().entries == 6


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda page: [page[0], *page[2:]], "after entry 0-1 came 0-3"),
        (lambda page: [page[1], page[0]], "after entry 0-0 came 0-2"),
        (lambda page: [page[0], page[0]], "after entry 0-1 came 0-1"),
        (lambda page: [page[0], page[1]._replace(hash=bytes(32))], "the hash of entry 0-2 does not follow"),
        (lambda page: [page[0]._replace(canonical=b"{}")], "the hash of entry 0-1 does not follow"),
    ],
    ids=["hole", "disorder", "duplicate", "broken hash", "changed content"],
)
def test_a_feed_that_cannot_be_believed_stops_its_bucket_only(
    office: Office, spoil: Callable[[list[FeedEntry]], list[FeedEntry]], why: str
) -> None:
    paper = filled(office)
    assert office.take_in([*spoil(paper.buckets[0]), *paper.buckets[1]]) == 1
    (seq, said), other = office.reached().values()
    assert (seq, other) == (0, (1, ""))
    assert said.startswith(why)
    assert office.take_in(paper.page()) == 0, "somebody has to look first"
    assert office.take_in(office.unread()) == 0
    assert office.close(1, paper.checkpoint(day(1))) is not None


def test_what_it_waits_for_is_said_when_a_stopped_bucket_keeps_a_window_open(office: Office) -> None:
    paper = filled(office)
    office.take_in([paper.buckets[0][2]])
    waits = office.close(1, paper.checkpoint(day(1)))
    assert waits is not None
    assert (waits.waits_for, waits.detail) == ("GAP", "after entry 0-0 came 0-3")


def test_an_entry_without_a_contract_waits_in_its_window_until_the_contract_is_published(office: Office) -> None:
    paper = filled(office)
    award = paper.award(50, "cedar", at=day(1))
    paper.reverse(award, 20, "cedar", at=day(1))
    assert office.take_in() == 8
    assert office.suspended() == 2
    waits = office.close(1, paper.checkpoint(day(2)))
    assert waits is not None
    assert (waits.waits_for, waits.detail) == (
        "SUSPENSE",
        "2 entries have no price: publish the contracts they need, or waive them",
    )
    assert office.resolve() == 0
    office.check()
    office.publish("cedar", terms("0.05", since=day(1)))
    paper.reverse(award, 30, "cedar", at=day(3))  # comes before anybody looked at suspense again
    office.take_in()
    assert office.suspended() == 3
    assert office.resolve() == 3
    assert office.suspended() == 0
    assert office.close(1, paper.checkpoint(day(2))) is None
    (line,) = json.loads(office.statement("cedar", 1))["lines"]
    assert (line["points"], line["items"], line["booked_minor"]) == (30, 2, 150)
    office.closed(day(4))
    (line,) = json.loads(office.statement("cedar", 2))["lines"]
    assert (line["points"], line["points_after"], line["booked_minor"]) == (-30, 0, -150)
    assert office.check().statements == 6


def test_what_is_suspended_keeps_its_window_and_its_lateness(office: Office) -> None:
    paper = filled(office)
    office.take_in()
    office.closed(day(5))
    paper.award(50, "cedar", at=day(4))
    office.take_in()
    assert office.counts(2) == (1, 1)
    office.publish("cedar", terms("0.05", since=day(1)))
    office.resolve()
    office.closed(day(6))
    (line,) = json.loads(office.statement("cedar", 2))["lines"]
    assert (line["late_items"], line["points"]) == (1, 50)
    office.check()


POISON = [
    b"",
    b"nothing",
    b"\xff\xfe\x00",
    b"[" * 50_000,
    b'{"v":2,"bucket":1,"seq":1}',
    b'{"v":1,"bucket":1,"seq":1,"kind":"AWARD","occurred_at":' + b"9" * 5_000 + b',"postings":[]}',
    b'{"v":1,"bucket":1,"seq":1,"kind":"AWARD","occurred_at":9223372036854775807,"postings":[]}',
    b'{"v":1,"bucket":1,"seq":1,"kind":"GIFT\\u0000","occurred_at":1,"postings":[]}',
    b'{"v":1,"bucket":1,"seq":1,"kind":"GIFT","occurred_at":1,"postings":[]}',
    b'{"v":1,"bucket":1,"seq":1,"kind":"REVERSAL","original":-9223372036854775809,"occurred_at":1,"postings":[]}',
    b'{"v":1,"bucket":1,"seq":1,"kind":"AWARD","occurred_at":1,"postings":[{"unit":"POINTS","points":1,'
    b'"debit":"ISSUED:gro\\u0000cer","credit":"AVAILABLE"}]}',
    b'{"v":1,"bucket":1,"seq":1,"kind":"AWARD","occurred_at":1,"postings":[{"unit":"POINTS","points":1,'
    b'"debit":"ISSUED:\\ud800","credit":"AVAILABLE"}]}',
    b'{"v":1,"bucket":1,"seq":1,"kind":"AWARD","occurred_at":1,"postings":[{"unit":"POINTS","points":99999999999999999999,'
    b'"debit":"ISSUED:acorn","credit":"AVAILABLE"}]}',
    b'{"v":1,"bucket":1,"seq":1,"kind":"AWARD","occurred_at":1,"postings":[{"unit":"POINTS","points":5,'
    b'"debit":"ISSUED:acorn","credit":"AVAILABLE"}],"original":"x"}',
]


def test_a_poison_entry_waits_in_suspense_and_stops_nobody(office: Office) -> None:
    paper = office.paper
    office.publish("acorn", terms(since=day(-1)))
    paper.award(5)
    for body in POISON:
        paper.write_bytes(body, bucket=1)
    paper.award(6, bucket=1)
    assert office.take_in() == len(POISON) + 2
    assert office.suspended() == len(POISON)
    assert {why for _, why in office.reached().values()} == {""}
    assert office.resolve() == 0
    assert office.check().entries == len(POISON) + 2
    waits = office.close(1, paper.checkpoint(day(1)))
    assert waits is not None
    assert waits.waits_for == "SUSPENSE"


def test_what_is_undone_too_often_waits(office: Office) -> None:
    paper = filled(office)
    office.take_in()
    for points in (60, 11, 10, 1):
        paper.reverse(Wrote(0, 1), points)
        office.take_in()
    assert office.rows("SELECT seq, reason FROM settlement.suspense ORDER BY seq") == [
        (7, "UNDONE_TOO_OFTEN"),
        (9, "UNDONE_TOO_OFTEN"),
    ]
    office.check()


def test_late_is_what_happened_before_the_window_opened(office: Office) -> None:
    paper = filled(office)
    office.take_in()
    office.closed(day(5))
    paper.award(10, at=day(5) - 1)
    paper.award(10, at=day(5))
    office.take_in()
    assert office.counts(1) == (6, 0)
    assert office.counts(2) == (2, 1)
    office.closed(day(6))
    (line,) = json.loads(office.statement("acorn", 2))["lines"]
    assert (line["items"], line["late_items"]) == (2, 1)


def test_the_largest_amounts_are_exact(office: Office) -> None:
    most = 2**63 - 1
    office.publish("acorn", terms("0.012", since=day(-1)))
    for _ in range(3):
        office.paper.award(most)
    office.take_in()
    assert office.rows("SELECT points::text FROM settlement.all_rollups") == [(str(3 * most),)]
    office.closed(day(1))
    (line,) = json.loads(office.statement("acorn", 1))["lines"]
    assert line["booked_minor"] == round(Fraction(3 * most * 12, 10))
    office.check()
