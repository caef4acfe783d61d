"""An entry of the journal is read as far as its contract says."""

from __future__ import annotations

import json

import pytest

from services.settlement.domain.journal import Account, Entry, FeedEntry, Posting
from services.settlement.formats.entries import Unreadable, read
from tests.settlement.paper import Journal, day


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
        b'{"v":1,"bucket":0,"seq":1,"kind":"AWARD","occurred_at":0,"postings":[]}{}',
        b'{"v":1,"bucket":0,"seq":1,"kind":"AWARD","occurred_at":0,"postings":[],"points":NaN}',
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
