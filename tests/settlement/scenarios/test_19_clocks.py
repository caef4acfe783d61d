"""19: clocks ten minutes apart, daylight saving, leap days, zones. Same vector, same seal."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.settlement.domain.documents import Signer
from shared.instants import instant, micros
from tests.settlement.paper import day, terms
from tests.settlement.reckoning import SIGNER
from tests.settlement.store.office import Office

HOURS = [
    datetime(2028, 2, 29, 23, 59, 59, tzinfo=UTC),
    datetime(2026, 3, 29, 2, 30, tzinfo=ZoneInfo("Europe/Berlin")),  # an hour that is not there
    datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin")),  # the second of two
    datetime(2026, 3, 1, 0, 0, tzinfo=ZoneInfo("Pacific/Kiritimati")),
]


def sealed(office: Office, closes_at: int) -> tuple[bytes, list[list[int]]]:
    """The books of two tills whose clocks do not agree, closed by somebody with a clock of his own."""
    office.publish("acorn", terms(since=day(-9999)))
    for at in HOURS:
        office.paper.award(10, at=micros(at))
        office.paper.redeem(1, bucket=1, at=micros(at + timedelta(minutes=10)))
    office.ask(1)
    office.closing.fix_edge(1, office.paper.checkpoint(day(1)))
    office.take_in()
    assert office.closing.finish(instant(closes_at)) is None
    office.sign(closes_at)
    office.check()
    (document,) = office.rows("SELECT document FROM settlement.seals")[0]
    assert isinstance(document, bytes)
    return document, json.loads(document)["buckets"]


@pytest.mark.parametrize("offset", [-timedelta(minutes=10), timedelta(minutes=10), timedelta(days=366)], ids=str)
def test_the_clock_of_who_closes_is_in_no_seal(offices: Callable[[], Office], offset: timedelta) -> None:
    one, other = sealed(offices(), day(2)), sealed(offices(), day(2) + offset // timedelta(microseconds=1))
    assert one == other
    assert one[1] == [[0, 4, 0, 40], [1, 4, 0, 4]]


def test_the_seal_is_signed(office: Office) -> None:
    document, _ = sealed(office, day(2))
    signature = json.loads(document)["signature"]
    assert isinstance(SIGNER, Signer)
    assert signature["key_id"] == SIGNER.key_id
