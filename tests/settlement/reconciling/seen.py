"""What is seen of a check at the counter, and what the words of its row ask for."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs

from services.settlement.domain.batch.refusals import BatchBlocked
from services.settlement.store import transitions
from services.settlement.store.batches import conditions, rows
from shared.refusal import Kind, Refusal
from tests.settlement.reconciling.counter import Counter
from tests.settlement.reconciling.papers import announcement
from tests.settlement.reconciling.situations import SHORT, Situation

STORED = "SELECT count(*) FROM settlement.bank_messages UNION ALL SELECT count(*) FROM settlement.transitions"
PUT_OFF = "SELECT kind, subject FROM settlement.steps WHERE blocked_because <> '' AND state <> 'DONE'"
CODES = "SELECT code FROM settlement.evidence WHERE instruction LIKE %s AND code <> ''"
WORD = "SELECT verdict FROM settlement.evidence WHERE instruction LIKE %s ORDER BY rank DESC, said_at DESC LIMIT 1"
RECEIVED = "SELECT l.amount_minor, b.amount_minor FROM settlement.bank_lines l JOIN settlement.breaks b" \
    " ON b.subject = 'bankLines/' || l.id WHERE b.instruction LIKE %s"  # fmt: skip


class Seen(NamedTuple):
    """`payment` and `batch`: their states before and after; `others`: whether the other payment goes on."""

    outcome: str
    reason: str | None
    payment: tuple[str, str]
    batch: tuple[str, str]
    others: bool


def seen(counter: Counter, situation: Situation) -> Seen:
    """What an act does to the payment and the batch that its row speaks of, and leaves of the rest."""
    before, stored = _states(counter, situation), counter.rows(STORED)
    other = counter.state_of(situation.other)
    with capture_logs() as logs:
        outcome, reason = _outcome(situation.act)
    after, touched = _states(counter, situation), counter.rows(STORED) != stored
    payment, batch = (before[0], after[0]), (before[1], after[1])
    if outcome == "RETRY" or counter.rows(PUT_OFF):
        others = counter.state_of(situation.other) != other if situation.whole else _goes_on(counter, situation.other)
        return Seen("RETRY", None, payment, batch, others)
    if outcome == "REFUSED":
        return Seen(outcome, reason, payment, batch, counter.state_of(situation.other) != other)
    found, others = counter.reasons(), _goes_on(counter, situation.other)
    hindered, released = _hindered(counter)
    if hindered:
        return Seen("HOLD", hindered, payment, batch, others and not released)
    if found:
        return Seen("BREAK", found[0], payment, batch, others)
    if not touched:
        return Seen("IGNORED", next(str(line["reason"]) for line in logs), payment, batch, others)
    codes = {str(code) for (code,) in counter.rows(CODES, f"%/{situation.payment}")}
    return Seen("STATE", situation.code if situation.code in codes else None, payment, batch, others)


def _outcome(act: Callable[[], object]) -> tuple[str, str | None]:
    """Whether it was refused, or is to be tried again."""
    try:
        act()
    except DBAPIError:
        return "RETRY", None
    except Refusal as refusal:
        return ("RETRY", None) if refusal.kind in {Kind.DOWN, Kind.TOO_MUCH} else ("REFUSED", refusal.reason)
    return "STATE", None


def _states(counter: Counter, situation: Situation) -> tuple[str, str]:
    return counter.state_of(situation.payment), counter.batch(f"batches/{situation.batch}").state


def _goes_on(counter: Counter, other: str) -> bool:
    """Whether the bank's next word about another payment has its effect."""
    if counter.state_of(other) not in {"BOOKED", "FINAL"}:
        one = counter.instructions(1)[other]
        counter.take_in(announcement(counter.account, counter.clock.now().date(), [counter.booked(one)]))
    return counter.state_of(other) in {"BOOKED", "FINAL"}


def _hindered(counter: Counter) -> tuple[str, bool]:
    """What the next batch is refused for, if it is, on its way from a closed window to the bank; and whether it got as
    far as its release.
    """
    batch = counter.calculate(counter.create(counter.window([("gamma", "alpha", 700)])))
    try:
        batch = counter.approved_batch(counter.submit(batch))
    except BatchBlocked as blocked:
        return str(blocked.facts["conditions"]), False
    try:
        counter.release_batch(batch)
    except Refusal as refusal:
        return refusal.reason, True
    return "", False


def _is(*states: str) -> Callable[[Counter, Situation, Seen], bool]:
    return lambda _counter, _situation, found: found.payment[1] in states


def _unchanged(_counter: Counter, _situation: Situation, found: Seen) -> bool:
    return found.payment[0] == found.payment[1] != ""


def _not_booked(counter: Counter, situation: Situation, found: Seen) -> bool:
    return _unchanged(counter, situation, found) and found.payment[1] != "BOOKED"


def _none(counter: Counter, _situation: Situation, found: Seen) -> bool:
    return found.payment == ("", "") and all(one.instruction == "" for one in counter.breaks())


def _evidence(counter: Counter, situation: Situation, found: Seen) -> bool:
    return counter.rows(WORD, f"%/{situation.payment}") == [(found.payment[1],)]


def _kept(counter: Counter, situation: Situation, found: Seen) -> bool:
    received = counter.pay_in.amount_minor - SHORT
    return found.payment[1] == "SENT" and counter.rows(RECEIVED, f"%/{situation.payment}") == [(received, received)]


def _replaced(counter: Counter, situation: Situation, _found: Seen) -> bool:
    name = f"batches/1/instructions/{situation.payment}"
    told = [step.state for step in counter.do(lambda connection: transitions.chain(connection, name))]
    stored = counter.instructions(1)[situation.payment]
    return told[-2:] == ["REJECTED", "FROZEN"] and counter.file(stored.msg_id).replaces == counter.built_file.msg_id


PAYMENT: dict[str | None, Callable[[Counter, Situation, Seen], bool]] = {
    None: _none,
    "unchanged": _unchanged,
    "unchanged, not BOOKED": _not_booked,
    "unchanged until a person decides": _not_booked,
    "follows its evidence": _evidence,
    "SENT; UNKNOWN where the bank has no duplicate check": _is("SENT"),
    "SENT, or what other evidence says": _is("SENT"),
    "SENT, the amount received is kept": _kept,
    "REJECTED, then FROZEN in the replacement": _replaced,
    **{state: _is(state) for state in ("PENDING", "UNKNOWN", "ACCEPTED", "REJECTED", "BOOKED", "RETURNED", "FINAL")},
    "CANCELLED": _is("CANCELLED"),
}
"""What a row says of the payment."""


def _batch_is(state: str) -> Callable[[Counter, Situation, Seen], bool]:
    return lambda _counter, _situation, found: found.batch[1] == state


def _never_settled(counter: Counter, situation: Situation, found: Seen) -> bool:
    """Also when nothing else is on its way any more."""
    counter.ends(without=situation.payment)
    return "SETTLED" not in {*found.batch, counter.batch("batches/1").state}


def _repaired(counter: Counter, _situation: Situation, found: Seen) -> bool:
    """When the replacement, approved on its own, is at the bank."""
    name = next(one for one in counter.files(1) if one != counter.built_file.name)
    counter.approves_file(name)
    counter.again()
    return (found.batch[1], counter.batch("batches/1").state) == ("PARTIALLY_SETTLED", "IN_PAYMENT")


def _waits_for_funds(counter: Counter, situation: Situation, found: Seen) -> bool:
    batch = counter.batch(f"batches/{situation.batch}")
    waits = counter.do(lambda connection: conditions.waiting(connection, rows.found(connection, batch.name)))
    return found.batch == ("RELEASING", "RELEASING") and [one.name for one in waits] == ["FUNDING_SHORT"]


def _overridden(counter: Counter, _situation: Situation, found: Seen) -> bool:
    """Two persons go on in spite of it."""
    (batch,) = (one for one in counter.batches() if one.state == "CALCULATED")
    counter.overrides(batch, "CAP_BREACH")
    return counter.submit(batch).state == "PENDING_APPROVAL" and found.batch[0] == found.batch[1]


BATCH: dict[str, Callable[[Counter, Situation, Seen], bool]] = {
    "unchanged": lambda _counter, _situation, found: found.batch[0] == found.batch[1],
    "not SETTLED": _never_settled,
    "cannot become SETTLED meanwhile": _never_settled,
    "CALCULATED is not reached": _batch_is("DRAFT"),
    "blocked by FUNDING_SHORT": _waits_for_funds,
    "the next batch cannot be submitted without an override": _overridden,
    "PARTIALLY_SETTLED": _batch_is("PARTIALLY_SETTLED"),
    "PARTIALLY_SETTLED, then IN_PAYMENT": _repaired,
    "CANCELLED": _batch_is("CANCELLED"),
    "SETTLED": _batch_is("SETTLED"),
    "SETTLED stands": lambda _counter, _situation, found: found.batch == ("SETTLED", "SETTLED"),
}
"""What a row says of the batch."""
