"""4: killed after the bank took it, before we stored that. The same bytes again; DUPL means that the first arrived."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.settlement.bank import Bank
from tests.settlement.house import CLEARING, House, transport
from tests.settlement.paying.stage import PAID, base_in, one_life
from tests.support.databases import Databases

TAKEN = "after the bank got B1-R1-F1"
NOT_STORED = "before the commit of sendings+transitions+payment_files+evidence+steps+openings by the step send: Done"


@pytest.mark.parametrize("point", [TAKEN, NOT_STORED])
def test_the_same_bytes_go_again_and_nothing_is_paid_twice(
    databases: Databases, bank: Bank, tmp_path: Path, point: str
) -> None:
    with base_in(databases, tmp_path / "base") as base:
        result, points, _ = one_life(databases, base, bank, tmp_path / "life", point)
    assert point in {one.name for one in points}
    first, again = bank.said("CLEARING", "pain.002")
    assert b"DUPL" in again
    assert b"DUPL" not in first
    assert {state for _, _, _, state, _ in result["files"]} == {"ACKNOWLEDGED"}, "no rejection"
    assert result["left"] == dict.fromkeys(PAID, 1)
    assert result["breaks"] == []


def test_an_answer_that_is_heard_first_makes_a_second_send_needless(house: House) -> None:
    house.opens("bakery")
    (file,) = house.cashier.approved(7, {"bakery": 845_900})
    house.cashier.release(7)
    while house.states() != {"B7-bakery-1": "SENT"}:
        house.cashier.stepper.one()
    transport(house.bank, house.way).send(file.msg_id, house.cashier.content(file.msg_id))  # and then it died
    if house.way == "folder":
        house.bank.scan()
    house.hear()
    assert house.cashier.file(file.msg_id).state == "ACKNOWLEDGED"
    house.send()
    assert len(house.bank.said(CLEARING, "pain.002")) == 1
    assert house.cashier.rows("SELECT outcome FROM settlement.sendings") == [("TAKEN",)]
