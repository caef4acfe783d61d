"""Releasing and sending: what was approved goes once, collections first, and what is not known is said to be so."""

from __future__ import annotations

import pytest

from services.settlement.domain.evidence import Rank, Verdict
from services.settlement.domain.sending import Outcome, Receipt
from services.settlement.store import sending, steps
from tests.settlement.cashier import ANNA, ANSWER, RETURN_DAYS, Cashier, Noting

PAY = "batches/7/instructions/B7-anna-1"


def test_a_released_batch_goes_once_and_waits_for_its_answer(cashier: Cashier) -> None:
    cashier.ready("anna", "boris")
    (file,) = cashier.released(7, {"anna": 845900, "boris": 267400})
    assert cashier.noting.taken == [(file.msg_id, cashier.content(file.msg_id))]
    assert cashier.file(file.msg_id).state == "TRANSMITTED"
    assert cashier.states(7) == {"B7-anna-1": "SENT", "B7-boris-1": "SENT"}
    assert cashier.archive.found(file.msg_id) == cashier.content(file.msg_id)
    cashier.release(7)
    cashier.step()
    assert len(cashier.noting.taken) == 1


def test_pay_files_wait_until_collections_cover_them(cashier: Cashier) -> None:
    cashier.ready("anna", "carla")
    cashier.approved(7, {"anna": 900, "carla": -900})
    (short,) = cashier.release(7)
    assert (short.currency, short.missing_minor) == ("EUR", 900)
    assert cashier.states(7) == {"B7-anna-1": "FROZEN", "B7-carla-1": "SENT"}
    cashier.step()
    assert cashier.noting.taken == []
    cashier.hear("batches/7/instructions/B7-carla-1", Rank.ANNOUNCED, Verdict.BOOKED)
    cashier.clock.pass_(minutes=2)
    cashier.step()
    assert cashier.states(7) == {"B7-anna-1": "SENT", "B7-carla-1": "BOOKED"}
    assert len(cashier.noting.taken) == 1


def test_two_batches_do_not_spend_the_same_money(cashier: Cashier) -> None:
    cashier.ready("anna")
    cashier.prefund(1000)
    cashier.approved(7, {"anna": 700})
    cashier.approved(8, {"anna": 700})
    assert cashier.release(7) == []
    (short,) = cashier.release(8)
    assert short.missing_minor == 400


def test_direct_debits_go_before_what_they_pay_for(cashier: Cashier) -> None:
    cashier.ready("anna", "carla", mandates=["carla"])
    cashier.approved(7, {"anna": 900, "carla": -900})
    cashier.release(7)
    cashier.step()
    (sent,) = cashier.noting.taken
    assert b"pain.008.001.08" in sent[1]
    assert cashier.states(7) == {"B7-anna-1": "FROZEN", "B7-carla-1": "SENT"}


def test_after_the_answer_time_the_fate_is_unknown_and_no_timer_ends_that(cashier: Cashier) -> None:
    cashier.ready("anna", "boris")
    cashier.released(7, {"anna": 500, "boris": 300})
    cashier.hear(PAY, Rank.PAYMENT_ANSWER, Verdict.ACCEPTED)
    cashier.clock.at += ANSWER
    cashier.step()
    assert cashier.states(7) == {"B7-anna-1": "ACCEPTED", "B7-boris-1": "UNKNOWN"}
    cashier.clock.pass_(days=400)
    cashier.step()
    assert cashier.states(7)["B7-boris-1"] == "UNKNOWN"
    assert len(cashier.noting.taken) == 1


def test_an_unclear_send_is_repeated_with_the_same_bytes_where_the_bank_knows_its_ids(cashier: Cashier) -> None:
    cashier.noting.answers = [Receipt(Outcome.UNCLEAR, "the line went dead")]
    cashier.ready("anna")
    (file,) = cashier.released(7, {"anna": 500})
    cashier.rows("UPDATE settlement.steps SET retry_at = '2000-01-01' RETURNING 1")
    cashier.step()
    assert cashier.noting.taken == [(file.msg_id, cashier.content(file.msg_id))] * 2
    assert cashier.file(file.msg_id).state == "TRANSMITTED"


def test_an_unclear_send_to_any_other_bank_is_not_repeated(cashier: Cashier) -> None:
    door = Noting(checks_duplicates=False)
    door.answers = [Receipt(Outcome.UNCLEAR, "the line went dead")]
    cashier.use(door)
    cashier.ready("anna")
    cashier.released(7, {"anna": 500})
    cashier.clock.pass_(days=9)
    cashier.step()
    assert len(door.taken) == 1
    assert cashier.states(7) == {"B7-anna-1": "UNKNOWN"}


def test_what_the_bank_did_not_take_is_offered_again(cashier: Cashier) -> None:
    cashier.noting.answers = [Receipt(Outcome.REFUSED, "HTTP 503")]
    cashier.ready("anna")
    (file,) = cashier.released(7, {"anna": 500})
    assert cashier.file(file.msg_id).state == "RELEASED"
    cashier.clock.pass_(minutes=2)
    cashier.step()
    assert cashier.file(file.msg_id).state == "TRANSMITTED"
    assert len(cashier.noting.taken) == 1


def test_without_a_way_to_the_bank_a_person_carries_the_file(cashier: Cashier) -> None:
    cashier.use(None)
    cashier.ready("anna")
    (file,) = cashier.released(7, {"anna": 500})
    assert cashier.file(file.msg_id).state == "RELEASED"
    assert cashier.states(7) == {"B7-anna-1": "FROZEN"}
    name, at = f"files/{file.msg_id}", cashier.clock.now()
    cashier.do(lambda connection: sending.mark_transmitted(connection, name, ANSWER, ANNA, at))
    assert cashier.file(file.msg_id).state == "TRANSMITTED"
    assert cashier.states(7) == {"B7-anna-1": "SENT"}


def test_a_booking_becomes_final_when_it_can_no_longer_come_back(cashier: Cashier) -> None:
    cashier.ready("anna", "boris")
    cashier.released(7, {"anna": 500, "boris": 300})
    cashier.stated(PAY)
    cashier.hear("batches/7/instructions/B7-boris-1", Rank.ANNOUNCED, Verdict.BOOKED)
    cashier.clock.pass_(days=RETURN_DAYS - 1)
    cashier.step()
    assert cashier.states(7)["B7-anna-1"] == "BOOKED"
    cashier.clock.pass_(days=1)
    cashier.step()
    assert cashier.states(7) == {"B7-anna-1": "FINAL", "B7-boris-1": "BOOKED"}, "announced only: not final"


def test_a_quarantine_stops_every_send(cashier: Cashier) -> None:
    cashier.ready("anna")
    cashier.prefund(1000)
    cashier.approved(7, {"anna": 500})
    cashier.release(7)
    cashier.rows("INSERT INTO settlement.quarantines (why, since) VALUES ('a test', now()) RETURNING 1")
    cashier.step()
    assert cashier.noting.taken == []
    assert cashier.states(7) == {"B7-anna-1": "FROZEN"}
    step = cashier.do(lambda connection: steps.found(connection, "send", "B7-R1-F1"))
    assert "QUARANTINED" in step.blocked_because


@pytest.mark.parametrize(
    "forbidden",
    [
        "UPDATE settlement.payment_files SET content = 'x'",
        "UPDATE settlement.payment_files SET sha256 = sha256",
        "UPDATE settlement.instructions SET amount_minor = 1",
        "UPDATE settlement.instructions SET account = 'x'",
        "UPDATE settlement.bank_accounts SET iban = 'x'",
        "UPDATE settlement.sendings SET sha256 = 'x'",
        "UPDATE settlement.documents SET content = 'x'",
        "DELETE FROM settlement.payment_files",
        "DELETE FROM settlement.sendings",
        "DELETE FROM settlement.instructions",
    ],
)
def test_the_application_cannot_change_what_was_fixed(cashier: Cashier, forbidden: str) -> None:
    with pytest.raises(Exception, match="permission denied"):
        cashier.do(lambda connection: connection.exec_driver_sql(forbidden))


def test_there_is_one_live_instruction_for_a_batch_a_partner_and_a_currency(cashier: Cashier) -> None:
    cashier.ready("anna")
    cashier.built(7, {"anna": 500})
    with pytest.raises(Exception, match="instructions_one_live"):
        cashier.make(7, {"anna": 500})


def test_a_send_that_died_half_way_is_not_repeated_to_a_bank_that_would_pay_twice(cashier: Cashier) -> None:
    door = Noting(checks_duplicates=False)
    cashier.use(door)
    cashier.ready("anna")
    cashier.prefund(10**9)
    cashier.approved(7, {"anna": 500})
    cashier.release(7)
    while cashier.states(7) != {"B7-anna-1": "SENT"}:
        cashier.stepper.one()
    cashier.rows("UPDATE settlement.steps SET attempts = 1 WHERE kind = 'send' RETURNING 1")  # it was taken, and died
    cashier.step()
    assert door.taken == []
    assert cashier.states(7) == {"B7-anna-1": "UNKNOWN"}


def test_what_only_the_archive_remembers_is_not_repeated_there_either(cashier: Cashier) -> None:
    door = Noting(checks_duplicates=False)
    cashier.use(door)
    cashier.ready("anna")
    cashier.prefund(10**9)
    (file,) = cashier.approved(7, {"anna": 500})
    cashier.release(7)
    cashier.archive.keep(file.msg_id, cashier.content(file.msg_id))
    cashier.step()
    assert door.taken == []
    assert cashier.states(7) == {"B7-anna-1": "UNKNOWN"}
