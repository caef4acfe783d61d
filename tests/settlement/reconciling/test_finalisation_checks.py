"""What the importer of the bank's papers does in each condition: the checks F01 to F36 that concern it, by number."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy.exc import ProgrammingError

from services.settlement.domain.bank import (
    AmountInvalid,
    BalanceBroken,
    NotAClearingAccount,
    StatementGap,
    UnknownAccount,
)
from shared.refusal import Refusal
from tests.settlement.accounts import account_of, clearing, german
from tests.settlement.cashier import PATIENCE
from tests.settlement.reconciling.counter import Counter
from tests.settlement.reconciling.papers import FUNDS, Said, announcement, answer, returned, statement
from tests.support.vectors import checks

CHECKS = checks("settlement.json")


def test_f02_an_answer_to_a_file_that_we_never_sent_is_a_break(counter: Counter) -> None:
    counter.take_in(answer("B9-R9-F9", "ACCP", counter.clock.now()))
    assert counter.reasons() == [CHECKS["F02"]["reason"]] == ["UNKNOWN_FILE"]
    assert counter.state("alpha") == "SENT"


def test_f04_our_reference_with_another_amount_books_nothing(counter: Counter) -> None:
    a, b = counter.pays
    counter.states_of(counter.paid(a, minor=-a.amount_minor - 1), counter.paid(b))
    assert counter.reasons() == [CHECKS["F04"]["reason"]]
    assert (counter.state("alpha"), counter.state("beta")) == ("SENT", "BOOKED")


def test_f05_a_statement_that_does_not_add_up_is_refused_whole(counter: Counter) -> None:
    a, _ = counter.pays
    broken = statement(counter.account, counter.clock.now().date(), [counter.paid(a)], closing=0)
    with pytest.raises(BalanceBroken) as refused:
        counter.take_in(broken)
    assert refused.value.reason == CHECKS["F05"]["reason"]
    assert counter.rows("SELECT 1 FROM settlement.bank_lines") == []
    assert counter.state("alpha") == "SENT"


def test_f06_an_overdrawn_clearing_account_stops_pay_files_until_it_is_covered(counter: Counter) -> None:
    batch = counter.another()
    counter.states_of(Said(-FUNDS - 50_000, reference="a fee"))
    (short,) = counter.release(2)
    assert (short.currency, short.missing_minor) == ("EUR", 50_000)
    assert counter.states(2)["B2-alpha-1"] == "FROZEN"
    counter.clock.pass_(days=1)
    counter.states_of(Said(60_000, reference="covered"))
    counter.release_batch(batch)
    counter.step()
    assert counter.states(2)["B2-alpha-1"] == "SENT"


def test_f24_a_payment_that_was_accepted_and_is_on_no_statement_is_a_break_until_it_is(counter: Counter) -> None:
    a, b = counter.pays
    said = [(one.end_to_end_id, "ACCP", "") for one in (a, b)]
    counter.take_in(answer(counter.built_file.msg_id, "ACCP", counter.clock.now(), payments=said))
    counter.states_of(counter.paid(b))
    counter.clock.pass_(days=1, hours=1)
    counter.step()
    assert counter.reasons() == []
    counter.clock.pass_(days=1)
    counter.step()
    assert [(one.reason.value, one.instruction) for one in counter.breaks()] == [(CHECKS["F24"]["reason"], a.name)]
    counter.states_of(counter.paid(a))
    assert counter.reasons() == []
    assert counter.state("alpha") == "BOOKED"


def test_f09_a_line_without_a_payment_is_never_set_off_against_anything(counter: Counter) -> None:
    counter.states_of(Said(50_000, reference="a gift"), Said(-50_000, reference="a fee"))
    assert counter.reasons() == [CHECKS["F09"]["reason"]] * 2
    assert {one.amount_minor for one in counter.breaks()} == {50_000}


def test_f10_another_counterparty_waits_for_a_person(counter: Counter) -> None:
    a, _ = counter.pays
    counter.states_of(counter.paid(a, account=german(999)))
    assert counter.reasons() == [CHECKS["F10"]["reason"]]
    assert counter.state("alpha") == "SENT"


def test_f11_a_statement_of_another_account_of_ours_is_refused(counter: Counter) -> None:
    other = counter.has(account_of("delta", 77))
    with pytest.raises(NotAClearingAccount) as refused:
        counter.take_in(statement(german(77), counter.clock.now().date(), []))
    assert refused.value.reason == CHECKS["F11"]["reason"]
    assert other.name in str(refused.value)


def test_f12_a_statement_of_nobodys_account_is_refused_and_the_account_is_not_repeated(counter: Counter) -> None:
    with pytest.raises(UnknownAccount) as refused:
        counter.take_in(statement(german(4711), counter.clock.now().date(), []))
    assert refused.value.reason == CHECKS["F12"]["reason"]
    assert german(4711) not in str(refused.value)


@pytest.mark.parametrize("check", ["F13", "F14"])
def test_f13_and_f14_an_amount_that_the_currency_cannot_have_refuses_the_statement(
    counter: Counter, check: str
) -> None:
    a, b = counter.pays
    good = statement(counter.account, counter.clock.now().date(), [counter.paid(a), counter.paid(b)])
    sample = (
        good.replace(b">84.59<", b">84.595<") if check == "F14" else good.replace(b">9999888.67<", b">9999888.675<")
    )
    assert sample != good
    with pytest.raises(AmountInvalid) as refused:
        counter.take_in(sample)
    assert refused.value.reason == CHECKS[check]["reason"]
    assert counter.rows("SELECT 1 FROM settlement.bank_messages") == []


def test_f15_our_reference_in_another_currency_books_nothing(counter: Counter) -> None:
    dollars = clearing("USD", 2)
    counter.has(dollars)
    a, _ = counter.pays
    entry = counter.paid(a, currency="USD")
    counter.take_in(statement(dollars.iban, counter.clock.now().date(), [entry], currency="USD"))
    assert counter.reasons() == [CHECKS["F15"]["reason"]]
    assert counter.state("alpha") == "SENT"


def test_f20_and_f27_the_same_content_under_another_name_applies_once(counter: Counter) -> None:
    a, _ = counter.pays
    content = statement(counter.account, counter.clock.now().date(), [counter.paid(a)])
    first = counter.take_in(content, "monday.xml")
    again = counter.take_in(content, "copy of monday.xml")
    assert (first.imported.before, again.imported.before) == (False, True)
    assert (again.matched, counter.reasons()) == (0, [])
    assert counter.rows("SELECT file_name FROM settlement.bank_messages") == [("monday.xml",)]


def test_f23_one_refused_payment_is_rejected_and_the_others_go_on(counter: Counter) -> None:
    a, b = counter.pays
    said = [(a.end_to_end_id, "RJCT", "AC04"), (b.end_to_end_id, "ACCP", "")]
    counter.take_in(answer(counter.built_file.msg_id, "PART", counter.clock.now(), payments=said))
    assert (counter.state("alpha"), counter.state("beta")) == ("REJECTED", "ACCEPTED")
    assert counter.file(counter.built_file.msg_id).state == "ACKNOWLEDGED"
    assert counter.batch("batches/1").state == "PARTIALLY_SETTLED"


def test_f28_a_statement_that_does_not_follow_is_refused_until_the_missing_one_came(counter: Counter) -> None:
    a, b = counter.pays
    today = counter.clock.now().date()
    first = statement(counter.account, today, [counter.paid(a)], number=1)
    second = statement(counter.account, today, [], number=2, opening=FUNDS - a.amount_minor)
    third = statement(counter.account, today, [counter.paid(b)], number=3, opening=FUNDS - a.amount_minor)
    counter.take_in(first)
    with pytest.raises(StatementGap) as refused:
        counter.take_in(third)
    assert refused.value.reason == CHECKS["F28"]["reason"]
    counter.take_in(second)
    counter.take_in(third)
    assert counter.state("beta") == "BOOKED"


def test_f28_a_statement_whose_opening_is_not_the_last_closing_is_refused(counter: Counter) -> None:
    counter.states_of()
    with pytest.raises(StatementGap, match="opens with 5"):
        counter.take_in(statement(counter.account, counter.clock.now().date(), [], number=2, opening=5))


def test_f29_a_second_line_for_a_booked_payment_is_a_break_and_the_first_match_stays(counter: Counter) -> None:
    a, _ = counter.pays
    counter.states_of(counter.paid(a), counter.paid(a))
    assert counter.reasons() == [CHECKS["F29"]["reason"]]
    counter.clock.pass_(days=1)
    counter.states_of(counter.paid(a))
    assert counter.reasons() == [CHECKS["F29"]["reason"]] * 2
    assert counter.state("alpha") == "BOOKED"


def test_f30_an_answer_after_the_statement_has_no_effect_and_a_rejection_is_told(counter: Counter) -> None:
    a, b = counter.pays
    counter.states_of(counter.paid(a), counter.paid(b))
    said = [(a.end_to_end_id, "ACCP", ""), (b.end_to_end_id, "RJCT", "AC04")]
    counter.take_in(answer(counter.built_file.msg_id, "PART", counter.clock.now(), payments=said))
    assert (counter.state("alpha"), counter.state("beta")) == ("BOOKED", "BOOKED")
    assert counter.reasons() == ["BOOKED_AFTER_REJECTION"]


def test_f31_a_whole_file_rejected_is_replaced_by_one_with_the_same_payments_and_its_own_approval(
    counter: Counter,
) -> None:
    rejected = counter.built_file.msg_id
    counter.take_in(answer(rejected, "RJCT", counter.clock.now(), code="FF01"))
    assert (counter.state("alpha"), counter.state("beta"), counter.state("gamma")) == ("FROZEN", "FROZEN", "SENT")
    assert counter.file(rejected).state == "REJECTED"
    ((other,),) = counter.rows("SELECT msg_id FROM settlement.payment_files WHERE replaces = %s", rejected)
    assert counter.file(str(other)).state == "BUILT"
    was, now = counter.bytes_of(rejected), counter.bytes_of(str(other))
    for one in counter.pays:
        assert one.end_to_end_id.encode() in was
        assert one.end_to_end_id.encode() in now


def test_f32_a_known_msg_id_means_only_that_the_first_send_arrived(counter: Counter) -> None:
    counter.take_in(answer(counter.built_file.msg_id, "RJCT", counter.clock.now(), code="DUPL"))
    assert (counter.state("alpha"), counter.state("beta")) == ("SENT", "SENT")
    assert counter.file(counter.built_file.msg_id).state == "TRANSMITTED"


@pytest.mark.parametrize("paper", ["pacs.004", "camt.053"])
def test_f33_a_booked_payment_that_comes_back_is_returned(counter: Counter, paper: str) -> None:
    a, b = counter.pays
    counter.states_of(counter.paid(a), counter.paid(b))
    counter.clock.pass_(days=3)
    if paper == "pacs.004":
        counter.take_in(returned(a.end_to_end_id, a.amount_minor, counter.clock.now().date()))
    else:
        counter.states_of(counter.paid(a, minor=a.amount_minor, returned="AC04"))
    assert (counter.state("alpha"), counter.state("beta")) == ("RETURNED", "BOOKED")
    assert counter.reasons() == []


def test_f35_a_collection_that_arrives_short_is_kept_and_books_nothing(counter: Counter) -> None:
    c = counter.pay_in
    counter.states_of(Said(c.amount_minor - 1000, reference=c.reference))
    (short,) = counter.breaks()
    assert (short.reason.value, short.amount_minor) == (CHECKS["F35"]["reason"], c.amount_minor - 1000)
    assert counter.state("gamma") == "SENT"


def test_f36_a_return_after_final_changes_nothing_but_opens_a_break(counter: Counter) -> None:
    a, b = counter.pays
    counter.states_of(counter.paid(a), counter.paid(b))
    for _ in range(40):
        counter.clock.pass_(days=1)
        counter.step()
    assert counter.state("alpha") == "FINAL"
    counter.take_in(returned(a.end_to_end_id, a.amount_minor, counter.clock.now().date()))
    assert counter.state("alpha") == "FINAL"
    assert counter.reasons() == [CHECKS["F36"]["reason"]]


def test_a_pay_in_is_found_by_its_reference_alone(counter: Counter) -> None:
    c = counter.pay_in
    counter.states_of(Said(c.amount_minor, reference=c.reference, account=german(4)))
    assert counter.state("gamma") == "BOOKED"
    assert counter.reasons() == []


def test_a_file_booked_as_one_sum_books_every_payment_of_it(counter: Counter) -> None:
    total = sum(one.amount_minor for one in counter.pays)
    counter.states_of(Said(-total, message_id=counter.built_file.msg_id))
    assert (counter.state("alpha"), counter.state("beta")) == ("BOOKED", "BOOKED")


def test_an_announcement_books_before_the_statement_and_both_are_one_booking(counter: Counter) -> None:
    a, _ = counter.pays
    counter.take_in(announcement(counter.account, counter.clock.now().date(), [counter.paid(a)]))
    assert counter.state("alpha") == "BOOKED"
    assert counter.by_partner["alpha"].stated_on is None
    counter.states_of(counter.paid(a))
    assert counter.reasons() == []
    assert counter.instructions(1)[a.end_to_end_id].stated_on == counter.clock.now().date()


def test_amount_counterparty_and_day_without_a_reference_are_a_proposal_for_a_person(counter: Counter) -> None:
    a, _ = counter.pays
    result = counter.states_of(Said(-a.amount_minor, account=a.account))
    assert (result.proposed, counter.reasons(), counter.state("alpha")) == (1, [], "SENT")


def test_f16_evidence_for_a_withdrawn_file_revives_nothing(counter: Counter) -> None:
    counter.cancel(counter.another())
    counter.take_in(answer("B2-R1-F1", "ACCP", counter.clock.now()))
    assert counter.reasons() == [CHECKS["F16"]["reason"]]
    assert set(counter.states(2).values()) == {"CANCELLED"}


REFUSED: list[tuple[Callable[[Counter], bytes], type[Refusal]]] = [
    (lambda one: statement(german(4711), one.clock.now().date(), []), UnknownAccount),
    (lambda one: statement(one.account, one.clock.now().date(), [Said(5)], closing=6), BalanceBroken),
]


@pytest.mark.parametrize(("content", "refusal"), REFUSED)
def test_a_refused_file_leaves_nothing_behind(
    counter: Counter, content: Callable[[Counter], bytes], refusal: type[Refusal]
) -> None:
    with pytest.raises(refusal):
        counter.take_in(content(counter))
    for table in ("bank_messages", "bank_statements", "bank_lines", "bank_matches"):
        assert counter.rows(f"SELECT 1 FROM settlement.{table}") == []


def test_what_the_bank_said_cannot_be_changed_by_the_application(counter: Counter) -> None:
    counter.states_of()
    for verb in (
        "UPDATE settlement.bank_messages SET content = ''",
        "DELETE FROM settlement.bank_messages",
        "UPDATE settlement.bank_statements SET closing_minor = 0",
        "UPDATE settlement.bank_lines SET amount_minor = 1",
        "UPDATE settlement.evidence SET rank = 6",
        "DELETE FROM settlement.evidence",
        "DELETE FROM settlement.breaks",
    ):
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            counter.sessions.writing(PATIENCE) as connection,
        ):
            connection.exec_driver_sql(verb)
