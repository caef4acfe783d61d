"""The journal is believed as far as its hashes follow."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from services.settlement.domain.journal import (
    BrokenFeed,
    FeedEntry,
    Position,
    followed,
)
from tests.settlement.paper import Journal


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
