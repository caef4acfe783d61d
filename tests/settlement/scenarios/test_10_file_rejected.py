"""10: the whole file is rejected, FF01. The replacement has the same instructions and EndToEndIds, a new MsgId, and is
approved anew.
"""

from __future__ import annotations

from services.settlement.domain.evidence import Rank, Verdict
from services.settlement.store import steps
from tests.settlement.house import CLEARING, FUNDS, House

NETS = {"bakery": 845_900, "cinema": 267_400}


def test_a_rejected_file_is_replaced_by_one_with_the_same_payments_and_its_own_approval(house: House) -> None:
    house.opens(*NETS)
    house.bank.turns(CLEARING, "reject-file")
    msg_id = house.pays(7, NETS)
    house.hear()
    assert house.cashier.file(msg_id).state == "REJECTED"
    assert set(house.states().values()) == {"FROZEN"}
    house.bank.turns(CLEARING, "accept")
    house.send()
    assert len(house.bank.said(CLEARING, "pain.002")) == 1, "nothing goes that nobody approved"
    house.approve_file("B7-R1-F2")
    house.send()
    house.hear()
    assert set(house.states().values()) == {"BOOKED"}
    was, now = house.cashier.content(msg_id), house.cashier.content("B7-R1-F2")
    assert was.replace(msg_id.encode(), b"") == now.replace(b"B7-R1-F2", b""), "only the MsgId is another"
    assert [name for name in house.states() if name.encode() in was and name.encode() in now] == list(house.states())
    assert house.bank.balance(CLEARING) == FUNDS - sum(NETS.values())
    assert [house.bank.booked(name) for name in ("B7-bakery-1", "B7-cinema-1")] == [1, 1]


def test_the_answer_to_the_first_file_says_nothing_of_the_second(house: House) -> None:
    house.opens(*NETS)
    house.bank.turns(CLEARING, "reject-file")
    house.pays(7, NETS)
    house.hear()
    house.bank.turns(CLEARING, "silent")
    house.approve_file("B7-R1-F2")
    house.send()
    assert set(house.states().values()) == {"SENT"}, "on its way: nobody may pay it another way now"
    (first,) = house.bank.said(CLEARING, "pain.002")
    house.read("the same answer again, a blank longer", first + b" ")
    assert set(house.states().values()) == {"SENT"}


def test_a_refused_file_that_the_bank_booked_all_the_same_is_not_sent_again(house: House) -> None:
    house.opens(*NETS)
    house.bank.turns(CLEARING, "reject-file")
    house.pays(7, NETS)
    house.hear()
    house.cashier.hear("batches/7/instructions/B7-bakery-1", Rank.STATED, Verdict.BOOKED)
    house.bank.turns(CLEARING, "accept")
    house.approve_file("B7-R1-F2")
    house.send()
    assert len(house.bank.said(CLEARING, "pain.002")) == 1
    step = house.cashier.do(lambda connection: steps.found(connection, "send", "B7-R1-F2"))
    assert (step.state, step.blocked_because.split(":")[0]) == ("BLOCKED", "MONEY_MAY_HAVE_MOVED")
    assert house.breaks() == ["EVIDENCE_FOR_UNSENT"]
