"""The witness of who wrote what convicts a process that wrote after it had lost its buckets."""

from __future__ import annotations

import pytest

from tests.faults.fencing import Note, stale_writes

HONEST = [
    Note(3, 0, 1, True, "one:10"),
    Note(3, 4, 1, False, "one:10"),
    Note(3, 4, 2, True, "two:11"),
    Note(3, 9, 2, False, "two:11"),
    Note(5, 0, 1, True, "two:11"),
    Note(5, 7, 1, False, "two:11"),
]


def test_buckets_that_change_hands_in_order_are_believed() -> None:
    assert list(stale_writes(HONEST)) == []


@pytest.mark.parametrize(
    "planted",
    [
        Note(3, 10, 1, False, "one:10"),
        Note(3, 10, 2, False, "one:10"),
        Note(3, 10, 1, False, "two:11"),
        Note(3, 9, 2, True, "one:10"),
        Note(3, 9, 1, True, "one:10"),
        Note(4, 1, 1, False, "one:10"),
    ],
)
def test_whoever_writes_without_holding_the_bucket_is_found(planted: Note) -> None:
    notes = sorted([*HONEST, planted], key=lambda note: note.bucket)
    assert len(list(stale_writes(notes))) == 1
