"""32: a deploy between calculate and approve."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from services.settlement.domain.batch import ENGINE, Basis, calculation
from services.settlement.domain.batch.refusals import BatchDiffers, EngineDiffers
from services.settlement.store.batches import contents, deciding, making, rows
from tests.settlement.clerk import Clerk

OWED = [("a", "b", 9_875), ("b", "c", 901), ("c", "a", 14_001)]


def test_the_engine_is_in_the_hash(clerk: Clerk) -> None:
    clerk.ready("a", "b", "c")
    batch = clerk.calculate(clerk.create(clerk.window(OWED)))
    assert json.loads(clerk.content(batch))["engine"] == ENGINE


def test_an_engine_that_calculates_the_same_bytes_may_approve_them(
    clerk: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    clerk.ready("a", "b", "c")
    batch = clerk.submit(clerk.calculate(clerk.create(clerk.window(OWED))))
    monkeypatch.setattr(deciding, "ENGINE", "settlement/2")
    assert clerk.approved_batch(batch).state == "APPROVED"


def test_an_engine_that_calculates_other_bytes_asks_for_a_new_revision(
    clerk: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    clerk.ready("a", "b", "c")
    batch = clerk.submit(clerk.calculate(clerk.create(clerk.window(OWED))))
    monkeypatch.setattr(deciding, "ENGINE", "settlement/2")
    monkeypatch.setattr(contents, "calculated", _otherwise)
    with pytest.raises(EngineDiffers):
        clerk.approved_batch(batch)


def test_rows_that_somebody_changed_are_not_approved(clerk: Clerk) -> None:
    clerk.ready("a", "b", "c")
    batch = clerk.submit(clerk.calculate(clerk.create(clerk.window(OWED))))
    with clerk.tampering() as connection:
        connection.execute("UPDATE settlement.lines SET booked_minor = booked_minor + 1 WHERE partner = 'a'")
    with pytest.raises(BatchDiffers):
        clerk.approved_batch(batch)


def test_a_calculation_that_was_interrupted_gives_the_same_bytes(clerk: Clerk) -> None:
    """2, of the batch: what was not committed is calculated again, later, by somebody else."""
    clerk.ready("a", "b", "c")
    batch = clerk.create(clerk.window(OWED))

    class Killed(Exception):
        pass

    def die() -> bytes:
        with clerk.sessions.writing(20) as connection:
            at = clerk.clock.now()
            made = making.calculate(connection, rows.locked(connection, batch.name), "operator/anna", at)
            found = contents.found(connection, made, made.take).content
            raise Killed(found)

    with pytest.raises(Killed) as killed:
        die()
    clerk.clock.pass_(hours=30)
    assert clerk.content(clerk.calculate(batch)) == killed.value.args[0]


def _otherwise(basis: Basis, solver: calculation.Solver) -> calculation.Calculation:
    made = calculation.calculated(basis, solver)
    return replace(made, nets=made.nets[:-1])
