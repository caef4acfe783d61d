"""A history whose journal was rewritten, told so that everything else agrees with it."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from hashlib import sha256
from typing import Any

from tests.faults.record import Answer, Balance, Call, Entry, History, Place

Body = dict[str, Any]


class Lie:
    """A copy of a history whose journal may be rewritten; `told` chains it anew and lets the answers agree."""

    def __init__(self, history: History) -> None:
        self.history: History = pickle.loads(pickle.dumps(history))  # many times faster than deepcopy
        self.bodies: dict[int, list[Body]] = {}
        for entry in sorted(self.history.journal, key=lambda entry: entry.place):
            self.bodies.setdefault(entry.bucket, []).append(json.loads(entry.canonical))
        self.calls: dict[str, Call] = {call.request_id: call for call in self.history.calls}

    def every(self, *kinds: str) -> Iterator[Body]:
        """The acknowledged entries of these kinds, bucket by bucket."""
        for bodies in self.bodies.values():
            for body in bodies:
                call = self.calls.get(body["request_id"])
                if body["kind"] in kinds and call is not None and call.answer is not None:
                    yield body

    def after(self, body: Body) -> list[Body]:
        """What happened to the same wallet later."""
        bodies = self.bodies[body["bucket"]]
        return [later for later in bodies if later["seq"] > body["seq"] and later["wallet"] == body["wallet"]]

    def call(self, body: Body) -> Call:
        return self.calls[body["request_id"]]

    def lasting(self, *kinds: str) -> Body:
        """An entry that nothing later of its wallet stands on."""
        return next(body for body in self.every(*kinds) if not self.after(body))

    def append(self, like: Body, **changes: object) -> Body:
        """One more entry at the end of the bucket, with the balance that follows."""
        bodies = self.bodies[like["bucket"]]
        body = deepcopy(like) | {"seq": bodies[-1]["seq"] + 1, "posted_at": bodies[-1]["posted_at"]} | changes
        before = next(b["balance"] for b in reversed(bodies) if b["wallet"] == body["wallet"])
        body["balance"] = dict(before)
        for posting in body["postings"]:
            for side, sign in (("debit", -1), ("credit", 1)):
                account = posting[side].lower()
                if account in body["balance"]:
                    body["balance"][account] += sign * posting["points"]
        bodies.append(body)
        return body

    def acknowledge(self, body: Body, like: Call) -> None:
        """A call for an entry that was added, made after everything else."""
        end = max(call.answered or call.called for call in self.history.calls) + 1
        answer = Answer(Place(0, 0), body["points"], Balance(), "")
        call = replace(like, request_id=body["request_id"], called=end, answered=end + 1, answer=answer, repeats=[])
        self.history.calls.append(call)
        self.calls[call.request_id] = call

    def told(self, *, silent: tuple[str, ...] = ()) -> History:
        """The history as the liar tells it. `silent` request ids keep the answers that they had."""
        self.history.journal = []
        for bucket, bodies in self.bodies.items():
            previous = bytes(32)
            for body in bodies:
                canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
                previous = sha256(previous + canonical.encode()).digest()
                place = Place(bucket, body["seq"])
                self.history.journal.append(Entry(*place, previous.hex(), canonical))
                call = self.calls.get(body["request_id"])
                if call and call.answer and body["request_id"] not in silent:
                    hash_ = previous.hex() if call.answer.hash else ""
                    balance = Balance(**body["balance"])
                    call.answer = replace(call.answer, place=place, hash=hash_, balance=balance, points=body["points"])
        return self.history
