"""28: disk full, deadlock, serialisation failure while entries are counted: a page counts whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, text

from shared.db.sessions import Sessions
from shared.refusal import Refusal
from tests.settlement.paper import day, terms
from tests.settlement.store.office import Office

TROUBLE = {"disk full": "53100", "deadlock": "40P01", "serialisation failure": "40001"}
BOOKS = ("all_rollups", "window_counts", "obligations", "suspense")


class Troubled(Sessions):
    """The server refuses at the end of the first transaction."""

    def __init__(self, office: Office, state: str) -> None:
        super().__init__(office.engine)
        self._state, self._left = state, 1

    @contextmanager
    def writing(self, within: float) -> Iterator[Connection]:
        with super().writing(within) as connection:
            yield connection
            if self._left:
                self._left -= 1
                raised = f"DO $$ BEGIN RAISE EXCEPTION 'trouble' USING ERRCODE = '{self._state}'; END $$"
                connection.execute(text(raised))


def content(office: Office) -> list[object]:
    return [sorted(map(str, office.rows(f"SELECT * FROM settlement.{table}"))) for table in BOOKS]


@pytest.mark.parametrize("what", TROUBLE)
def test_a_page_is_counted_whole_or_not_at_all(offices: Callable[[], Office], what: str) -> None:
    office, undisturbed = offices(), offices()
    for one in (office, undisturbed):
        one.publish("acorn", terms(since=day(-1)))
        award = one.paper.award(100)
        one.paper.reverse(award, 3)
        one.paper.redeem(5, bucket=1)
        one.paper.award(1, "stranger")
    empty = content(office)
    office.begin_again(Troubled(office, TROUBLE[what]))
    with pytest.raises(Exception) as trouble:  # noqa: PT011  what the driver makes of it differs; that it is told counts
        office.take_in()
    assert isinstance(trouble.value, Refusal) or "trouble" in str(trouble.value)
    assert content(office) == empty
    assert office.take_in() == 4
    undisturbed.take_in()
    assert content(office) == content(undisturbed)
    office.check()
