"""7: person and scheduler start one batch."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.settlement.domain.batch.refusals import SliceTaken
from tests.settlement.clerk import ANNA, Clerk

SCHEDULER = "service/settlement"


def test_person_and_scheduler_make_one_batch_of_a_window(clerk: Clerk) -> None:
    number = clerk.window([("a", "b", 250)])

    def create(by: str) -> str:
        try:
            return clerk.create(number, by=by).name
        except SliceTaken as taken:
            return f"refused: {taken.facts['batch']}"

    with ThreadPoolExecutor(8) as everybody:
        found = Counter(everybody.map(create, [ANNA, SCHEDULER] * 4))
    assert found == {"batches/1": 1, "refused: batches/1": 7}
    assert clerk.rows("SELECT count(*) FROM settlement.batches") == [(1,)]


def test_sql_itself_has_a_slice_once(clerk: Clerk) -> None:
    clerk.create(clerk.window([("a", "b", 250)]))
    clerk.create(clerk.window([("a", "b", 100)]))
    with clerk.tampering() as connection, pytest.raises(Exception, match="batch_slices_only_one"):
        connection.execute("UPDATE settlement.batch_slices SET window_number = 1")
