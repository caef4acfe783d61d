"""What a driver sends: for each kind of load, requests that were made beforehand, and what their answers amount to."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from coalition.ledger.v1 import ledger_pb2 as pb

from shared.credentials.grants import GrantRing
from tests.load import requests
from tests.load.plan import Kind, Plan

_AWARD, BATCH = f"{requests.LEDGER}/AwardPoints", f"{requests.LEDGER}/BatchAwardPoints"
_REDEEM = f"{requests.LEDGER}/RedeemPoints"
HOLD, _CAPTURE = f"{requests.LEDGER}/HoldPoints", f"{requests.LEDGER}/CaptureHold"
_SENDS = {
    Kind.AWARD: (_AWARD, requests.award_template),
    Kind.BATCH: (BATCH, requests.award_template),
    Kind.REDEEM: (_REDEEM, requests.redeem_template),
    Kind.HOLD: (HOLD, requests.hold_template),
}


@dataclass(slots=True)
class Done:
    """What an answer amounts to: entries in the journal, refusals, and what to ask next within the same operation."""

    entries: int
    refused: int = 0
    then: tuple[str, bytes] | None = None
    why: str = ""


class Work:
    """Makes the requests of a plan. Each connection belongs to a partner, and has the grants of its wallets."""

    def __init__(self, plan: Plan) -> None:
        ring = GrantRing.from_file(Path(plan.grant_keys_file))
        tills, wallets = len(plan.tills), range(plan.wallets)
        self._grants = [
            requests.grants(ring, till.partner, wallets[place % len(wallets) :: tills])
            for place, till in enumerate(plan.tills)
        ]
        self._plan = plan
        self._number = 0
        self._draw = random.Random(plan.run)
        self._in_turn = [cycle(grants) for grants in self._grants] if plan.once else None
        self.method, template = _SENDS[plan.kind]
        self._template = template()
        self._ready: list[deque[bytes]] = [deque() for _ in plan.tills]
        for place in range(plan.ready):
            self._ready[place % tills].append(self._made(place % tills))

    def goes_on(self, till: int) -> bool:
        """Whether there is more to ask on a connection."""
        return not self._plan.once or bool(self._ready[till])

    def request(self, till: int) -> bytes:
        """The next request of a connection; beyond what was made beforehand it is made now."""
        ready = self._ready[till]
        return ready.popleft() if ready else self._made(till)

    def _made(self, till: int) -> bytes:
        if self._plan.kind is not Kind.BATCH:
            return self._one(till)
        return b"".join(requests.as_item(self._one(till)) for _ in range(self._plan.batch))

    def _one(self, till: int) -> bytes:
        self._number += 1
        grant = next(self._in_turn[till]) if self._in_turn else self._draw.choice(self._grants[till])
        return self._template.filled(grant, self._plan.run, self._number)


def read(method: str, answer: bytes) -> Done:
    """What the answer to a method amounts to."""
    if method == BATCH:
        results = pb.BatchAwardPointsResponse.FromString(answer).results
        refused = [result.refusal.message for result in results if not result.HasField("entry")]
        return Done(len(results) - len(refused), len(refused), why=refused[0] if refused else "")
    if method == HOLD:
        return Done(1, then=(_CAPTURE, requests.capture(pb.Hold.FromString(answer).name)))
    pb.Entry.FromString(answer)  # as any client would
    return Done(1)
