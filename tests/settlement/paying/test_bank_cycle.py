"""The whole cycle with a real counterparty: out as a file, back as answers, announcements, statements and returns.

Over HTTP and over a pair of folders. What must never be is at the end of each test: money that left twice. A closed
account, a rejected file and a silent bank are failure scenarios 11, 10 and 9.
"""

from __future__ import annotations

from services.settlement.domain.evidence import Verdict
from services.settlement.store import repairs
from tests.settlement.cashier import ANNA, RETURN_DAYS
from tests.settlement.house import CLEARING, FUNDS, House

NETS = {"bakery": 845_900, "cinema": 267_400}
BAKERY, CINEMA = "batches/7/instructions/B7-bakery-1", "batches/7/instructions/B7-cinema-1"


def states(house: House) -> dict[str, str]:
    return house.cashier.states(7)


def test_an_accepted_file_is_booked_stated_and_at_last_final(house: House) -> None:
    house.opens(*NETS)
    msg_id = house.pays(7, NETS)
    assert set(states(house).values()) == {"SENT"}
    house.hear()
    assert set(states(house).values()) == {"BOOKED"}
    assert house.cashier.file(msg_id).state == "ACKNOWLEDGED"
    house.advance(RETURN_DAYS - 1)
    assert set(states(house).values()) == {"BOOKED"}
    house.advance(1)
    assert set(states(house).values()) == {"FINAL"}
    assert house.breaks() == []
    assert house.bank.balance(CLEARING) == FUNDS - sum(NETS.values())
    assert [house.bank.booked(name) for name in ("B7-bakery-1", "B7-cinema-1")] == [1, 1]


def test_without_money_at_the_bank_the_later_payment_is_refused(house: House) -> None:
    house.opens(*NETS)
    house.bank.ask("PATCH", f"/_mock/accounts/{CLEARING}", {"behaviour": "insufficient-funds", "balance": 900_000})
    house.pays(7, NETS)
    house.hear()
    assert states(house) == {"B7-bakery-1": "BOOKED", "B7-cinema-1": "REJECTED"}
    (code,) = house.cashier.rows("SELECT code FROM settlement.evidence WHERE instruction = %s AND rank = 3", CINEMA)
    assert code == ("AM04",)


def test_a_duplicate_means_that_the_first_send_arrived_and_nothing_else(house: House) -> None:
    house.opens(*NETS)
    msg_id = house.pays(7, NETS)
    house.cashier.rows("UPDATE settlement.payment_files SET state = 'RELEASED' RETURNING 1")  # as if we had forgotten
    house.cashier.rows("UPDATE settlement.steps SET state = 'DUE', done_at = NULL WHERE kind = 'send' RETURNING 1")
    house.send()
    assert len(house.bank.said(CLEARING, "pain.002")) == 2
    assert b"DUPL" in house.bank.said(CLEARING, "pain.002")[1]
    house.hear()
    assert set(states(house).values()) == {"BOOKED"}
    assert house.cashier.file(msg_id).state in {"TRANSMITTED", "ACKNOWLEDGED"}
    assert house.breaks() == []
    assert [house.bank.booked(name) for name in ("B7-bakery-1", "B7-cinema-1")] == [1, 1]


def test_two_people_end_an_unknown_fate_and_the_banks_books_still_win(house: House) -> None:
    house.opens(*NETS)
    house.bank.turns(CLEARING, "silent")
    house.pays(7, NETS)
    house.hear(without="camt")
    house.cashier.clock.pass_(days=1)
    house.send()
    cashier, at = house.cashier, house.cashier.clock.now()
    proposal = cashier.do(
        lambda connection: repairs.propose_fate(
            connection, BAKERY, Verdict.REJECTED, b"a letter of the bank", "letter of 3 March", ANNA, at
        )
    )
    assert states(house)["B7-bakery-1"] == "UNKNOWN"
    cashier.approve(proposal.name)
    assert states(house) == {"B7-bakery-1": "REJECTED", "B7-cinema-1": "UNKNOWN"}
    for message in house.bank.said(CLEARING, "camt.054"):
        house.read("late", message)
    assert set(states(house).values()) == {"BOOKED"}


def test_a_statement_with_a_gap_is_refused_whole_and_what_it_lacks_stays_open(house: House) -> None:
    house.opens(*NETS)
    house.bank.turns(CLEARING, "statement-gap")
    house.pays(7, NETS)
    house.hear(without="camt")
    house.bank.advance(1)
    house.cashier.clock.pass_(days=1)
    for message in house.bank.said(CLEARING, "camt.053"):
        house.read("statement", message)
    assert [refusal.reason for refusal in house.refused] == ["BALANCE_BROKEN"]
    assert set(states(house).values()) == {"ACCEPTED"}


def test_a_payment_that_comes_back_after_days_is_open_again_and_can_be_carried(house: House) -> None:
    house.opens(*NETS)
    house.bank.turns(CLEARING, "return-later", days=3, end_to_end_id="B7-bakery-1")
    house.pays(7, NETS)
    house.hear()
    house.advance(1)
    assert set(states(house).values()) == {"BOOKED"}
    house.advance(3)
    assert states(house) == {"B7-bakery-1": "RETURNED", "B7-cinema-1": "BOOKED"}
    assert house.bank.balance(CLEARING) == FUNDS - NETS["cinema"]
    house.advance(4)
    cashier = house.cashier
    assert states(house) == {"B7-bakery-1": "RETURNED", "B7-cinema-1": "FINAL"}
    cashier.carry(BAKERY)
    assert states(house)["B7-bakery-1"] == "CARRIED"
