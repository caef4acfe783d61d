"""28: disk full, deadlock, serialisation failure. A step is rolled back whole and tried again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy import Connection, text

from services.settlement.store import steps
from services.settlement.store.stepper import Done, GoOn, Handler, Stepper
from services.settlement.store.steps import Step
from tests.settlement.clerk import Clerk
from tests.support.together import at_once

TROUBLE = {"disk full": "53100", "deadlock": "40P01", "serialisation failure": "40001", "no more connections": "53300"}


def raised(connection: Connection, state: str) -> None:
    """The server itself refuses, with this SQLSTATE."""
    connection.execute(text(f"DO $$ BEGIN RAISE EXCEPTION 'trouble' USING ERRCODE = '{state}'; END $$"))


def troubled(handler: Handler, state: str, when: int) -> Handler:
    """The same handler, but after its work of the n-th time the server refuses."""
    done = 0

    def handle(connection: Connection, step: Step, at: datetime) -> Done | GoOn:
        nonlocal done
        answer = handler(connection, step, at)
        done += 1
        if done == when:
            raised(connection, state)
        return answer

    return handle


def at_last(clerk: Clerk) -> dict[str, object]:
    """Everything that a disturbance could have changed."""
    return {
        "taken": clerk.noting.taken,
        "files": clerk.rows("SELECT msg_id, sha256, state FROM settlement.payment_files ORDER BY 1"),
        "instructions": clerk.rows("SELECT name, state, etag FROM settlement.instructions ORDER BY 1"),
        "transitions": clerk.rows("SELECT name, step, state, act, hash FROM settlement.transitions ORDER BY 1, 2"),
        "batch": clerk.rows("SELECT state, encode(content_sha256, 'hex') FROM settlement.batches"),
        "sendings": clerk.rows("SELECT count(*) FROM settlement.sendings"),
    }


def paid(clerk: Clerk, change: Callable[[dict[str, Handler]], None] = lambda _handlers: None) -> dict[str, object]:
    """A batch sent, through a stepper whose handlers were changed."""
    handlers = dict(clerk.paying.handlers)
    change(handlers)
    clerk.ready("a", "b", "c")
    clerk.prefund(10**9)
    batch = clerk.ready_batch(clerk.window([("a", "b", 250), ("b", "c", 300)]))
    clerk.stepper = Stepper(clerk.sessions, handlers, clerk.clock)
    clerk.release_batch(batch)
    for _ in range(20):
        clerk.step()
        clerk.rows("UPDATE settlement.steps SET retry_at = 'epoch', lease_until = 'epoch' RETURNING 1")
    return at_last(clerk)


@pytest.mark.parametrize("state", TROUBLE.values(), ids=TROUBLE)
@pytest.mark.parametrize("when", [1, 2])
def test_the_step_is_undone_and_its_repeat_ends_as_if_nothing_had_been(clerk: Clerk, state: str, when: int) -> None:
    """The first part notes that a send begins, the second one sends: what fails after it was sent is sent again, with
    the same bytes, as the bank checks for duplicates.
    """

    def change(handlers: dict[str, Handler]) -> None:
        handlers["send"] = troubled(handlers["send"], state, when)

    end = paid(clerk, change)
    taken = clerk.noting.taken
    assert len(set(taken)) == 1
    assert len(taken) == (1 if when == 1 else 2)
    assert [state for (_, _, state) in clerk.rows("SELECT msg_id, sha256, state FROM settlement.payment_files")] == [
        "TRANSMITTED"
    ]
    assert {state for (state,) in clerk.rows("SELECT state FROM settlement.instructions WHERE kind = 'PAY'")} == {
        "SENT"
    }
    assert clerk.rows("SELECT state, attempts FROM settlement.steps WHERE kind = 'send'") == [("DONE", 0)]
    assert end["batch"]


def test_two_steps_that_lock_each_other_out_both_end(clerk: Clerk) -> None:
    """A real deadlock: the server ends one of the two, which is tried again."""
    clerk.ready("a", "b")
    clerk.ready_batch(clerk.window([("a", "b", 250)]))
    both = threading.Barrier(2)
    failed: list[bool] = []
    names = [str(name) for (name,) in clerk.rows("SELECT name FROM settlement.bank_accounts ORDER BY name LIMIT 2")]

    def handle(connection: Connection, step: Step, at: datetime) -> Done | GoOn:
        for name in names if step.subject == "one" else reversed(names):
            connection.execute(
                text("UPDATE settlement.bank_accounts SET etag = etag + 1 WHERE name = :name"), {"name": name}
            )
            if step.attempts == 1 and not failed:
                both.wait(10)
        return Done()

    def run() -> None:
        one = Stepper(clerk.sessions, {"lock": handle}, clerk.clock)
        while one.one():
            pass

    def ask(connection: Connection) -> None:
        for subject in ("one", "two"):
            steps.ask(connection, "lock", subject, due_at=clerk.clock.now(), at=clerk.clock.now())

    clerk.do(ask)
    try:
        at_once([run, run])
    finally:
        failed.append(True)
    clerk.rows("UPDATE settlement.steps SET retry_at = 'epoch', lease_until = 'epoch' RETURNING 1")
    run()
    assert clerk.rows("SELECT subject, state FROM settlement.steps WHERE kind = 'lock' ORDER BY 1") == [
        ("one", "DONE"),
        ("two", "DONE"),
    ]
    raisings = clerk.rows("SELECT etag FROM settlement.bank_accounts ORDER BY name LIMIT 2")
    before = min(int(str(etag)) for (etag,) in raisings)
    assert raisings == [(before,), (before,)], "each counted twice, no more and no less"
