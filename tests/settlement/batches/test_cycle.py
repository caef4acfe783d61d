"""A batch from closed windows to settled ones."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from services.settlement.domain.batch import FxIncomplete
from services.settlement.domain.batch.refusals import BatchBlocked, NothingToSettle, SliceTaken, WindowNotClosed
from services.settlement.domain.evidence import Rank, Verdict
from services.settlement.domain.netting import Model
from services.settlement.domain.proposal import Kind
from services.settlement.domain.refusals import TransitionRefused
from services.settlement.store import batches, proposals, repairs
from tests.settlement.accounts import account_of
from tests.settlement.cashier import Cashier
from tests.settlement.clerk import ANNA, BEN, Clerk, terms


def test_a_batch_goes_from_draft_to_settled_and_takes_its_windows_along(clerk: Clerk) -> None:
    clerk.ready("a", "b", "c")
    number = clerk.window([("a", "b", 9_875), ("a", "c", 2_666), ("b", "a", 6_999), ("b", "c", 901), ("c", "a", 14_001),
                           ("c", "b", 699)])  # fmt: skip
    batch = clerk.create(number)
    assert (batch.name, batch.state, batch.revision) == ("batches/1", "DRAFT", 1)
    batch = clerk.calculate(batch)
    assert clerk.blocked(batch) == []
    assert {name: (one.amount_minor, one.state) for name, one in clerk.instructions(1).items()} == {
        "B1-a-1": (8_459, "FROZEN"),
        "B1-b-1": (2_674, "FROZEN"),
        "B1-c-1": (11_133, "FROZEN"),
    }
    assert clerk.calculate(batch) == batch
    batch = clerk.approved_batch(clerk.submit(batch))
    assert (batch.state, batch.decided_by) == ("APPROVED", BEN)
    batch = clerk.release_batch(batch)
    assert batch.state == "RELEASING"
    batch = clerk.pay(batch)
    assert (batch.state, clerk.window_state(number)) == ("SETTLED", "SETTLED")
    assert clerk.open() == {}


def test_every_batch_shows_all_three_models_with_number_and_sum_and_saving(clerk: Clerk) -> None:
    clerk.ready("a", "b", "c")
    owed = [
        ("a", "b", 9_875),
        ("a", "c", 2_666),
        ("b", "a", 6_999),
        ("b", "c", 901),
        ("c", "a", 14_001),
        ("c", "b", 699),
    ]
    batch = clerk.calculate(clerk.create(clerk.window(owed), netting=Model.CYCLES_ONLY))
    document: Any = clerk.document(batch)
    (euro,) = document["currencies"]
    assert {one["model"]: (one["moved"], one["saving"], one["payments"]) for one in euro["models"]} == {
        "MULTILATERAL": (11_133, "68.32", 3),
        "BILATERAL": (14_413, "58.99", 3),
        "CYCLES_ONLY": (13_108, "62.70", 3),
    }
    assert euro["between"] == [["a", "b", 1_975], ["c", "a", 10_434], ["c", "b", 699]]
    assert clerk.instructions(1) == {}
    assert [proof for proof, _ in document["proofs"]] == ["P1", "P5", "P4"]


def test_what_is_below_the_minimum_is_carried_then_paid(clerk: Clerk) -> None:
    """S3: B's 3.17 waits for the second batch."""
    clerk.ready("a", "b", "c")
    clerk.agrees("b", terms(minimum_payment_minor=500))
    first = clerk.settle(clerk.window([("a", "b", 317), ("a", "c", 1_000)]))
    assert (first.state, clerk.open()) == ("SETTLED", {("b", "EUR"): 317})
    second = clerk.settle(clerk.window([("a", "b", 250)]))
    assert second.state == "SETTLED"
    assert {one.partner: one.amount_minor for one in clerk.instructions(2).values()} == {"a": 250, "b": 567}
    assert clerk.open() == {}


def test_a_slice_that_is_left_over_keeps_its_window_from_being_settled(clerk: Clerk) -> None:
    clerk.ready("a", "b")
    clerk.ready("a", "b", currency="USD")
    number = clerk.window([("a", "b", 100), ("a", "b", 200, "USD")])
    assert clerk.settle(number, currencies=["EUR"]).state == "SETTLED"
    assert clerk.window_state(number) == "CLOSED"
    with pytest.raises(SliceTaken):
        clerk.create(number, currencies=["EUR"])
    rest = clerk.settle(number)
    assert {(one.currency, one.amount_minor) for one in clerk.instructions(rest.number).values()} == {("USD", 200)}
    assert clerk.window_state(number) == "SETTLED"
    with pytest.raises(SliceTaken):
        clerk.create(number)


def test_only_what_is_closed_and_there_can_be_settled(clerk: Clerk) -> None:
    number = clerk.window([("a", "b", 100)])
    with pytest.raises(WindowNotClosed):
        clerk.create(number + 1)
    with pytest.raises(NothingToSettle):
        clerk.create(number, currencies=["JPY"])


def test_a_cancelled_batch_gives_its_slices_and_openings_back(clerk: Clerk) -> None:
    clerk.ready("a", "b")
    clerk.agrees("b", terms(minimum_payment_minor=500))
    clerk.settle(clerk.window([("a", "b", 317)]))
    number = clerk.window([("a", "b", 250)])
    batch = clerk.submit(clerk.calculate(clerk.create(number)))
    assert clerk.open() == {}
    assert clerk.cancel(batch).state == "CANCELLED"
    assert clerk.open() == {("b", "EUR"): 317}
    assert set(clerk.states(batch.number).values()) == {"CANCELLED"}
    assert clerk.settle(number).state == "SETTLED"


def test_a_released_batch_has_no_way_back(clerk: Clerk) -> None:
    clerk.ready("a", "b")
    batch = clerk.release_batch(clerk.ready_batch(clerk.window([("a", "b", 250)])))
    for back in (clerk.revise, clerk.cancel):
        with pytest.raises(TransitionRefused):
            back(batch)


def test_without_an_account_it_cannot_be_submitted(clerk: Clerk) -> None:
    clerk.ready("a")
    batch = clerk.calculate(clerk.create(clerk.window([("a", "b", 250)])))
    assert [one.name for one in clerk.blocked(batch)] == ["ACCOUNT_MISSING"]
    with pytest.raises(BatchBlocked, match="b EUR"):
        clerk.submit(batch)
    clerk.ready("b")
    batch = clerk.calculate(batch)
    assert clerk.submit(batch).state == "PENDING_APPROVAL"


def test_a_partner_is_paid_in_its_own_currency_and_fx_takes_the_rest(clerk: Clerk) -> None:
    clerk.ready("a", "b")
    clerk.ready(currency="USD")
    clerk.agrees("b", terms(settlement_currency="EUR"))
    number = clerk.window([("a", "b", 100), ("operator", "b", 10_000, "USD")])
    with pytest.raises(FxIncomplete):
        clerk.calculate(clerk.create(number))
    assert clerk.batch("batches/1").state == "DRAFT"
    at = clerk.clock.now()
    content: Any = {
        "day": at.date().isoformat(), "base": "EUR", "source": "a test", "moved": [],
        "quotes": {"EUR": "1", "USD": "1.0837"},
    }  # fmt: skip
    loaded = clerk.do(lambda connection: proposals.propose(connection, Kind.FX_SET, "fxSets/1", content, ANNA, at))
    clerk.approve(loaded.name)
    batch = clerk.calculate(clerk.batch("batches/1"))
    euros = round(Decimal(10_000) / Decimal("1.0837"))
    assert {one.partner: one.amount_minor for one in clerk.instructions(1).values()} == {"a": 100, "b": 100 + euros}
    document: Any = clerk.document(batch)
    ends = {(one[0], one[1]): (one[4], one[5], one[6]) for one in document["dispositions"]}
    assert ends["@fx", "USD"] == ("CARRY", 10_000, "FX")
    assert ends["@fx", "EUR"] == ("CARRY", -euros, "FX")
    assert ends["operator", "USD"] == ("CARRY", -10_000, "OWN")
    assert [one.name for one in clerk.blocked(batch)] == ["FUNDING_SHORT"]


def test_one_more_than_a_float_can_hold_survives_every_path(clerk: Clerk) -> None:
    """There, amounts pass through floating point (Mojaloop's `toNumber()`)."""
    most = 2**53 + 1
    clerk.ready("a", "b")
    number = clerk.window([("a", "b", most)])
    clerk.prefund(most)
    batch = clerk.ready_batch(number)
    document: Any = clerk.document(batch)
    assert [one[5] for one in document["dispositions"]] == [most, most]
    assert clerk.rows("SELECT control_sum_minor FROM settlement.payment_files") == [(most,)]
    (msg_id,) = clerk.rows("SELECT msg_id FROM settlement.payment_files")[0]
    assert b"90071992547409.93" in Cashier.content(clerk, str(msg_id))
    assert clerk.pay(clerk.release_batch(batch)).state == "SETTLED"


def test_a_returned_payment_that_is_carried_over_is_paid_by_the_next_batch(clerk: Clerk) -> None:
    clerk.ready("a", "b")
    batch = clerk.release_batch(clerk.ready_batch(clerk.window([("a", "b", 700)])))
    clerk.stated("batches/1/instructions/B1-a-1")
    clerk.clock.pass_(minutes=2)
    clerk.step()
    clerk.stated("batches/1/instructions/B1-b-1")
    clerk.hear("batches/1/instructions/B1-b-1", Rank.RETURNED, Verdict.RETURNED, "AC04")
    clerk.do(lambda connection: batches.follow(connection, 1, clerk.clock.now()))
    assert clerk.batch(batch.name).state == "PARTIALLY_SETTLED"
    proposed = clerk.do(
        lambda connection: repairs.propose_carrying(
            connection, "batches/1/instructions/B1-b-1", "account closed", ANNA, clerk.clock.now()
        )
    )
    clerk.approve(proposed.name)
    assert clerk.batch(batch.name).state == "SETTLED", "a pay-in that is stated cannot be called back"
    assert clerk.open() == {("b", "EUR"): 700}
    assert clerk.settle(clerk.window()).state == "SETTLED"
    assert {one.partner: one.amount_minor for one in clerk.instructions(2).values()} == {"b": 700}


def test_a_batch_whose_money_does_not_add_up_is_not_settled(clerk: Clerk) -> None:
    """F03: final payments and what is carried must be what was calculated."""
    clerk.ready("a", "b")
    clerk.agrees("b", terms(minimum_payment_minor=500))
    number = clerk.window([("a", "b", 317)])
    batch = clerk.release_batch(clerk.ready_batch(number))
    with clerk.tampering() as connection:
        connection.execute("UPDATE settlement.openings SET minor = minor + 1")
    assert clerk.pay(batch).state == "IN_PAYMENT"
    assert clerk.window_state(number) == "CLOSED"
    with clerk.tampering() as connection:
        connection.execute("UPDATE settlement.openings SET minor = minor - 1")
    clerk.do(lambda connection: batches.follow(connection, 1, clerk.clock.now()))
    assert (clerk.batch(batch.name).state, clerk.window_state(number)) == ("SETTLED", "SETTLED")


def test_a_changed_account_holds_submission_and_flags_what_is_approved(clerk: Clerk) -> None:
    """25, of the batch: after approval the frozen payment keeps the account that two people saw."""
    clerk.ready("a", "b")
    clerk.prefund(10_000)
    batch = clerk.ready_batch(clerk.window([("a", "b", 250)]))
    clerk.has(account_of("b", 500))
    assert [one.name for one in clerk.blocked(batch)] == ["ACCOUNT_COOLING_OFF"]
    assert clerk.release_batch(batch).state == "IN_PAYMENT"
    next_ = clerk.calculate(clerk.create(clerk.window([("a", "b", 100)])))
    with pytest.raises(BatchBlocked, match="ACCOUNT_COOLING_OFF"):
        clerk.submit(next_)
    clerk.clock.pass_(hours=73)
    assert clerk.submit(clerk.calculate(next_)).state == "PENDING_APPROVAL"
