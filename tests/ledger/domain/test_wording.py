"""What is spelled by hand for speed says the same, byte for byte, as what it stands in for."""

from __future__ import annotations

import json
from datetime import date
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.ledger.domain.entry import ReceiptRef, Unit
from services.ledger.domain.wish import AwardWish, Line

DAYS = st.dates(min_value=date(1, 1, 1))
TEXTS = st.text(max_size=12)
LINES = st.builds(
    Line,
    TEXTS,
    st.integers(1, 2**63 - 1),
    st.none() | DAYS,
    st.sampled_from(Unit),
    st.none() | st.integers(0, 2**60),
    st.just("") | TEXTS,
)
PLAIN = st.builds(Line, TEXTS, st.integers(1, 2**63 - 1), st.none() | DAYS)
AWARDS = st.builds(
    AwardWish,
    bucket=st.integers(0, 63),
    partner=TEXTS,
    request_id=st.uuids(),
    wallet=st.uuids(),
    occurred_at=st.none() | st.integers(0, 2**60),
    lines=st.lists(PLAIN | LINES, min_size=1, max_size=3).map(tuple),
    receipt=st.none() | st.builds(ReceiptRef, TEXTS, TEXTS, DAYS, TEXTS),
)


@given(AWARDS)
def test_an_awards_meaning_is_worded_as_any_other(wish: AwardWish) -> None:
    assert wish.wording() == json.dumps(["AwardWish", *wish.meaning()], separators=(",", ":"))


def test_the_wording_of_an_award_is_for_ever() -> None:
    """Requests of years ago are known by its hash."""
    wallet, id_ = UUID("00000000-0000-4000-8000-0000000000aa"), UUID(int=1)
    receipt = ReceiptRef("S1", "T1", date(2026, 5, 4), "1001")
    wish = AwardWish(
        bucket=1, partner="grocer", request_id=id_, wallet=wallet, lines=(Line("grocer", 25),), receipt=receipt
    )
    assert wish.wording() == (
        '["AwardWish","00000000-0000-4000-8000-0000000000aa","grocer",[["grocer",25,null]],'
        '["S1","T1","2026-05-04","1001"],null]'
    )
