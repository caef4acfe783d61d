"""Steps are done once each, whatever is killed in between."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from sqlalchemy import Connection, text

from services.settlement.store import steps
from services.settlement.store.stepper import Blocked, Done, GoOn, Handler, Stepper
from services.settlement.store.steps import Step, StepNotBlocked
from tests.settlement.control.bureau import PATIENCE, Bureau
from tests.support.databases import Databases
from tests.support.together import at_once, until

AT = datetime(2026, 3, 2, tzinfo=UTC)


class Still:
    """A clock that stands."""

    def __init__(self) -> None:
        self.at = AT

    def now(self) -> datetime:
        return self.at


@pytest.fixture(scope="module")
def whole(databases: Databases) -> Iterator[Bureau]:
    one = Bureau(databases)
    with one.tampering() as connection:
        connection.execute("CREATE TABLE settlement.marks (subject text, part bigint)")
        connection.execute("GRANT SELECT, INSERT ON settlement.marks TO settlement_app")
    yield one
    one.leave()


@pytest.fixture(autouse=True)
def long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that no test depends on how fast a machine is; `now_retryable` ends them."""
    monkeypatch.setattr("services.settlement.store.stepper._FIRST_PAUSE_SECONDS", 50.0)


@pytest.fixture
def bureau(whole: Bureau) -> Bureau:
    with whole.tampering() as connection:
        connection.execute("TRUNCATE settlement.marks, settlement.steps")
    return whole


def ask(bureau: Bureau, subject: str, kind: str = "mark", due_at: datetime = AT) -> None:
    with bureau.sessions.writing(PATIENCE) as connection:
        steps.ask(connection, kind, subject, due_at=due_at, at=AT)


def step(bureau: Bureau, subject: str, kind: str = "mark") -> Step:
    with bureau.sessions.reading(PATIENCE) as connection:
        return steps.found(connection, kind, subject)


def mark(connection: Connection, step: Step, at: datetime) -> Done | GoOn:
    """Five parts, one at a time."""
    connection.execute(text("INSERT INTO settlement.marks VALUES (:s, :p)"), {"s": step.subject, "p": step.finished})
    done = step.finished + 1
    return Done() if done == 5 else GoOn(at, done, 5)


def marks(bureau: Bureau) -> list[tuple[object, ...]]:
    return bureau.rows("SELECT subject, part FROM settlement.marks ORDER BY 1, 2")


def stepper(bureau: Bureau, handler: Handler = mark, attempts: int = 8) -> Stepper:
    return Stepper(bureau.sessions, {"mark": handler}, Still(), most_attempts=attempts)


def drained(one: Stepper) -> int:
    count = 0
    while one.one():
        count += 1
    return count


def now_retryable(bureau: Bureau) -> None:
    with bureau.tampering() as connection:
        connection.execute("UPDATE settlement.steps SET retry_at = 'epoch', lease_until = 'epoch'")


def test_the_parts_of_a_step_are_done_in_order_and_its_progress_shows(bureau: Bureau) -> None:
    ask(bureau, "a")
    one = stepper(bureau)
    assert one.one()
    assert (step(bureau, "a").finished, step(bureau, "a").total, step(bureau, "a").state) == (1, 5, "DUE")
    assert drained(one) == 4
    assert marks(bureau) == [("a", part) for part in range(5)]
    assert (step(bureau, "a").state, step(bureau, "a").finished) == ("DONE", 5)
    assert not one.one()


def test_what_is_not_due_waits_and_what_nobody_handles_is_left_alone(bureau: Bureau) -> None:
    ask(bureau, "later", due_at=AT + timedelta(seconds=1))
    ask(bureau, "a", kind="stranger")
    one, clock = stepper(bureau), Still()
    assert not one.one()
    clock.at += timedelta(seconds=1)
    assert Stepper(bureau.sessions, {"mark": mark}, clock).one()


def test_many_steppers_do_each_part_once(bureau: Bureau) -> None:
    for number in range(12):
        ask(bureau, f"s{number:02}")
    at_once([lambda: drained(stepper(bureau)) for _ in range(4)])
    drained(stepper(bureau))
    assert marks(bureau) == [(f"s{number:02}", part) for number in range(12) for part in range(5)]


def test_what_keeps_failing_is_blocked_with_its_reason_until_a_person_says_again(bureau: Bureau) -> None:
    ask(bureau, "a")

    def failing(connection: Connection, step: Step, at: datetime) -> Done | GoOn:
        mark(connection, step, at)
        raise StepNotBlocked(step="its neighbour", state="DUE")

    one = stepper(bureau, failing, attempts=3)
    for attempt in range(1, 4):
        assert one.one()
        assert step(bureau, "a").attempts == attempt
        assert not one.one(), "not at once"
        now_retryable(bureau)
    assert not one.one()
    found = step(bureau, "a")
    assert found.state == "BLOCKED"
    assert found.blocked_because.startswith("STEP_NOT_BLOCKED: its neighbour is DUE")
    assert marks(bureau) == []
    with bureau.sessions.writing(PATIENCE) as connection:
        steps.retry(connection, "mark", "a")
        with pytest.raises(StepNotBlocked):
            steps.retry(connection, "mark", "a")
    assert drained(stepper(bureau)) == 5


def test_what_a_person_must_look_at_is_blocked_at_once(bureau: Bureau) -> None:
    ask(bureau, "a")

    def hopeless(connection: Connection, step: Step, at: datetime) -> Done | GoOn:
        raise Blocked("the bank has closed the account")

    stepper(bureau, hopeless).one()
    assert (step(bureau, "a").state, step(bureau, "a").blocked_because) == (
        "BLOCKED",
        "the bank has closed the account",
    )


def test_whoever_sleeps_until_another_has_taken_the_step_does_nothing(bureau: Bureau) -> None:
    ask(bureau, "a")
    asleep = stepper(bureau)
    with bureau.sessions.writing(PATIENCE) as connection:
        steps_ = connection.execute(text("UPDATE settlement.steps SET fence = fence + 1 RETURNING *")).one()
    old = steps.step_of(steps_)
    assert drained(stepper(bureau)) == 5
    ask(bureau, "a")
    asleep._do(old, AT)
    assert marks(bureau) == [("a", part) for part in range(5)]
    assert step(bureau, "a").state == "DUE"


def test_while_one_works_nobody_else_takes_the_step_though_its_lease_is_over(bureau: Bureau) -> None:
    ask(bureau, "a")
    begun, end = threading.Event(), threading.Event()

    def slow(connection: Connection, step: Step, at: datetime) -> Done | GoOn:
        begun.set()
        end.wait(PATIENCE)
        return mark(connection, step, at)

    worker = threading.Thread(target=stepper(bureau, slow).one)
    worker.start()
    begun.wait(PATIENCE)
    with bureau.sessions.reading(PATIENCE) as connection:
        assert connection.execute(text("SELECT lease_until > now() FROM settlement.steps")).scalar()
    assert not Stepper(bureau.sessions, {"mark": mark}, Still()).one()
    end.set()
    worker.join(PATIENCE)
    assert marks(bureau) == [("a", 0)]


def test_its_thread_works_until_it_is_stopped(bureau: Bureau) -> None:
    one = stepper(bureau)
    one.start()
    ask(bureau, "a")
    one.hurry()
    until(lambda: step(bureau, "a").state == "DONE")
    one.stop()


def test_steps_are_listed_by_kind_and_subject_page_by_page(bureau: Bureau) -> None:
    for subject in ("c", "a", "b"):
        ask(bureau, subject)
    ask(bureau, "z", kind="another")
    drained(stepper(bureau))

    def page(after: tuple[str, str], state: str = "") -> list[str]:
        with bureau.sessions.reading(PATIENCE) as connection:
            return [one.name for one in steps.page(connection, after, 2, state)]

    assert page(("", "")) == ["steps/another/z", "steps/mark/a"]
    assert page(("mark", "a")) == ["steps/mark/b", "steps/mark/c"]
    assert page(("", ""), "DUE") == ["steps/another/z"]


def test_before_its_first_step_and_after_trouble_it_looks_around(bureau: Bureau) -> None:
    """Whoever comes back after the database was away may be a restored one."""
    looked: list[datetime] = []
    ask(bureau, "a")
    one = Stepper(bureau.sessions, {"mark": mark}, Still(), lambda _connection, at: looked.append(at))
    one.one()
    one.one()
    assert looked == [AT]

    def refusing(connection: Connection, step: Step, at: datetime) -> Done | GoOn:
        _disk_full(connection)
        return Done()

    other = Stepper(bureau.sessions, {"mark": refusing}, Still(), lambda _connection, at: looked.append(at))
    other.one()
    now_retryable(bureau)
    other.one()
    assert len(looked) == 3


Trouble = Callable[[Connection], None]


def _deadlock(connection: Connection) -> None:
    raise psycopg.errors.DeadlockDetected("deadlock detected")


def _serialisation(connection: Connection) -> None:
    raise psycopg.errors.SerializationFailure("could not serialize access")


def _disk_full(connection: Connection) -> None:
    raise psycopg.errors.DiskFull("could not extend file")


def _lost(connection: Connection) -> None:
    pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    with psycopg.connect(str(connection.info["address"]), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [pid])
    connection.execute(text("SELECT 1"))


@pytest.mark.parametrize("trouble", [_deadlock, _serialisation, _disk_full, _lost])
def test_trouble_of_the_database_undoes_the_part_and_it_is_tried_again(bureau: Bureau, trouble: Trouble) -> None:
    ask(bureau, "a")
    left = [trouble]

    def troubled(connection: Connection, step: Step, at: datetime) -> Done | GoOn:
        done = mark(connection, step, at)
        if step.finished == 2 and left:
            connection.info["address"] = bureau.address
            left.pop()(connection)
        return done

    one = stepper(bureau, troubled)
    drained(one)
    assert marks(bureau) == [("a", 0), ("a", 1)]
    assert step(bureau, "a").state == "DUE"
    assert step(bureau, "a").blocked_because
    now_retryable(bureau)
    drained(one)
    assert marks(bureau) == [("a", part) for part in range(5)]
