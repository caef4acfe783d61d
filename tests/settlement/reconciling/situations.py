"""What the checks F01 to F36 speak of, made to happen at the counter: each answers with the act that is looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from services.settlement.store import allowances
from tests.settlement.accounts import account_of, clearing, german
from tests.settlement.reconciling.counter import Counter
from tests.settlement.reconciling.papers import FUNDS, Said, announcement, answer, returned, statement

SHORT = 1_000
A, B, C = "B1-alpha-1", "B1-beta-1", "B1-gamma-1"


@dataclass(frozen=True)
class Situation:
    """`payment` and `batch`: whose states the row speaks of; `other`: the payment that goes on beside it, or does not.
    `code`: what the bank gives as its reason. `whole`: it is done as a whole or not at all, the other payment with it.
    """

    act: Callable[[], object]
    payment: str = A
    batch: int = 1
    other: str = B
    code: str = ""
    whole: bool = False


Played = Callable[[Counter], Situation]


def _with(counter: Counter, *entries: Said) -> Callable[[], object]:
    """A statement with these entries, and beta's payment as it should be."""
    return lambda: counter.states_of(*entries, counter.paid(counter.pays[1]))


def _said(counter: Counter, alpha: str, code: str = "") -> Callable[[], object]:
    """The bank's answer to each payment: alpha's, and beta's as it should be."""
    a, b = counter.pays
    rows = [(a.end_to_end_id, alpha, code), (b.end_to_end_id, "ACCP", "")]
    return lambda: counter.take_in(answer(counter.built_file.msg_id, "PART", counter.clock.now(), payments=rows))


def _all_stated(counter: Counter) -> None:
    counter.states_of(*(counter.booked(one) for one in counter.by_partner.values()))


def _for_another(counter: Counter) -> Situation:
    counter.another()
    rows = [(A, "ACCP", "")]
    content = answer(counter.built_file.msg_id, "PART", counter.clock.now(), payments=rows)
    return Situation(lambda: counter.take_in(content, only=2))


def _unbalanced(counter: Counter) -> Situation:
    """What went out is not what was calculated, as if somebody had changed a row."""
    _all_stated(counter)
    counter.rows("UPDATE settlement.instructions SET amount_minor = amount_minor - 317 WHERE end_to_end_id = %s"
                 " RETURNING 1", A)  # fmt: skip
    return Situation(lambda: counter.days(10))


def _overdrawn(counter: Counter) -> Situation:
    return Situation(_with(counter, Said(-FUNDS - 1, reference="a fee"), counter.paid(counter.pays[0])))


def _over_its_cap(counter: Counter) -> Situation:
    """Gamma's position is above what its cap allows from now on; a payment in flight is booked."""
    counter.agrees("gamma")

    def act() -> None:
        counter.capped("gamma", 100)
        counter.take_in(announcement(counter.account, counter.clock.now().date(), [counter.paid(counter.pays[0])]))
        found = counter.do(lambda connection: allowances.limits(connection, counter.clock.now()))
        assert found == {"gamma": 0}

    return Situation(act)


def _silent(counter: Counter) -> None:
    counter.clock.pass_(hours=25)
    counter.again()


def _withdrawn(counter: Counter) -> Situation:
    counter.cancel(counter.another())
    content = answer("B2-R1-F1", "ACCP", counter.clock.now())
    return Situation(lambda: counter.take_in(content), payment="B2-alpha-1", batch=2)


def _dollars(counter: Counter) -> Situation:
    counter.has(clearing("USD", 2))
    day, entry = counter.clock.now().date(), counter.paid(counter.pays[0], currency="USD")
    content = statement(clearing("USD", 2).iban, day, [entry], currency="USD")
    return Situation(lambda: counter.take_in(content))


def _own(counter: Counter) -> Situation:
    counter.has(account_of("delta", 77))
    return Situation(lambda: counter.take_in(statement(german(77), counter.clock.now().date(), [])))


def _decimals(counter: Counter, good: bytes, bad: bytes) -> Situation:
    content = statement(counter.account, counter.clock.now().date(), [counter.paid(one) for one in counter.pays])
    assert good in content
    return Situation(lambda: counter.take_in(content.replace(good, bad)))


def _broken(counter: Counter) -> Situation:
    content = statement(
        counter.account, counter.clock.now().date(), [counter.paid(one) for one in counter.pays], closing=0
    )
    return Situation(lambda: counter.take_in(content))


def _gap(counter: Counter) -> Situation:
    counter.states_of()
    day, entries = counter.clock.now().date(), [counter.paid(one) for one in counter.pays]
    return Situation(lambda: counter.take_in(statement(counter.account, day, entries, number=3)))


def _accepted(counter: Counter) -> Situation:
    _said(counter, "ACCP")()
    counter.states_of(counter.paid(counter.pays[1]))
    return Situation(lambda: counter.days(3))


def _not_on_the_statement(counter: Counter) -> Situation:
    """The bank announced that it paid alpha; the statement of the day after does not show it."""
    counter.take_in(announcement(counter.account, counter.clock.now().date(), [counter.paid(counter.pays[0])]))
    counter.clock.pass_(days=1)
    return Situation(_with(counter, counter.booked(counter.pay_in)))


def _again(counter: Counter) -> Situation:
    content = statement(counter.account, counter.clock.now().date(), [counter.paid(one) for one in counter.pays])
    counter.take_in(content, "monday.xml")
    return Situation(lambda: counter.take_in(content, "copy of monday.xml"))


def _twice(counter: Counter) -> Situation:
    _all_stated(counter)
    return Situation(lambda: counter.states_of(counter.paid(counter.pays[0])))


def _said_after_the_statement(counter: Counter) -> Situation:
    counter.states_of(*(counter.paid(one) for one in counter.pays))
    return Situation(_said(counter, "ACCP"))


def _answered(counter: Counter, said: str, code: str = "") -> Situation:
    content = answer(counter.built_file.msg_id, "RJCT", counter.clock.now(), code=said)
    return Situation(lambda: counter.take_in(content), other=C, code=code)


def _returned(counter: Counter, days: int) -> Situation:
    _all_stated(counter)
    counter.days(days)
    a = counter.pays[0]
    content = returned(a.end_to_end_id, a.amount_minor, counter.clock.now().date())
    return Situation(lambda: counter.take_in(content), code="AC04")


def _empty(counter: Counter) -> Situation:
    """Two who owe each other the same, and a window with nothing in it."""
    numbers = [counter.window([("alpha", "beta", 5), ("beta", "alpha", 5)]), counter.window()]
    batch = counter.ready_batch(*numbers)

    def act() -> None:
        counter.release_batch(batch)
        assert {counter.window_state(number) for number in numbers} == {"SETTLED"}
        assert counter.rows("SELECT 1 FROM settlement.payment_files WHERE batch = 2") == []

    return Situation(act, payment="", batch=batch.number)


def _short(counter: Counter) -> Situation:
    """Of gamma's two payments; the other one, for a second batch, comes whole."""
    counter.release_batch(counter.another())
    one, other = counter.pay_in, counter.instructions(2)["B2-gamma-1"]
    entry = Said(one.amount_minor - SHORT, reference=one.reference)
    return Situation(lambda: counter.states_of(entry, counter.booked(other)), payment=C, other="B2-gamma-1")


PLAYED: dict[str, Played] = {
    "F01": _for_another,
    "F02": lambda one: Situation(lambda: one.take_in(answer("B9-R9-F9", "ACCP", one.clock.now()))),
    "F03": _unbalanced,
    "F04": lambda one: Situation(_with(one, one.paid(one.pays[0], minor=-one.pays[0].amount_minor - 1))),
    "F05": _broken,
    "F06": _overdrawn,
    "F07": _over_its_cap,
    "F08": lambda one: Situation(lambda: _silent(one)),
    "F09": lambda one: Situation(_with(one, Said(50_000, reference="a gift")), payment=""),
    "F10": lambda one: Situation(_with(one, one.paid(one.pays[0], account=german(999)))),
    "F11": _own,
    "F12": lambda one: Situation(lambda: one.take_in(statement(german(4711), one.clock.now().date(), []))),
    "F13": lambda one: _decimals(one, b">9999888.67<", b">9999888.675<"),
    "F14": lambda one: _decimals(one, b">84.59<", b">84.595<"),
    "F15": _dollars,
    "F16": _withdrawn,
    "F23": lambda one: Situation(_said(one, "RJCT", "AC04"), code="AC04"),
    "F24": _accepted,
    "F25": _not_on_the_statement,
    "F27": _again,
    "F28": _gap,
    "F29": _twice,
    "F30": _said_after_the_statement,
    "F31": lambda one: _answered(one, "FF01", "FF01"),
    "F32": lambda one: _answered(one, "DUPL"),
    "F33": lambda one: _returned(one, 3),
    "F34": _empty,
    "F35": _short,
    "F36": lambda one: _returned(one, 40),
}
"""All but those where a write fails: they are in `troubles`."""
POOR = {"F35"}
"""Where the operator has put nothing on the account."""
