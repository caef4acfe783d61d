"""Ways to send a request once: alone, twice at the same moment, in a batch, or in two steps by two callers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

import grpc
from coalition.ledger.v1 import ledger_pb2 as pb
from coalition.ledger.v1.ledger_pb2_grpc import LedgerServiceStub

from tests.faults.outcomes import Doubt, Outcome, awaited, of_error, of_item
from tests.faults.record import Answer, Call, Refused
from tests.faults.shop import OWN
from tests.faults.verbs import Request, Verb

SECONDS = 5.0
Stubs = Mapping[str, Sequence[LedgerServiceStub]]
"""By caller: one for each process."""


@dataclass
class Sent:
    """A call and how to send it again."""

    call: Call
    verb: Verb
    request: Request


def alone(sent: Sent, stubs: Stubs, luck: Random, timeout: float) -> Outcome:
    """Once, to any process."""
    stub = luck.choice(stubs[sent.verb.caller])
    return awaited(getattr(stub, sent.verb.method).future(sent.request, timeout=timeout))


def twice(sent: Sent, stubs: Stubs, luck: Random) -> Outcome:
    """Twice at the same moment, as a nervous cashier sends it."""
    pair = [luck.choice(stubs[sent.verb.caller]) for _ in range(2)]
    calls = [getattr(stub, sent.verb.method).future(sent.request, timeout=SECONDS) for stub in pair]
    outcomes: list[Outcome] = []
    for call in calls:
        try:
            outcomes.append(awaited(call))
        except grpc.RpcError as error:
            outcomes.append(of_error(error))
    answers = sorted((found for found in outcomes if isinstance(found, Answer)), key=lambda answer: answer.replay)
    if answers:
        sent.call.repeats += answers[1:]
        return answers[0]
    sent.call.doubtful |= any(isinstance(found, Doubt) and found.silent for found in outcomes)
    return next((found for found in outcomes if isinstance(found, Refused)), outcomes[0])


def in_two_steps(sent: Sent, stubs: Stubs, luck: Random, timeout: float) -> Outcome:
    """What one proposes another decides; the last answer counts."""
    assert sent.verb.then
    caller, method, request = sent.verb.then
    first = getattr(luck.choice(stubs[sent.verb.caller]), sent.verb.method)
    second = getattr(luck.choice(stubs[caller]), method)
    return awaited(second.future(request(first(sent.request, timeout=timeout)), timeout=timeout))


def as_batch(calls: Sequence[Sent], stubs: Stubs, luck: Random, timeout: float) -> list[Outcome]:
    """All in one call; each item has an outcome of its own."""
    items = [sent.request for sent in calls if isinstance(sent.request, pb.AwardPointsRequest)]
    request = pb.BatchAwardPointsRequest(items=items)
    return [of_item(result) for result in luck.choice(stubs[OWN]).BatchAwardPoints(request, timeout=timeout).results]
