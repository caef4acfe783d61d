"""Stops: breaks that keep back what would be released in their currency, until they are explained or over."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import ProgrammingError

from services.settlement.domain.breaks import BreakReason, EndsByStatement
from services.settlement.domain.clearing import ClearingMismatch, ClearingOverdrawn
from services.settlement.main import looking
from services.settlement.store import breaks, lines_of_bank
from services.settlement.store.batches import conditions, rows
from services.settlement.store.batches.rows import Batch
from shared.refusal import Refusal
from tests.settlement.accounts import german
from tests.settlement.cashier import PATIENCE
from tests.settlement.reconciling.counter import CAROL, NETS, Counter
from tests.settlement.reconciling.papers import FUNDS, Said, announcement
from tests.support.together import at_once

ALPHA = NETS["alpha"]


def announced(counter: Counter, partner: str = "alpha") -> None:
    """The bank says that it paid, and nothing on a statement."""
    entry = counter.paid(counter.by_partner[partner])
    counter.take_in(announcement(counter.account, counter.clock.now().date(), [entry]))


def mismatched(counter: Counter) -> str:
    """F25: what was announced is not on the statement of the next day. The name of the break."""
    announced(counter)
    counter.clock.pass_(days=1)
    counter.states_of()
    (one,) = counter.breaks()
    return one.name


def overdrawn(counter: Counter) -> str:
    """F06: a cent below zero. The name of the break."""
    counter.states_of(Said(-counter.last - 1, reference="a fee"))
    return next(one.name for one in counter.breaks() if one.reason is BreakReason.CLEARING_OVERDRAWN)


def refused(counter: Counter, batch: Batch) -> Refusal:
    with pytest.raises((ClearingMismatch, ClearingOverdrawn)) as refusal:
        counter.release_batch(batch)
    assert counter.batch(batch.name).state == "APPROVED"
    return refusal.value


def state(counter: Counter, name: str) -> str:
    return counter.do(lambda connection: breaks.found(connection, name)).state


def sent(counter: Counter) -> list[str]:
    return [name for name, _ in counter.noting.taken]


def test_a_release_is_refused_with_what_is_expected_what_was_found_and_what_to_do(counter: Counter) -> None:
    batch, name = counter.another(), mismatched(counter)
    refusal = refused(counter, batch)
    account = counter.by_partner["alpha"].clearing_account
    assert (refusal.reason, refusal.metadata) == (
        "CLEARING_MISMATCH",
        {
            "currency": "EUR",
            "where": account,
            "expectedMinor": str(FUNDS - ALPHA),
            "foundMinor": str(FUNDS),
            "differenceMinor": str(ALPHA),
            "name": name,
        },
    )
    assert f"explain {name}" in refusal.advice
    one = counter.do(lambda connection: breaks.found(connection, name))
    assert (one.batch, one.account, one.currency, one.amount_minor) == (1, account, "EUR", ALPHA)
    assert one.detail == f"{account} closes with 10000000 EUR, the books expect 9999915.41 EUR"


def test_what_stops_a_batch_is_shown_before_it_is_released_and_does_not_keep_it_from_being_submitted(
    counter: Counter,
) -> None:
    overdrawn(counter)
    (shown,) = counter.blocked(counter.another())
    assert (shown.name, shown.overridden) == ("CLEARING_OVERDRAWN", False)
    assert "it is to be at least 0 EUR" in shown.detail


def test_other_currencies_go_on(counter: Counter) -> None:
    counter.ready("alpha", "gamma", currency="USD")
    euros = counter.another()
    dollars = counter.ready_batch(counter.window([("gamma", "alpha", 700, "USD")]))
    mismatched(counter)
    refused(counter, euros)
    assert counter.blocked(dollars) == []
    assert counter.release_batch(dollars).state == "RELEASING"


def test_a_batch_goes_whole_or_not_at_all_when_one_of_its_currencies_is_stopped(counter: Counter) -> None:
    counter.ready("alpha", "gamma", currency="USD")
    both = counter.ready_batch(counter.window([("gamma", "alpha", 700, "USD"), ("gamma", "alpha", 700)]))
    mismatched(counter)
    refused(counter, both)
    assert set(counter.states(2).values()) == {"FROZEN"}


def test_releases_go_on_when_it_is_explained_and_stop_when_that_was_wrong(counter: Counter) -> None:
    batch, name = counter.another(), mismatched(counter)
    counter.explain(name)
    assert counter.stops() == []
    at = counter.clock.now()
    counter.do(lambda connection: breaks.refute(connection, name, "it is none", None, CAROL, at))
    refused(counter, batch)
    counter.explain(name)
    counter.release_batch(batch)


def test_what_is_not_there_is_not_there_by_a_persons_word(counter: Counter) -> None:
    batch, name = counter.another(), overdrawn(counter)
    counter.explain(name)
    refused(counter, batch)
    with pytest.raises(EndsByStatement):
        counter.resolve(name)
    counter.clock.pass_(days=1)
    counter.states_of(Said(1, reference="covered"))
    assert state(counter, name) == "RESOLVED"
    counter.release_batch(batch)


def test_an_account_that_sinks_further_says_how_far(counter: Counter) -> None:
    first = overdrawn(counter)
    counter.clock.pass_(days=1)
    counter.states_of(Said(-99, reference="another fee"))
    (stop,) = counter.stops()
    assert (stop.found_minor, stop.expected_minor, state(counter, first)) == (-100, 0, "RESOLVED")


def test_the_line_that_was_missing_ends_it(counter: Counter) -> None:
    name = mismatched(counter)
    counter.clock.pass_(days=1)
    counter.states_of(counter.paid(counter.pays[0]))
    assert (state(counter, name), counter.breaks()) == ("RESOLVED", [])


def test_a_difference_that_stays_is_found_once(counter: Counter) -> None:
    name = mismatched(counter)
    for _ in range(2):
        counter.clock.pass_(days=1)
        counter.states_of()
        counter.look()
    assert [one.name for one in counter.breaks()] == [name]
    counter.explain(name)
    counter.clock.pass_(days=1)
    counter.states_of()
    assert counter.stops() == []


def test_a_difference_that_grows_stops_again_what_was_explained(counter: Counter) -> None:
    name = mismatched(counter)
    counter.explain(name)
    announced(counter, "beta")
    counter.clock.pass_(days=1)
    counter.states_of()
    (stop,) = counter.stops()
    assert (stop.amount_minor, state(counter, name)) == (ALPHA + NETS["beta"], "RESOLVED")


def test_what_persons_gave_up_is_expected_no_more_and_found_when_it_comes_all_the_same(counter: Counter) -> None:
    counter.resolve(mismatched(counter))
    counter.clock.pass_(days=1)
    counter.states_of()
    assert counter.breaks() == []
    counter.clock.pass_(days=1)
    counter.states_of(counter.paid(counter.pays[0]))
    (stop,) = counter.stops()
    assert stop.found_minor - stop.expected_minor == -ALPHA


def test_a_payment_whose_line_has_a_break_of_its_own_is_not_asked_about_twice(counter: Counter) -> None:
    announced(counter)
    counter.clock.pass_(days=1)
    counter.states_of(counter.paid(counter.pays[0], minor=-ALPHA + 15))
    assert counter.reasons() == ["AMOUNT_MISMATCH"]


def test_a_return_that_no_statement_shows_stops_releases(counter: Counter) -> None:
    a, _ = counter.pays
    counter.states_of(counter.paid(a))
    back = counter.paid(a, minor=a.amount_minor, returned="AC04")
    counter.take_in(announcement(counter.account, counter.clock.now().date(), [back], number=2))
    assert counter.state("alpha") == "RETURNED"
    counter.clock.pass_(days=1)
    counter.states_of()
    (stop,) = counter.stops()
    assert (stop.expected_minor - stop.found_minor, stop.reason) == (ALPHA, BreakReason.CLEARING_MISMATCH)
    counter.clock.pass_(days=1)
    counter.states_of(back)
    assert counter.stops() == []


def test_what_was_released_before_and_is_not_begun_waits(counter: Counter) -> None:
    counter.release_batch(counter.another())
    name = mismatched(counter)
    counter.again()
    assert ("B2-R1-F1" in sent(counter), counter.state_of("B2-alpha-1")) == (False, "FROZEN")
    assert counter.rows("SELECT 1 FROM settlement.steps WHERE state = 'BLOCKED'") == []
    counter.explain(name)
    counter.clock.pass_(minutes=2)
    counter.again()
    assert ("B2-R1-F1" in sent(counter), counter.state_of("B2-alpha-1")) == (True, "SENT")


def test_a_release_that_waits_for_money_waits_for_the_stop_too_and_says_so(counter: Counter) -> None:
    counter.prefund(-FUNDS)
    batch = counter.release_batch(counter.another())
    name = mismatched(counter)
    counter.prefund(FUNDS)

    def waits() -> list[str]:
        found = counter.do(lambda connection: rows.found(connection, batch.name))
        return [one.name for one in counter.do(lambda connection: conditions.waiting(connection, found))]

    counter.clock.pass_(minutes=2)
    counter.again()
    assert (waits(), counter.state_of("B2-alpha-1")) == (["CLEARING_MISMATCH"], "FROZEN")
    counter.explain(name)
    counter.clock.pass_(minutes=2)
    counter.again()
    assert counter.state_of("B2-alpha-1") == "SENT"


def test_a_batch_with_nothing_wrong_is_not_settled_before_the_account_of_its_currency_is_explained(
    counter: Counter,
) -> None:
    """F25: nobody knows yet whose money it is."""
    counter.release_batch(counter.another())
    counter.again()
    announced(counter)
    counter.clock.pass_(days=1)
    counter.states_of(*(counter.booked(one) for one in counter.instructions(2).values()))
    counter.days(7)
    (stop,) = counter.stops()
    assert (set(counter.states(2).values()), counter.batch("batches/2").state) == ({"FINAL"}, "IN_PAYMENT")
    counter.explain(stop.name)
    counter.again()
    assert counter.batch("batches/2").state == "SETTLED"
    assert counter.batch("batches/1").state == "IN_PAYMENT"


def test_a_batch_that_moved_something_else_is_settled_when_persons_have_ended_its_break(counter: Counter) -> None:
    """F03, on the way to its end."""
    counter.states_of(*(counter.booked(one) for one in counter.by_partner.values()))
    counter.rows("UPDATE settlement.instructions SET amount_minor = 8_000 WHERE partner = 'alpha' RETURNING 1")
    counter.days(7)
    (stop,) = counter.stops()
    assert (stop.where, stop.found_minor, stop.expected_minor) == ("batches/1", ALPHA - 8_000, 0)
    counter.explain(stop.name)
    counter.again()
    assert (counter.stops(), counter.batch("batches/1").state) == ([], "IN_PAYMENT")
    counter.resolve(stop.name)
    counter.again()
    assert counter.batch("batches/1").state == "SETTLED"


def test_the_end_of_any_break_of_a_batch_lets_it_be_settled(counter: Counter) -> None:
    a, *_ = counter.pays
    counter.states_of(counter.paid(a), *(counter.booked(one) for one in counter.by_partner.values()))
    counter.days(10)
    (twice,) = counter.breaks()
    assert counter.batch("batches/1").state == "IN_PAYMENT"
    counter.resolve(twice.name)
    counter.again()
    assert counter.batch("batches/1").state == "SETTLED"


def test_a_payment_that_a_person_found_on_a_statement_becomes_final(counter: Counter) -> None:
    a, b = counter.pays
    entry = counter.paid(a, account=german(999))
    counter.states_of(entry, counter.paid(b), counter.booked(counter.pay_in))
    (one,) = counter.breaks()
    line, at = int(one.subject.rpartition("/")[2]), counter.clock.now()
    batch = counter.do(lambda connection: lines_of_bank.match(connection, line, a.name, CAROL, at))
    counter.do(lambda connection: counter.follow(connection, batch, at))
    counter.days(7)
    assert (counter.state("alpha"), counter.batch("batches/1").state) == ("FINAL", "SETTLED")


def test_a_release_at_the_moment_of_the_import_comes_before_it_or_is_refused_and_nothing_is_sent(
    counter: Counter,
) -> None:
    batch = counter.another()
    announced(counter)
    counter.clock.pass_(days=1)

    def release() -> bool:
        try:
            counter.release_batch(batch)
        except ClearingMismatch:
            return False
        return True

    released, _ = at_once([release, lambda: bool(counter.states_of())])
    assert (counter.batch(batch.name).state != "APPROVED") is released
    assert [stop.reason for stop in counter.stops()] == [BreakReason.CLEARING_MISMATCH]
    counter.again()
    assert "B2-R1-F1" not in sent(counter)


def test_an_account_that_was_overdrawn_before_there_were_stops_is_one_from_the_start(counter: Counter) -> None:
    name = overdrawn(counter)
    for table in ("breaks", "transitions"):
        counter.rows(f"DELETE FROM settlement.{table} WHERE name = %s RETURNING 1", name)
    assert counter.stops() == []
    counter.do(lambda connection: looking(counter.archive)(connection, counter.clock.now()))
    assert [stop.reason for stop in counter.stops()] == [BreakReason.CLEARING_OVERDRAWN]


def test_what_was_expected_and_found_cannot_be_changed_by_the_application(counter: Counter) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), counter.sessions.writing(PATIENCE) as connection:
        connection.exec_driver_sql("UPDATE settlement.breaks SET found_minor = expected_minor")
