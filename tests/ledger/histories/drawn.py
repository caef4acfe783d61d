"""What histories are drawn from: small numbers, so that things meet."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import strategies as st

from services.ledger.domain.entry import Unit
from tests.ledger.model import Ending, Rules

PARTNERS = ("grocer", "florist")
PURSES = 3
HOUR = 3_600_000_000

partners = st.sampled_from(PARTNERS)
actors = st.sampled_from([None, None, None, None, None, *PARTNERS])
"""Whoever made the entry that is named, mostly."""
purses = st.integers(0, PURSES - 1)
spenders = st.integers(0, 4 * PURSES - 1)
"""A purse that has something to spend, mostly; see `Histories.spender`."""
others = st.sampled_from([1, 2, 1, 2, 1, 2, 0])
"""Another purse, mostly, by its distance from the first."""
points = st.integers(1, 12)
many = st.integers(5, 60)
rarely = st.sampled_from([False, False, True])
picks = st.integers(0, 1000)
parts = st.one_of(st.none(), points)
units = st.sampled_from([Unit.POINTS] * 6 + [Unit.STAMPS, Unit.QUALIFYING])
minutes = st.integers(1, 3000)
receipts = st.one_of(st.none(), st.none(), st.integers(1, 30))


class Asked(NamedTuple):
    """A line of an award, in days and hours from now."""

    issuer: str
    unit: Unit
    campaign: str
    points: int
    lasts: int | None
    waits: int | None


lines = st.lists(
    st.builds(
        Asked,
        issuer=partners,
        unit=units,
        campaign=st.sampled_from(["", "", "spring"]),
        points=points,
        lasts=st.one_of(st.none(), st.integers(0, 6)),
        waits=st.one_of(st.none(), st.none(), st.integers(-5, 70)),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda line: (line.issuer, line.unit, line.campaign),
)
keys = st.tuples(partners, units, st.sampled_from(["", "", "spring"]))
"""Issuer, unit and campaign: a line of a reversal names what it undoes."""

rules = st.builds(
    Rules,
    pending_days=st.sampled_from([0, 0, 1, 2]),
    after_clawback=st.sampled_from(["owe", "owe", "withheld", "written off"]),
    step=st.sampled_from([1, 1, 3]),
    minimum=st.sampled_from([0, 0, 4]),
    share_bp=st.sampled_from([10_000, 5_000]),
)
endings = st.one_of(
    st.just(Ending("none")),
    st.builds(Ending, st.just("fixed period"), st.integers(1, 6)),
    st.builds(Ending, st.just("fixed date"), st.integers(1, 4), st.sampled_from([(3, 4), (3, 9), (12, 31)])),
    st.builds(Ending, st.just("inactivity"), st.integers(1, 4)),
)


class Setting(NamedTuple):
    """What a programme decides for a whole history."""

    ending: Ending
    oldest_first: bool
    send_most: int
    send_most_a_day: int


settings_of_programmes = st.builds(
    Setting, endings, st.sampled_from([False, False, True]), st.sampled_from([0, 0, 6]), st.sampled_from([0, 0, 9])
)
