"""Some of `make fuzz` in each run of the tests."""

from __future__ import annotations

from tests.fuzz.junk import Junk
from tests.fuzz.run import fuzz, methods
from tests.support.platform import RunningPlatform

AWARD = "/coalition.ledger.v1.LedgerService/AwardPoints"


def test_whatever_comes_the_ledger_says_what_is_wrong_and_goes_on(platform: RunningPlatform) -> None:
    report = fuzz(platform, seed=20261122, messages=60)
    assert {name: result.wrong for name, result in report.methods.items() if result.wrong} == {}
    assert report.good_calls
    assert report.growth_mib < 50


def test_one_seed_gives_one_sequence_and_another_seed_another() -> None:
    kind = methods()[AWARD].input_type
    first, again, other = (list(Junk(kind, seed).messages(50)) for seed in ("1", "1", "2"))
    assert first == again != other
