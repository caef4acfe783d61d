"""Every pair of states of every machine: what its table has is done and written down, the rest is refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from services.settlement.domain.machines import MACHINES, NEW, Machine, Transition
from services.settlement.domain.refusals import TransitionRefused
from services.settlement.store import transitions
from services.settlement.store.transitions import EtagMismatch, ResourceNotFound
from tests.settlement.control.bureau import PATIENCE, Bureau
from tests.support.databases import Databases

AT = datetime(2026, 3, 2, tzinfo=UTC)


def every(machine: Machine) -> list[Transition]:
    """Each pair of states with each act."""
    acts = sorted({one.act for one in machine.transitions})
    states = sorted(machine.states)
    return [Transition(frm, to, act) for frm in (NEW, *states) for to in states for act in acts]


@pytest.fixture(scope="module")
def bureau(databases: Databases) -> Iterator[Bureau]:
    """With a table of things that have a state and nothing else."""
    one = Bureau(databases)
    with one.tampering() as connection:
        connection.execute("CREATE TABLE settlement.things (name text PRIMARY KEY, state text, etag bigint DEFAULT 1)")
        connection.execute("GRANT SELECT, INSERT, UPDATE ON settlement.things TO settlement_app")
    yield one
    one.leave()


def put(bureau: Bureau, name: str, state: str) -> None:
    with bureau.tampering() as connection:
        connection.execute("INSERT INTO settlement.things (name, state) VALUES (%s, %s)", [name, state])


def state_of(bureau: Bureau, name: str) -> tuple[object, ...]:
    (found,) = bureau.rows("SELECT state, etag FROM settlement.things WHERE name = %s", name)
    return found


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.resource)
def test_a_pair_in_the_table_is_moved_and_any_other_is_refused(bureau: Bureau, machine: Machine) -> None:
    """All in one transaction: what is refused is refused before anything is written."""
    wanted = {f"{machine.resource}-{number}": one for number, one in enumerate(every(machine))}
    assert len(wanted) > len(machine.transitions)
    moved = {}
    with bureau.tampering() as superuser, superuser.cursor() as cursor:
        rows = [(name, one.frm) for name, one in wanted.items() if one.frm]
        cursor.executemany("INSERT INTO settlement.things (name, state) VALUES (%s, %s)", rows)
    with bureau.sessions.writing(PATIENCE) as connection:
        for name, (frm, to, act) in wanted.items():
            with suppress(TransitionRefused):
                if frm:
                    transitions.move(connection, machine, "things", name, to, act, by="a", at=AT)
                else:
                    transitions.begin(connection, machine, name, to, act, by="a", at=AT)
                moved[name] = Transition(frm, to, act)
    assert set(moved.values()) == machine.transitions
    mine = f"{machine.resource}-%"
    found = bureau.rows("SELECT name, frm, state, act FROM settlement.transitions WHERE name LIKE %s", mine)
    assert sorted(found) == sorted((name, *one) for name, one in moved.items())
    states = bureau.rows("SELECT name, state, etag FROM settlement.things WHERE name LIKE %s", mine)
    assert sorted(states) == sorted(
        (name, moved[name].to, 2) if name in moved else (name, one.frm, 1) for name, one in wanted.items() if one.frm
    )


def window(bureau: Bureau, name: str) -> None:
    """One that was opened and closed."""
    machine = MACHINES[0]
    with bureau.sessions.writing(PATIENCE) as connection:
        transitions.begin(connection, machine, name, "OPEN", "predecessor", by="service/settlement", at=AT)
        connection.execute(text(f"INSERT INTO settlement.things (name, state) VALUES ('{name}', 'OPEN')"))
        transitions.move(connection, machine, "things", name, "CLOSING", "CloseWindow", by="anna", why="month", at=AT)
        transitions.move(
            connection,
            machine,
            "things",
            name,
            "CLOSED",
            "ingest",
            by="service/settlement",
            evidence=bytes(range(32)),
            at=AT + timedelta(microseconds=1),
        )


def test_the_chain_of_a_resource_leads_to_its_state(bureau: Bureau) -> None:
    window(bureau, "windows/chain")
    with bureau.sessions.reading(PATIENCE) as connection:
        rows = transitions.chain(connection, "windows/chain")
    assert [(row.step, row.frm, row.state, row.by, row.why) for row in rows] == [
        (1, "", "OPEN", "service/settlement", ""),
        (2, "OPEN", "CLOSING", "anna", "month"),
        (3, "CLOSING", "CLOSED", "service/settlement", ""),
    ]
    assert transitions.broken(rows, "CLOSED") == ""
    assert transitions.broken(rows, "SETTLED") == "the newest step leads to CLOSED, the row says SETTLED"
    assert transitions.broken(rows[:2], "CLOSED") == "the newest step leads to CLOSING, the row says CLOSED"
    assert transitions.broken(rows[1:], "CLOSED") == "step 1 is missing"


@pytest.mark.parametrize(
    "change", ["by = 'ben'", "why = 'x'", "at = at + interval '1 second'", "evidence = ''", "act = 'calendar'"]
)
def test_whoever_changes_a_step_is_noticed(bureau: Bureau, change: str) -> None:
    name = f"windows/{abs(hash(change))}"
    window(bureau, name)
    with bureau.tampering() as connection:
        connection.execute(f"UPDATE settlement.transitions SET {change} WHERE name = '{name}' AND step > 1".encode())
    with bureau.sessions.reading(PATIENCE) as connection:
        assert "was changed" in transitions.broken(transitions.chain(connection, name), "CLOSED")


def test_an_etag_that_is_old_and_a_name_that_is_none_are_refused(bureau: Bureau) -> None:
    window(bureau, "windows/etag")
    machine = MACHINES[0]
    with bureau.sessions.writing(PATIENCE) as connection:
        with pytest.raises(EtagMismatch):
            transitions.move(connection, machine, "things", "windows/etag", "SETTLED", "settled", by="a", at=AT, etag=2)
        with pytest.raises(ResourceNotFound):
            transitions.move(connection, machine, "things", "windows/none", "SETTLED", "settled", by="a", at=AT)
        transitions.move(connection, machine, "things", "windows/etag", "SETTLED", "settled", by="a", at=AT, etag=3)


def test_of_many_that_move_together_all_or_none_do(bureau: Bureau) -> None:
    names = [f"windows/many-{number}" for number in range(50)]
    for name in names:
        put(bureau, name, "OPEN")
    machine = MACHINES[0]
    with bureau.sessions.writing(PATIENCE) as connection:
        left = transitions.move_all(
            connection, machine, "things", names[:49], "CLOSING", "CloseWindow", by="anna", at=AT
        )
    assert set(left.values()) == {"OPEN"}
    with pytest.raises(TransitionRefused), bureau.sessions.writing(PATIENCE) as connection:
        transitions.move_all(connection, machine, "things", names, "CLOSED", "ingest", by="anna", at=AT)
    assert {state_of(bureau, name) for name in names} == {("CLOSING", 2), ("OPEN", 1)}
