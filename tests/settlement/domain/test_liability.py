"""Each vintage's points are accounted for: what it opened with and what moved it is what it closes with."""

from __future__ import annotations

from services.settlement.domain.liability import Liability, Movement, RollForward, Vintage
from tests.settlement.paper import Journal, day


def rolled(paper: Journal, begins: tuple[int, ...] = (0, 0)) -> dict[Vintage, RollForward]:
    liability = Liability()
    for bucket, entries in enumerate(paper.buckets):
        liability.read(entries, begins[bucket])
    return liability.result()


def test_every_kind_of_movement_has_its_column() -> None:
    paper = Journal()
    paper.write("AWARD", [("ISSUED:acorn", "AVAILABLE", 100, "1.0")], at=day(3), issuer="acorn")
    paper.write("HOLD", [("AVAILABLE", "HELD", 40, "1.0")], at=day(4), issuer="acorn")
    paper.write("CAPTURE", [("HELD", "REDEEMED:baker", 40, "1.0")], at=day(5), issuer="acorn")
    paper.write("REFUND", [("REDEEMED:baker", "AVAILABLE", 15, "1.0")], at=day(35), issuer="acorn")
    paper.write("REVERSAL", [("AVAILABLE", "ISSUED:acorn", 5, "1.0")], at=day(36), issuer="acorn")
    paper.write("EXPIRY", [("AVAILABLE", "EXPIRED", 20, "1.0")], at=day(37), issuer="acorn")
    paper.write("ADJUSTMENT", [("ADJUSTED:acorn", "AVAILABLE", 7, "7.0")], at=day(38), issuer="acorn")
    found = rolled(paper)
    march, april = Vintage("acorn", 202603), Vintage("acorn", 202604)
    assert found[march].moves == {
        Movement.AWARDED: 100,
        Movement.REVERSED: -5,
        Movement.REDEEMED: -40,
        Movement.REFUNDED: 15,
        Movement.EXPIRED: -20,
    }
    assert found[march].closing == 50
    assert found[april] == RollForward(0, {Movement.ADJUSTED: 7})


def test_a_window_opens_with_what_the_one_before_closed_with() -> None:
    paper = Journal()
    paper.write("AWARD", [("ISSUED:acorn", "AVAILABLE", 100, "1.0")], at=day(3), issuer="acorn")
    paper.write("REDEMPTION", [("AVAILABLE", "REDEEMED:baker", 30, "1.0")], at=day(4), issuer="acorn")
    assert rolled(paper, (1, 0)) == {Vintage("acorn", 202603): RollForward(100, {Movement.REDEEMED: -30})}


def test_points_that_were_transferred_keep_their_vintage_and_their_issuer() -> None:
    paper = Journal()
    paper.write("AWARD", [("ISSUED:acorn", "AVAILABLE", 100, "1.0")], at=day(3), issuer="acorn")
    paper.write("TRANSFER_OUT", [("AVAILABLE", "IN_TRANSIT", 60, "1.0")], at=day(40), issuer="acorn")
    arrived = [("IN_TRANSIT", "AVAILABLE", 60, "1.0", "", day(3))]
    paper.write("TRANSFER_IN", arrived, bucket=1, at=day(41), issuer="acorn")
    paper.write("REDEMPTION", [("AVAILABLE", "REDEEMED:baker", 60, "1.0")], bucket=1, at=day(42), issuer="acorn")
    [(vintage, one)] = rolled(paper).items()
    assert vintage == Vintage("acorn", 202603)
    assert (one.closing, one.moves.get(Movement.MOVED, 0)) == (40, 0)


def test_a_debt_and_its_repayment_balance_each_vintage() -> None:
    paper = Journal()
    paper.write("AWARD", [("ISSUED:acorn", "AVAILABLE", 100, "1.0")], at=day(3), issuer="acorn")
    paper.write("REDEMPTION", [("AVAILABLE", "REDEEMED:baker", 80, "1.0")], at=day(4), issuer="acorn")
    reversal = [("AVAILABLE", "ISSUED:acorn", 20, "1.0"), ("OWED:acorn", "ISSUED:acorn", 80, "1.0")]
    paper.write("REVERSAL", reversal, at=day(5), issuer="acorn")
    assert rolled(paper)[Vintage("acorn", 202603)].closing == -80
    lot, debt = ("ISSUED:baker", "AVAILABLE", 200, "4.0"), ("AVAILABLE", "OWED:acorn", 80, "4.0", "1.0")
    paper.write("AWARD", [lot, debt], at=day(40), issuer="baker")
    found = rolled(paper)
    assert found[Vintage("acorn", 202603)].closing == 0
    assert found[Vintage("baker", 202604)].closing == 120
    assert found[Vintage("baker", 202604)].moves[Movement.MOVED] == -80
