"""Room under a cap: exact, rounded down to whole points, never a point too many."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from services.settlement.domain.exposure import Exposures
from services.settlement.domain.journal import Account, Entry, Posting
from services.settlement.domain.position import PLACES, UNLIMITED, Position, price_of_an_award, room
from services.settlement.domain.terms import Terms, Timing
from shared.money import Rate
from tests.settlement.paper import agreed
from tests.support.vectors import example

UNIT = 10**PLACES


def position(major: str, held: str = "0", outstanding: str = "0") -> Position:
    exact, on_hold, out = (int(Decimal(one) * UNIT) for one in (major, held, outstanding))
    return Position("c", "EUR", exact, on_hold, out)


def test_e14_is_rounded_down_to_whole_points() -> None:
    e14 = example("E14")
    given_, exponent = e14["given"], e14["given"]["currency_exponent"]
    agreed_ = agreed(given_, given_["billing_rate"], given_["reimbursement_rate"])
    cap, price = given_["net_debit_cap_minor"], price_of_an_award([agreed_], Decimal(0))
    for step in e14["then"]["steps"]:
        if "allowance_points" in step:
            assert room(position(step["position_exact"]), cap, exponent, price) == step["allowance_points"]
    asked, refused = e14["when"][1], e14["then"]["steps"][1]
    would_be = Fraction(refused["position_exact"]) + asked["points"] * price
    assert would_be == Fraction(refused["would_be_exact"]) > Fraction(cap, 10**exponent)


@given(
    st.integers(-(10**24), 10**24), st.integers(0, 10**24), st.integers(0, 10**12), st.integers(1, 10**12),
    st.sampled_from([0, 2, 3]),
)  # fmt: skip
def test_the_last_point_fits_and_the_next_does_not(exact: int, held: int, cap: int, price: int, exponent: int) -> None:
    stands, rate = Position("c", "EUR", exact, held), Fraction(price, 10**9)
    points = room(stands, cap, exponent, rate)
    most = Fraction(cap, 10**exponent)
    owes = Fraction(stands.weighed, UNIT)
    assert points == 0 or owes + points * rate <= most
    assert points == UNLIMITED or owes + (points + 1) * rate > most


def test_points_that_cost_nothing_when_awarded_are_bounded_by_the_cap_alone() -> None:
    assert room(position("79"), 8_000, 2, Fraction(0)) == UNLIMITED
    assert room(position("80"), 8_000, 2, Fraction(0)) == 0


def test_an_award_costs_the_most_that_any_version_says_and_its_part_of_what_comes_later() -> None:
    now = Terms(0, Timing.AT_ISSUANCE, Rate.of("0.012"), Rate.of("0.009"), "EUR")
    then = Terms(9, Timing.HYBRID, Rate.of("0.004"), Rate.of("0.009"), "EUR", rate_at_redemption=Rate.of("0.01"))
    assert price_of_an_award([now, then], Decimal(0)) == Fraction("0.012")
    assert price_of_an_award([now, then], Decimal(1)) == Fraction("0.014")
    assert price_of_an_award([], Decimal(1)) == 0


def entry(kind: str, *postings: tuple[str, str, int]) -> Entry:
    def account(text: str) -> Account:
        return Account(*text.split(":"))

    written = [Posting(account(debit), account(credit), points, "c") for debit, credit, points in postings]
    return Entry(0, 1, kind, 0, None, tuple(written))


def test_what_is_awarded_is_counted_gross_and_what_is_out_net() -> None:
    counted = Exposures()
    for one in (
        entry("AWARD", ("ISSUED:c", "AVAILABLE", 100)),
        entry("HOLD", ("AVAILABLE", "HELD", 60)),
        entry("CAPTURE", ("HELD", "REDEEMED:d", 40)),
        entry("RELEASE", ("HELD", "AVAILABLE", 20)),
        entry("REVERSAL", ("AVAILABLE", "ISSUED:c", 10)),
        entry("EXPIRY", ("AVAILABLE", "EXPIRED:c", 5)),
        entry("REFUND", ("REDEEMED:d", "AVAILABLE", 15)),
    ):
        counted.add(one)
    assert counted.of == {"c": [100, 60, 0]}
