"""6: two approve at once; own batch; edit, then approve."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from hashlib import sha256

import pytest
from sqlalchemy import Connection

from services.settlement.domain.batch.refusals import OwnBatch
from services.settlement.domain.proposal import ContentChanged
from services.settlement.domain.refusals import TransitionRefused
from services.settlement.store.batches import deciding, rows
from services.settlement.store.batches.rows import Batch
from shared.refusal import Kind
from tests.settlement.clerk import ANNA, BEN, CARL, Clerk


def rejected(batch: Batch, by: str, at: datetime, connection: Connection) -> Batch:
    return deciding.reject(connection, rows.locked(connection, batch.name), batch.content_sha256, "no", by, at)


def test_of_two_who_approve_at_once_one_does(clerk: Clerk) -> None:
    clerk.ready("a", "b")
    batch = clerk.submit(clerk.calculate(clerk.create(clerk.window([("a", "b", 250)]))))

    def approve(by: str) -> str:
        try:
            clerk.approved_batch(batch, by)
        except TransitionRefused:
            return "refused"
        return "approved"

    with ThreadPoolExecutor(2) as both:
        assert Counter(both.map(approve, [BEN, CARL])) == {"approved": 1, "refused": 1}
    steps = clerk.rows("SELECT state FROM settlement.transitions WHERE name = 'batches/1' ORDER BY step")
    assert [state for (state,) in steps] == ["DRAFT", "CALCULATED", "PENDING_APPROVAL", "APPROVED"]


def test_nobody_decides_what_he_made_or_edited(clerk: Clerk) -> None:
    clerk.ready("a", "b")
    batch = clerk.submit(clerk.calculate(clerk.create(clerk.window([("a", "b", 250)]), by=ANNA), by=CARL), by=BEN)
    assert OwnBatch.kind is Kind.NOT_ALLOWED
    for maker in (ANNA, CARL):
        with pytest.raises(OwnBatch):
            clerk.approved_batch(batch, maker)
        with pytest.raises(OwnBatch):
            clerk.do(partial(rejected, batch, maker, clerk.clock.now()))
    assert clerk.approved_batch(batch, BEN).state == "APPROVED"


def test_sql_itself_forbids_a_batch_that_its_maker_approved(clerk: Clerk) -> None:
    clerk.ready("a", "b")
    clerk.submit(clerk.calculate(clerk.create(clerk.window([("a", "b", 250)]))))
    with clerk.tampering() as connection, pytest.raises(Exception, match="batches_check"):
        connection.execute("UPDATE settlement.batches SET state = 'APPROVED', decided_by = created_by")


def test_an_approval_is_for_exactly_the_content_that_was_read(clerk: Clerk) -> None:
    clerk.ready("a", "b")
    batch = clerk.submit(clerk.calculate(clerk.create(clerk.window([("a", "b", 250)]))))
    other = sha256(b"something else").digest()
    with pytest.raises(ContentChanged):
        clerk.do(
            lambda connection: deciding.approve(
                connection, rows.locked(connection, batch.name), other, BEN, clerk.clock.now()
            )
        )
    assert clerk.batch(batch.name).state == "PENDING_APPROVAL"


def test_an_edit_voids_the_approval_and_the_files(clerk: Clerk) -> None:
    clerk.ready("a", "b")
    batch = clerk.ready_batch(clerk.window([("a", "b", 250)]))
    (old,) = clerk.rows("SELECT msg_id, state FROM settlement.payment_files")
    assert old == ("B1-R1-F1", "APPROVED")
    revised = clerk.revise(batch, by=CARL)
    assert (revised.state, revised.revision, revised.decided_by, revised.content_sha256) == ("DRAFT", 2, "", b"")
    assert clerk.rows("SELECT state FROM settlement.payment_files") == [("WITHDRAWN",)]
    again = clerk.submit(clerk.calculate(revised, by=CARL))
    assert again.content_sha256 != batch.content_sha256
    with pytest.raises(ContentChanged):
        clerk.do(
            lambda connection: deciding.approve(
                connection,
                rows.locked(connection, batch.name),
                batch.content_sha256,
                BEN,
                clerk.clock.now(),
            )
        )
    with pytest.raises(OwnBatch):
        clerk.approved_batch(again, CARL)
    assert clerk.approved_batch(again, BEN).revision == 2
