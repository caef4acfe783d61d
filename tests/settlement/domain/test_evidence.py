"""What is known of a payment follows from the set of what was said, never from the order in which it came."""

from __future__ import annotations

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from services.settlement.domain.evidence import (
    Evidence,
    Rank,
    Verdict,
    contradicts,
    is_stated,
    standing,
    steps,
    weight,
)

SENT = Evidence(Rank.TRANSPORT, Verdict.SENT, 10, "sending")
ACCEPTED_FILE = Evidence(Rank.FILE_ANSWER, Verdict.ACCEPTED, 20, "pain.002 a")
REJECTED = Evidence(Rank.PAYMENT_ANSWER, Verdict.REJECTED, 30, "pain.002 b", "AC04")
ANNOUNCED = Evidence(Rank.ANNOUNCED, Verdict.BOOKED, 40, "camt.054")
STATED = Evidence(Rank.STATED, Verdict.BOOKED, 50, "camt.053")
RETURNED = Evidence(Rank.RETURNED, Verdict.RETURNED, 60, "pacs.004", "AC04")
DECIDED = Evidence(Rank.PAYMENT_ANSWER, Verdict.BOOKED, 35, "proposals/3", decided=True)
ALL = (SENT, ACCEPTED_FILE, REJECTED, ANNOUNCED, STATED, RETURNED)

said = st.builds(
    Evidence,
    st.sampled_from(Rank),
    st.sampled_from(Verdict),
    st.integers(0, 5),
    st.sampled_from(["a", "b", "c"]),
    st.just(""),
    st.booleans(),
)


def state_after(order: tuple[Evidence, ...]) -> str:
    """The state that an instruction has when the evidence comes in this order."""
    state, known = "SENT", list[Evidence]()
    for one in order:
        known.append(one)
        now = standing(known)
        assert now is not None
        way = steps(state, now.verdict)
        if way:
            state = way[-1]
    return state


def test_all_orders_of_all_evidence_end_alike() -> None:
    assert {state_after(order) for order in permutations(ALL)} == {"RETURNED"}
    assert {state_after(order) for order in permutations(ALL[:5])} == {"BOOKED"}
    assert {state_after(order) for order in permutations((SENT, REJECTED, ACCEPTED_FILE))} == {"REJECTED"}


@given(
    st.lists(said, min_size=1, max_size=6).flatmap(lambda known: st.tuples(st.just(known), st.permutations(known * 2)))
)
def test_order_and_repetition_of_what_was_said_change_nothing(both: tuple[list[Evidence], list[Evidence]]) -> None:
    known, again = both
    assert standing(known) == standing(again) == max(known, key=weight)


def test_a_later_word_of_the_same_kind_wins() -> None:
    later = Evidence(Rank.PAYMENT_ANSWER, Verdict.ACCEPTED, 31, "pain.002 c")
    assert standing([later, REJECTED]) == later
    assert {state_after(order) for order in permutations((REJECTED, later))} == {"ACCEPTED"}


def test_a_decision_of_two_persons_stands_above_the_answers_and_below_what_is_booked() -> None:
    late_rejection = REJECTED._replace(said_at=99)
    assert standing([DECIDED, late_rejection]) == DECIDED
    assert standing([DECIDED, RETURNED]) == RETURNED


def test_a_booking_after_a_rejection_is_booked_and_told() -> None:
    assert standing([REJECTED, STATED]) == STATED
    assert contradicts([REJECTED, STATED])
    assert not contradicts([DECIDED, REJECTED])
    assert not contradicts([STATED, ANNOUNCED])


def test_only_a_statement_lets_a_payment_become_final() -> None:
    assert not is_stated([ANNOUNCED, SENT])
    assert is_stated([STATED])


def test_evidence_leads_through_every_state_on_the_way() -> None:
    assert steps("SENT", Verdict.RETURNED) == ("BOOKED", "RETURNED")
    assert steps("UNKNOWN", Verdict.BOOKED) == ("BOOKED",)
    assert steps("BOOKED", Verdict.BOOKED) == ()


def test_evidence_moves_nothing_that_was_replaced_cancelled_or_is_final() -> None:
    for state in ("SUPERSEDED", "CARRIED", "CANCELLED", "PENDING", "FROZEN"):
        assert steps(state, Verdict.BOOKED) is None
    assert steps("FINAL", Verdict.RETURNED) is None
