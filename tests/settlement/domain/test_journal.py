"""The journal is believed as far as its hashes follow, and read as far as its contract says."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from services.settlement.domain.journal import (
    Account,
    BrokenFeed,
    Entry,
    FeedEntry,
    Position,
    Posting,
    Unreadable,
    followed,
    read,
)
from tests.settlement.paper import Journal, day


@pytest.fixture
def paper() -> Journal:
    paper = Journal()
    for points in range(1, 8):
        paper.award(points)
    return paper


def test_a_bucket_is_followed_page_by_page(paper: Journal) -> None:
    whole = paper.buckets[0]
    position = followed(followed(Position(), whole[:3]), whole[3:])
    assert position == followed(Position(), whole) == Position(7, whole[-1].hash)
    assert followed(position, []) == position


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda page: page[1:], "after entry 0-0 came 0-2"),
        (lambda page: [*page[:2], *page[3:]], "after entry 0-2 came 0-4"),
        (lambda page: [page[1], page[0]], "after entry 0-0 came 0-2"),
        (lambda page: [page[0], page[0]], "after entry 0-1 came 0-1"),
        (lambda page: [page[0], page[1]._replace(hash=bytes(32))], "the hash of entry 0-2 does not follow"),
        (
            lambda page: [page[0], page[1]._replace(canonical=page[1].canonical.replace(b'"points":2', b'"points":3'))],
            "the hash of entry 0-2 does not follow",
        ),
    ],
    ids=["no beginning", "hole", "disorder", "twice", "another hash", "another content"],
)
def test_a_feed_that_does_not_follow_is_broken(
    paper: Journal, spoil: Callable[[list[FeedEntry]], list[FeedEntry]], why: str
) -> None:
    with pytest.raises(BrokenFeed, match=why):
        followed(Position(), spoil(paper.buckets[0]))


def test_what_money_depends_on_is_read() -> None:
    paper = Journal()
    paper.write("AWARD", [("ISSUED:acorn", "AVAILABLE", 5)], at=day(1))
    paper.write("REVERSAL", [("AVAILABLE", "ISSUED:acorn", 2)], at=day(2), original=1)
    first, second = (read(entry) for entry in paper.buckets[0])
    assert first == Entry(0, 1, "AWARD", day(1), None, (Posting(Account("ISSUED", "acorn"), Account("AVAILABLE"), 5),))
    assert (second.original, second.occurred_at) == (1, day(2))


def test_other_units_carry_no_money() -> None:
    form = _form() | {"postings": [{"debit": "ISSUED:acorn", "credit": "AVAILABLE", "points": 5, "unit": "STAMPS"}]}
    assert read(_feed(json.dumps(form).encode())).postings == ()


def test_facts_that_are_added_later_do_not_disturb() -> None:
    assert read(_feed(json.dumps(_form() | {"colour": "blue"}).encode())).kind == "AWARD"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nothing",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"{}",
        b"[" * 100_000,
        b'{"v":' + b"1" * 5_000 + b"}",
    ],
    ids=repr,
)
def test_what_is_no_entry_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        read(_feed(body))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("v", 2),
        ("bucket", 1),
        ("seq", 2),
        ("kind", None),
        ("kind", 1),
        ("kind", "AWARD\x00"),
        ("occurred_at", 1.5),
        ("occurred_at", True),
        ("occurred_at", "1"),
        ("occurred_at", 2**63),
        ("occurred_at", 300_000_000_000_000_000),
        ("occurred_at", -70_000_000_000_000_000),
        ("original", 0),
        ("original", -1),
        ("original", 2**63),
        ("original", "1"),
        ("postings", None),
        ("postings", {"a": 1}),
        ("postings", [1]),
        ("postings", [{}]),
    ],
)
def test_a_fact_that_cannot_be_is_unreadable(key: str, value: object) -> None:
    with pytest.raises(Unreadable):
        read(_feed(json.dumps({**_form(), key: value}).encode()))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("points", 0),
        ("points", -1),
        ("points", 2**63),
        ("points", 1.0),
        ("points", True),
        ("points", None),
        ("debit", None),
        ("debit", "ISSUED:gro\x00cer"),
        ("debit", "ISSUED:\ud800"),
        ("debit", "ISSUED:"),
        ("debit", "ISSUED:Acorn"),
        ("debit", ""),
        ("credit", "ISSUED:" + "a" * 64),
        ("credit", 5),
    ],
)
def test_a_posting_that_cannot_be_is_unreadable(key: str, value: object) -> None:
    posting = {"debit": "ISSUED:acorn", "credit": "AVAILABLE", "points": 5, "unit": "POINTS", key: value}
    with pytest.raises(Unreadable) as refused:
        read(_feed(json.dumps({**_form(), "postings": [posting]}).encode()))
    assert str(refused.value).isascii()
    assert str(refused.value).isprintable()


def test_points_that_add_up_to_more_than_there_can_be_are_unreadable() -> None:
    posting = {"debit": "ISSUED:acorn", "credit": "AVAILABLE", "points": 2**62, "unit": "POINTS"}
    assert read(_feed(json.dumps({**_form(), "postings": [posting]}).encode())).postings[0].points == 2**62
    with pytest.raises(Unreadable):
        read(_feed(json.dumps({**_form(), "postings": [posting, posting]}).encode()))


def _form() -> dict[str, object]:
    return {"v": 1, "bucket": 0, "seq": 1, "kind": "AWARD", "occurred_at": 0, "postings": []}


def _feed(body: bytes) -> FeedEntry:
    return FeedEntry(0, 1, bytes(32), body)
