"""One client of a crash run: it sends what luck tells it, again with the same id until its fate is known."""

from __future__ import annotations

import time
from collections import Counter, deque
from contextlib import suppress
from dataclasses import dataclass, field, replace
from random import Random
from uuid import UUID

import grpc
from coalition.ledger.v1 import ledger_pb2 as pb

from tests.faults.outcomes import Doubt, Outcome, balance_of, of_error
from tests.faults.record import Answer, Balance, Call, Look, Place, Refused
from tests.faults.sending import SECONDS, Sent, Stubs, alone, as_batch, in_two_steps, twice
from tests.faults.shop import OPERATOR, OWN, Made, Shop
from tests.faults.verbs import VERBS, Verb, Wish, remember

PATIENCE = 120.0
_PAUSE = 0.03
_LOOKS, _BATCHES, _REPEATS = 12, 6, 6
_KEPT = 200
_DRY = 0.03
"""How often a request is only tried."""
_TWINS = 0.04
"""How often a request is sent twice at once."""


class NeverAnswered(Exception):
    """A call that nobody decided in all the time it was given."""


@dataclass
class Till:
    """One client: a thread of its own, and connections of its own for each caller to each process."""

    shop: Shop
    stubs: Stubs
    walks_away: float = 0.05
    sent: list[Sent] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    attempts: Counter[str] = field(default_factory=Counter)
    _recent: deque[Sent] = field(default_factory=lambda: deque(maxlen=_KEPT))

    @property
    def luck(self) -> Random:
        return self.shop.luck

    def operate(self) -> int:
        """One operation, or as many as a batch has items: how many were done."""
        weights = [verb.weight for verb in VERBS]
        (choice,) = self.luck.choices([*VERBS, "look", "batch", "repeat"], [*weights, _LOOKS, _BATCHES, _REPEATS])
        match choice:
            case Verb():
                wish = choice.wish(self.shop)
                if wish is None:
                    return 0
                if self.luck.random() < _DRY:
                    self._try_only(choice, wish)
                else:
                    self.insist([self._new(choice, wish)])
                return 1
            case "look":
                self.look(self.shop.wallet())
                return 1
            case "batch":
                return self._batch()
            case _:
                return self._repeat_one()

    def _batch(self) -> int:
        verb = VERBS[0]
        wishes = [verb.wish(self.shop) for _ in range(self.luck.randint(2, 12))]
        calls = [self._new(verb, wish) for wish in wishes if wish]
        self.insist(calls, batch=True)
        return len(calls)

    def _repeat_one(self) -> int:
        if not self._recent:
            return 0
        self.repeat(self.luck.choice(self._recent))
        return 1

    def _try_only(self, verb: Verb, wish: Wish) -> None:
        """Ask what would be. Whatever the answer, and whether there is one: nothing may come of it."""
        wish.request.validate_only = True
        sent = self._new(verb, replace(wish, asked=replace(wish.asked, dry=True)))
        with suppress(grpc.RpcError):
            stub = self.luck.choice(self.stubs[verb.caller])
            getattr(stub, verb.method)(sent.request, timeout=SECONDS)
        sent.call.answered = time.monotonic()

    def _new(self, verb: Verb, wish: Wish) -> Sent:
        wish.request.request_id = str(UUID(int=self.luck.getrandbits(128), version=4))
        partner = OPERATOR if verb.caller == OPERATOR else self.shop.partner
        call = Call(wish.request.request_id, verb.name, partner, wish.asked, called=time.monotonic())
        sent = Sent(call, verb, wish.request)
        self.sent.append(sent)
        return sent

    def insist(self, calls: list[Sent], *, batch: bool = False, until_known: bool = False) -> None:
        """Send until each is acknowledged or refused, or, in doubt, walk away from them now and then."""
        give_up = time.monotonic() + PATIENCE
        first = True
        while calls:
            outcomes = self._attempt(calls, batch=batch, impatient=first and self.luck.random() < 0.04)
            now = time.monotonic()
            for sent, outcome in zip(calls, outcomes, strict=True):
                self._learnt(sent, outcome, now)
            calls = [sent for sent in calls if sent.call.answer is None and sent.call.refused is None]
            if not calls:
                return
            if not until_known and self.luck.random() < self.walks_away:
                return
            if now > give_up:
                raise NeverAnswered(f"{calls[0].call} was tried for {PATIENCE:.0f} s: {outcomes[-1]}")
            first = False
            time.sleep(self.luck.uniform(0, 2 * _PAUSE))

    def _learnt(self, sent: Sent, outcome: Outcome, now: float) -> None:
        call = sent.call
        match outcome:
            case Answer():
                call.answer, call.answered = outcome, now
                self.attempts["acknowledged"] += 1
                made = Made(_name_of(sent, outcome), outcome.place, call.asked.wallet or "", outcome.points)
                remember(self.shop.memory, call.verb, made)
                self._recent.append(sent)
            case Refused():
                call.refused, call.answered = outcome, now
                self.attempts[outcome.reason] += 1
            case Doubt(why, silent):
                call.doubtful = call.doubtful or silent
                self.attempts[f"({why})"] += 1

    def repeat(self, sent: Sent) -> None:
        """The same request once more: the answer must be the first one."""
        give_up = time.monotonic() + PATIENCE
        while True:
            (outcome,) = self._attempt([sent], batch=False, impatient=False)
            match outcome:
                case Answer():
                    sent.call.repeats.append(outcome)
                    return
                case Refused():
                    place = sent.call.answer.place if sent.call.answer else Place(0, 0)
                    body = f"{outcome.reason} {outcome.facts}"
                    sent.call.repeats.append(Answer(place, 0, Balance(), body))
                    return
            if time.monotonic() > give_up:
                raise NeverAnswered(f"a repeat of {sent.call} was tried for {PATIENCE:.0f} s: {outcome}")
            time.sleep(self.luck.uniform(0, 2 * _PAUSE))

    def look(self, wallet: UUID) -> None:
        """Read a balance. Nothing is lost when it does not come; then it is read again."""
        give_up = time.monotonic() + PATIENCE
        while True:
            called = time.monotonic()
            stub = self.luck.choice(self.stubs[OWN])
            try:
                found = stub.GetBalance(pb.GetBalanceRequest(grant=self.shop.grant(wallet)), timeout=SECONDS)
            except grpc.RpcError as error:
                doubt = of_error(error)
                if not isinstance(doubt, Doubt) or time.monotonic() > give_up:
                    raise NeverAnswered(f"no balance: {doubt}") from error
                self.attempts[f"({doubt.why})"] += 1
                time.sleep(self.luck.uniform(0, 2 * _PAUSE))
            else:
                self.looks.append(Look(str(wallet), called, time.monotonic(), balance_of(found)))
                return

    def _attempt(self, calls: list[Sent], *, batch: bool, impatient: bool) -> list[Outcome]:
        timeout = self.luck.uniform(0.01, 0.08) if impatient else SECONDS
        try:
            if batch:
                return as_batch(calls, self.stubs, self.luck, timeout)
            (sent,) = calls
            if sent.verb.then:
                return [in_two_steps(sent, self.stubs, self.luck, timeout)]
            if not impatient and self.luck.random() < _TWINS:
                return [twice(sent, self.stubs, self.luck)]
            return [alone(sent, self.stubs, self.luck, timeout)]
        except grpc.RpcError as error:
            return [of_error(error)] * len(calls)


def _name_of(sent: Sent, answer: Answer) -> str:
    collection = "holds" if sent.call.verb == "hold" else "entries"
    return f"partners/{sent.call.partner}/{collection}/{answer.place}"
