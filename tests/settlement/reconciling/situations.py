"""What the checks F01 to F36 speak of, made to happen at the counter: each answers with the act that is looked at."""

from __future__ import annotations

from collections.abc import Callable

from services.settlement.store import instructions
from tests.settlement.accounts import account_of, clearing, german
from tests.settlement.cashier import BEN
from tests.settlement.reconciling.counter import Counter
from tests.settlement.reconciling.papers import Said, answer, returned, statement

A, B, C = "B1-alpha-1", "B1-beta-1", "B1-gamma-1"


def _with(counter: Counter, *entries: Said) -> Callable[[], object]:
    """A statement with these entries, and beta's payment as it should be."""
    return lambda: counter.states_of(*entries, counter.paid(counter.pays[1]))


def _said(counter: Counter, alpha: str, code: str = "") -> Callable[[], object]:
    """The bank's answer to each payment: alpha's, and beta's as it should be."""
    a, b = counter.pays
    rows = [(a.end_to_end_id, alpha, code), (b.end_to_end_id, "ACCP", "")]
    return lambda: counter.take_in(answer(counter.built_file.msg_id, "PART", counter.clock.now(), payments=rows))


def _later(counter: Counter, days: int) -> None:
    for _ in range(days):
        counter.clock.pass_(days=1)
        counter.step()


def _silent(counter: Counter) -> None:
    counter.clock.pass_(hours=25)
    counter.step()


def _for_another(counter: Counter) -> Callable[[], object]:
    counter.approved(2, {"alpha": 700})
    a = counter.pays[0]
    rows = [(a.end_to_end_id, "ACCP", "")]
    content = answer(counter.built_file.msg_id, "PART", counter.clock.now(), payments=rows)
    return lambda: counter.take_in(content, only=2)


def _again(counter: Counter) -> Callable[[], object]:
    content = statement(counter.account, counter.clock.now().date(), [counter.paid(one) for one in counter.pays])
    counter.take_in(content, "monday.xml")
    return lambda: counter.take_in(content, "copy of monday.xml")


def _withdrawn(counter: Counter) -> Callable[[], object]:
    (other,) = counter.approved(2, {"alpha": 700})
    at = counter.clock.now()
    counter.do(lambda connection: instructions.cancel(connection, 2, act="CancelBatch", by=BEN, at=at))
    return lambda: counter.take_in(answer(other.msg_id, "ACCP", at))


def _dollars(counter: Counter) -> Callable[[], object]:
    counter.has(clearing("USD", 2))
    day, entry = counter.clock.now().date(), counter.paid(counter.pays[0], currency="USD")
    return lambda: counter.take_in(statement(clearing("USD", 2).iban, day, [entry], currency="USD"))


def _own(counter: Counter) -> Callable[[], object]:
    counter.has(account_of("delta", 77))
    return lambda: counter.take_in(statement(german(77), counter.clock.now().date(), []))


def _decimals(counter: Counter, good: bytes, bad: bytes) -> Callable[[], object]:
    content = statement(counter.account, counter.clock.now().date(), [counter.paid(one) for one in counter.pays])
    assert good in content
    return lambda: counter.take_in(content.replace(good, bad))


def _broken(counter: Counter) -> Callable[[], object]:
    entries = [counter.paid(one) for one in counter.pays]
    return lambda: counter.take_in(statement(counter.account, counter.clock.now().date(), entries, closing=0))


def _gap(counter: Counter) -> Callable[[], object]:
    day, entries = counter.clock.now().date(), [counter.paid(one) for one in counter.pays]
    counter.states_of()
    return lambda: counter.take_in(statement(counter.account, day, entries, number=3))


def _stated(counter: Counter) -> None:
    counter.states_of(*(counter.paid(one) for one in counter.pays))


def _after_stated(counter: Counter, act: Callable[[], object]) -> Callable[[], object]:
    _stated(counter)
    return act


def _returned(counter: Counter, days: int) -> Callable[[], object]:
    _stated(counter)
    _later(counter, days)
    a = counter.pays[0]
    return lambda: counter.take_in(returned(a.end_to_end_id, a.amount_minor, counter.clock.now().date()))


def _accepted(counter: Counter) -> Callable[[], object]:
    _said(counter, "ACCP")()
    counter.states_of(counter.paid(counter.pays[1]))
    return lambda: _later(counter, 3)


def _answered(counter: Counter, code: str) -> Callable[[], object]:
    file = counter.built_file.msg_id
    return lambda: counter.take_in(answer(file, "RJCT", counter.clock.now(), code=code))


def _short(counter: Counter) -> Callable[[], object]:
    one = counter.pay_in
    return _with(counter, Said(one.amount_minor - 1_000, reference=one.reference))


PLAYED: dict[str, Callable[[Counter], Callable[[], object]]] = {
    "F01": _for_another,
    "F02": lambda one: lambda: one.take_in(answer("B9-R9-F9", "ACCP", one.clock.now())),
    "F04": lambda one: _with(one, one.paid(one.pays[0], minor=-one.pays[0].amount_minor - 1)),
    "F05": _broken,
    "F08": lambda one: lambda: _silent(one),
    "F09": lambda one: _with(one, Said(50_000, reference="a gift")),
    "F10": lambda one: _with(one, one.paid(one.pays[0], account=german(999))),
    "F11": _own,
    "F12": lambda one: lambda: one.take_in(statement(german(4711), one.clock.now().date(), [])),
    "F13": lambda one: _decimals(one, b">111.33<", b">111.335<"),
    "F14": lambda one: _decimals(one, b">84.59<", b">84.595<"),
    "F15": _dollars,
    "F16": _withdrawn,
    "F23": lambda one: _said(one, "RJCT", "AC04"),
    "F24": _accepted,
    "F27": _again,
    "F28": _gap,
    "F29": lambda one: _with(one, one.paid(one.pays[0]), one.paid(one.pays[0])),
    "F30": lambda one: _after_stated(one, _said(one, "ACCP")),
    "F31": lambda one: _answered(one, "FF01"),
    "F32": lambda one: _answered(one, "DUPL"),
    "F33": lambda one: _returned(one, 3),
    "F35": _short,
    "F36": lambda one: _returned(one, 40),
}
SUBJECT = {"F16": "B2-alpha-1", "F35": C}
"""Whose state the row speaks of, where it is not alpha's."""
MOVES = {"F27": "BOOKED", "F29": "BOOKED", "F31": "FROZEN"}
"""Where the row says in words what the state is: after the first of both, and in the replacement."""
