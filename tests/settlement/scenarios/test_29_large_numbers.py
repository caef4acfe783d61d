"""29: 10^15 points and the edge of int64. Exact, or refused before the seal."""

from __future__ import annotations

import json

from services.settlement.store.books import lines_of_window
from tests.settlement.paper import day, terms
from tests.settlement.store.office import PATIENCE, Office

MOST = 2**63 - 1


def test_sums_beyond_int64_are_exact_to_the_last_unit(office: Office) -> None:
    office.publish("acorn", terms("0.000000001", "999.999999999", since=day(-1), currency="KWD"))
    for _ in range(3):
        office.paper.award(MOST)
    office.paper.award(10**15)
    office.paper.redeem(MOST, bucket=1)
    office.closed(day(1))
    with office.sessions.reading(PATIENCE) as connection:
        issuance, reimbursement = lines_of_window(connection, 1)
    points = 3 * MOST + 10**15
    assert issuance.points == points
    assert issuance.booked_minor == round(points / 10**6) or abs(issuance.booked_minor * 10**6 - points) <= 500_000
    exact = MOST * 999_999_999_999  # billionths of a dinar
    assert abs(reimbursement.booked_minor * 10**6 - exact) <= 500_000
    (seal,) = office.rows("SELECT document FROM settlement.seals")[0]
    assert isinstance(seal, bytes)
    assert [bucket[3] for bucket in json.loads(seal)["buckets"]] == [points, MOST]
    office.check()


def test_2_to_the_53_plus_1_minor_units_survive(office: Office) -> None:
    office.publish("acorn", terms("0.01", "0", since=day(-1)))
    office.paper.award(2**53 + 1)
    office.closed(day(1))
    (net,) = json.loads(office.statement("acorn", 1))["nets"]
    assert net["billed_minor"] == 2**53 + 1
    office.check()


def test_more_points_than_there_can_be_in_one_entry_never_reach_a_seal(office: Office) -> None:
    office.publish("acorn", terms(since=day(-1)))
    office.paper.write("AWARD", [("ISSUED:acorn", "AVAILABLE", MOST), ("ISSUED:acorn", "AVAILABLE", 1)])
    office.take_in()
    assert office.rows("SELECT reason FROM settlement.suspense") == [("UNREADABLE",)]
    waits = office.close(1, office.paper.checkpoint(day(1)))
    assert waits is not None
    assert waits.waits_for == "SUSPENSE"
    assert office.rows("SELECT 1 FROM settlement.seals") == []
