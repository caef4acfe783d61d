"""Some of `make fuzz` in each run of the tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.sandbox.home import Home
from tests.fuzz import ledger, settlement, stage
from tests.fuzz.junk import Junk
from tests.fuzz.likely import Likely
from tests.support.platform import RunningPlatform, platform_in

AWARD = "/coalition.ledger.v1.LedgerService/AwardPoints"


@pytest.fixture(scope="module")
def shared_out(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    """A platform whose operator has a person for each duty."""
    folder = tmp_path_factory.mktemp("shared-out")
    stage.share_duties(Home(folder))
    with platform_in(folder) as running:
        yield running


def test_whatever_comes_the_ledger_says_what_is_wrong_and_goes_on(platform: RunningPlatform) -> None:
    report = ledger.fuzz(platform, seed=20261122, messages=60)
    assert report.wrong == {}
    assert report.good_calls
    assert report.growth_mib < 50


def test_whatever_comes_from_whomever_settlement_says_what_is_wrong_and_goes_on(shared_out: RunningPlatform) -> None:
    report = settlement.fuzz(shared_out, seed=20261122, messages=20)
    assert (report.wrong, report.traces) == ({}, [])
    assert report.good_calls
    assert report.growth_mib < 50
    assert report.methods.keys() == settlement.methods().keys()


def test_one_seed_gives_one_sequence_and_another_seed_another() -> None:
    kind = ledger.methods()[AWARD].input_type
    first, again, other = (list(Junk(kind, seed).messages(50)) for seed in ("1", "1", "2"))
    assert first == again != other
    likely = [Likely(kind, seed, ["partners/a-grocer"]).requests(9) for seed in ("1", "1", "2")]
    assert likely[0] == likely[1] != likely[2]
