"""27: failover loses transactions; an old backup comes back after a send. QUARANTINE until all agree."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Connection

from services.settlement.domain.batch.refusals import BatchBlocked
from services.settlement.domain.proposal import Kind, Proposal
from services.settlement.formats.bank_file import bank_file
from services.settlement.store import proposals, quarantine, restored, sending
from services.settlement.store.bank_files import import_file
from services.settlement.store.batches import overriding, rows
from services.settlement.store.quarantine import Quarantined, StillDisagrees
from services.settlement.store.stepper import Stepper
from tests.settlement.accounts import clearing
from tests.settlement.clerk import ANNA, BEN, Clerk
from tests.settlement.reconciling.papers import statement


class Backup:
    """The whole database as it was, and back."""

    def __init__(self, clerk: Clerk) -> None:
        self._clerk = clerk
        self._name = str(clerk.settings["database_name"])
        with self._admin() as admin:
            admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*self._both()))

    def restore(self) -> None:
        """As after a failover that lost what came since: the service connects again and does not know."""
        with self._admin() as admin:
            kept, lost = self._both()
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(lost))
            admin.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(kept, lost))
        self._clerk.stepper = self.started()

    def started(self) -> Stepper:
        """Settlement after a start."""
        clerk = self._clerk
        look = quarantine.looking(restored.archive_disagrees(clerk.archive))
        return Stepper(clerk.sessions, clerk.paying.handlers, clerk.clock, look)

    def _both(self) -> tuple[sql.Identifier, sql.Identifier]:
        return sql.Identifier(f"{self._name}_backup"), sql.Identifier(self._name)

    @contextmanager
    def _admin(self) -> Iterator[psycopg.Connection]:
        self._clerk.engine.dispose()
        address = self._clerk.address.replace(self._name, "postgres")
        with psycopg.connect(address, autocommit=True) as admin:
            yield admin


def why(clerk: Clerk) -> str:
    return clerk.do(quarantine.standing)


def lift(clerk: Clerk, by: str = BEN) -> None:
    """Anna has looked, Ben approves."""
    at = clerk.clock.now()

    def act(connection: Connection) -> Proposal:
        made = proposals.propose(connection, Kind.QUARANTINE, quarantine.SUBJECT, {"looked_at": "all"}, ANNA, at)
        effects = {Kind.QUARANTINE: quarantine.lifting(restored.all_disagree(clerk.archive))}
        return proposals.approve(connection, made.name, made.sha256, by, at, effects)

    clerk.do(act)


def stated(clerk: Clerk) -> None:
    """A statement of today is imported."""
    at = clerk.clock.now()
    content = statement(clearing().iban, at.date(), [])
    clerk.do(
        lambda connection: import_file(
            connection, content, "today.xml", bank_file(content), "operator/r", at, clerk.follow
        )
    )


def released(clerk: Clerk) -> None:
    """One batch, up to where its files are released and nothing is sent yet."""
    clerk.prefund(10**9)
    clerk.release_batch(clerk.batch("batches/1"))


def approved(clerk: Clerk) -> None:
    clerk.ready("a", "b")
    clerk.ready_batch(clerk.window([("a", "b", 250)]))


def test_an_old_backup_after_a_send_stops_everything_that_moves_money(clerk: Clerk) -> None:
    backup = Backup(clerk)
    approved(clerk)
    released(clerk)
    clerk.step()
    assert len(clerk.noting.taken) == 1
    backup.restore()

    assert not clerk.stepper.one()
    assert "B1-R1-F1" in why(clerk)
    clerk.ready("a", "b")  # everybody does it all once more, from memory
    batch = clerk.calculate(clerk.create(clerk.window([("a", "b", 250)])))
    with pytest.raises(BatchBlocked, match="QUARANTINE"):
        clerk.submit(batch)
    with pytest.raises(Quarantined):
        clerk.do(lambda connection: sending.release(connection, 1, ANNA, clerk.clock.now()))
    with pytest.raises(StillDisagrees, match="B1-R1-F1"):
        lift(clerk)
    clerk.step()
    assert len(clerk.noting.taken) == 1


def test_what_was_lost_is_approved_again_with_the_bytes_of_the_archive_and_then_it_is_lifted(clerk: Clerk) -> None:
    """The backup had the batch as a draft. Calculated again it has the same bytes, and the bank is sent nothing new."""
    clerk.ready("a", "b")
    clerk.prefund(10**9)
    draft = clerk.create(clerk.window([("a", "b", 250)]))
    backup = Backup(clerk)
    clerk.approved_batch(clerk.submit(clerk.calculate(draft)))
    released(clerk)
    clerk.step()
    (first,) = clerk.noting.taken
    backup.restore()
    assert not clerk.stepper.one()

    again = clerk.calculate(draft)
    clerk.approve(
        clerk.do(
            lambda connection: overriding.propose(
                connection, rows.locked(connection, again.name), ["QUARANTINE"], "same bytes", ANNA, clerk.clock.now()
            )
        ).name
    )
    clerk.approved_batch(clerk.submit(again))
    with pytest.raises(Quarantined):
        clerk.release_batch(clerk.batch(again.name))
    clerk.clock.pass_(hours=1)
    stated(clerk)
    lift(clerk)
    released(clerk)
    clerk.step()
    assert clerk.noting.taken == [first, first]


def test_it_is_lifted_by_two_people_and_not_before_all_agree(clerk: Clerk) -> None:
    approved(clerk)
    clerk.do(lambda connection: quarantine.begin(connection, "somebody said that it was restored", clerk.clock.now()))
    with pytest.raises(StillDisagrees, match="no statement of"):
        lift(clerk)
    clerk.clock.pass_(hours=1)
    stated(clerk)
    lift(clerk)
    assert why(clerk) == ""
    released(clerk)
    clerk.step()
    assert len(clerk.noting.taken) == 1


def test_what_the_bank_has_booked_and_no_row_has_sent_keeps_it_up(clerk: Clerk) -> None:
    approved(clerk)
    with clerk.tampering() as connection:
        connection.execute("INSERT INTO settlement.bank_messages VALUES (sha256('x'), '', '', 'x', 'r', now())")
        connection.execute(
            "INSERT INTO settlement.bank_lines (sha256, part, number, stated, account, currency, is_credit,"
            " amount_minor, booked_on, end_to_end_id, message_id, reference, counterparty_account, counterparty_name,"
            " bank_reference, return_code, said_at) VALUES (sha256('x'), 0, 1, false, '', 'EUR',"
            " false, 250, '2026-03-02', 'B1-b-1', '', '', '', '', '', '', now())"
        )
    assert "B1-b-1" in clerk.do(restored.all_disagree(clerk.archive))


def test_a_failover_that_lost_the_end_of_a_send_sends_the_same_bytes_once_more(clerk: Clerk) -> None:
    """The row says APPROVED or RELEASED and the bytes are those of the archive: the bank's duplicate check takes it."""
    approved(clerk)
    released(clerk)
    backup = Backup(clerk)
    clerk.step()
    (first,) = clerk.noting.taken
    backup.restore()
    clerk.step()
    assert why(clerk) == ""
    assert clerk.noting.taken == [first, first]
    assert {state for (state,) in clerk.rows("SELECT state FROM settlement.instructions")} <= {"SENT", "ACCEPTED"}
