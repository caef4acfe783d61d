"""The checks where a write fails: the database refuses it for as long as the trouble lasts, and then takes it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import grpc
from coalition.ledger.v1 import ledger_pb2 as pb

from services.settlement.api.allowances import AllowanceTeller
from services.settlement.domain.terms import Terms, Timing
from services.settlement.store import allowances, files
from shared.money import Rate
from tests.settlement.cashier import Noting
from tests.settlement.reconciling.counter import NETS, Counter
from tests.settlement.reconciling.papers import answer, statement
from tests.settlement.reconciling.situations import A, Situation


@dataclass(frozen=True)
class Trouble:
    """What cannot be written: rows of a table. `done`: done again after it, all is as if it had never been; `step`:
    what repeats it by itself, empty where whoever asked for it does."""

    situation: Situation
    table: str
    row: str
    done: Callable[[], None]
    step: str = ""


Troubled = Callable[[Counter], Trouble]


def _posting(counter: Counter) -> Trouble:
    """Alpha was refused, and two persons leave what it gets to a later batch: it is posted there."""
    answered = [(A, "RJCT", "AC04"), ("B1-beta-1", "ACCP", "")]
    counter.take_in(answer(counter.built_file.msg_id, "PART", counter.clock.now(), payments=answered))
    proposal = counter.carrying(f"batches/1/instructions/{A}")

    def done() -> None:
        counter.approve(proposal)
        assert (counter.state_of(A), counter.open()) == ("CARRIED", {("alpha", "EUR"): NETS["alpha"]})
        counter.ends()
        assert counter.batch("batches/1").state == "SETTLED"

    situation = Situation(lambda: counter.approve(proposal))
    return Trouble(situation, "openings", "NEW.partner = 'alpha'", done)


def _freezing(counter: Counter) -> Trouble:
    """Of a payment that is PENDING, as after another attempt; and of a batch that is calculated for the first time."""
    counter.make(9, {"alpha": 700})
    batch = counter.create(counter.window([("gamma", "alpha", 700)]))
    written = counter.rehearsed(batch)

    def act() -> None:
        try:
            counter.do(lambda connection: files.build(connection, 9, 1, counter.clock.now()))
        finally:
            counter.calculate(batch)

    def done() -> None:
        counter.do(lambda connection: files.build(connection, 9, 1, counter.clock.now()))
        assert counter.state_of("B9-alpha-1") == "FROZEN"
        assert counter.calculate(batch).state == "CALCULATED"
        assert counter.do(lambda connection: counter.written(connection, 2)) == written

    return Trouble(Situation(act, payment="B9-alpha-1", batch=2), "instructions", "NEW.state = 'FROZEN'", done)


def _sending(counter: Counter, *, checks_duplicates: bool) -> Trouble:
    """The bank has the file of a second batch, and we cannot write that down."""
    counter.noting = Noting(checks_duplicates=checks_duplicates)
    counter.use(counter.noting)
    counter.release_batch(counter.another())

    def done() -> None:
        counter.again()
        sent = [content for name, content in counter.noting.taken if name == "B2-R1-F1"]
        assert set(sent) == {counter.bytes_of("B2-R1-F1")}
        if checks_duplicates:
            assert len(sent) > 1
            assert counter.state_of("B2-alpha-1") == "SENT"
            assert counter.file("B2-R1-F1").state == "TRANSMITTED"
        else:
            assert len(sent) == 1
            assert counter.state_of("B2-alpha-1") == "UNKNOWN"

    situation = Situation(counter.again, payment="B2-alpha-1", batch=2)
    return Trouble(situation, "sendings", "NEW.outcome <> ''", done, "steps/send/B2-R1-F1")


def _booking(counter: Counter) -> Trouble:
    day, entries = counter.clock.now().date(), [counter.paid(one) for one in counter.pays]
    content = statement(counter.account, day, entries)

    def done() -> None:
        first, second = counter.take_in(content), counter.take_in(content, "the same")
        assert (first.matched, first.imported.before, second.imported.before) == (2, False, True)
        assert (counter.state_of(A), counter.state("beta")) == ("BOOKED", "BOOKED")

    situation = Situation(lambda: counter.take_in(content), whole=True)
    return Trouble(situation, "instructions", f"NEW.state = 'BOOKED' AND NEW.end_to_end_id = '{A}'", done)


def _settling(counter: Counter) -> Trouble:
    counter.states_of(*(counter.booked(one) for one in counter.by_partner.values()))

    def done() -> None:
        assert counter.window_state(1) == "CLOSED"
        counter.again()
        assert (counter.batch("batches/1").state, counter.window_state(1)) == ("SETTLED", "SETTLED")

    situation = Situation(lambda: counter.days(7))
    return Trouble(situation, "batches", "NEW.state = 'SETTLED'", done, "steps/final/batches/1")


class Listening(grpc.GenericRpcHandler):
    """A ledger that hears what gamma may still award, or does not."""

    def __init__(self) -> None:
        self.limits: list[int] = []
        self.is_deaf = False

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler[pb.SetAwardAllowanceRequest, pb.AwardAllowance]:
        return grpc.unary_unary_rpc_method_handler(
            self._answer,
            request_deserializer=pb.SetAwardAllowanceRequest.FromString,
            response_serializer=pb.AwardAllowance.SerializeToString,
        )

    def _answer(self, request: pb.SetAwardAllowanceRequest, context: grpc.ServicerContext) -> pb.AwardAllowance:
        if self.is_deaf:
            context.abort(grpc.StatusCode.UNAVAILABLE, "its disk is full")
        self.limits.append(request.limit_points)
        return pb.AwardAllowance(partner=request.partner, revision=request.revision)


def _telling(counter: Counter) -> Trouble:
    """At a cent for each point gamma may award more when it has paid, and the ledger cannot write that down."""
    counter.agrees("gamma", Terms(0, Timing.AT_ISSUANCE, Rate.of("0.01"), Rate(0), "EUR"))
    counter.capped("gamma", 20_000)
    ledger, server = Listening(), grpc.server(ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers((ledger,))
    channel = grpc.insecure_channel(f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}")
    server.start()
    counter.leaving.append(lambda: (channel.close(), server.stop(None)))
    teller = AllowanceTeller(counter.sessions, channel, counter.clock)
    teller.step()
    (lower,) = ledger.limits
    higher = lower - NETS["gamma"]
    _all_ends(counter)
    ledger.is_deaf = True

    def done() -> None:
        assert ledger.limits == [lower]
        assert counter.do(lambda connection: allowances.of(connection, "gamma")) == (higher, False)
        ledger.is_deaf = False
        teller.step()
        assert ledger.limits[1:] == [higher]

    return Trouble(Situation(teller.step), "allowances", "false", done)


def _all_ends(counter: Counter) -> None:
    counter.ends()
    assert counter.batch("batches/1").state == "SETTLED"


def _one_row(counter: Counter) -> Trouble:
    """The bank fell silent, and that cannot be written for alpha."""

    def silent() -> None:
        counter.clock.pass_(hours=25)
        counter.again()

    def done() -> None:
        counter.again()
        assert counter.state_of(A) == "UNKNOWN"

    row = f"NEW.state = 'UNKNOWN' AND NEW.end_to_end_id = '{A}'"
    return Trouble(Situation(silent), "instructions", row, done, f"steps/silence/{counter.built_file.msg_id}")


TROUBLES: dict[str, Troubled] = {
    "F17": _posting,
    "F18": _freezing,
    "F19": lambda one: _sending(one, checks_duplicates=True),
    "F19 where the bank has no duplicate check": lambda one: _sending(one, checks_duplicates=False),
    "F20": _booking,
    "F21": _settling,
    "F22": _telling,
    "F26": _one_row,
}
