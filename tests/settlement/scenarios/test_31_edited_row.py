"""31: an administrator edits a sealed row. verify names it; the next close refuses to chain."""

from __future__ import annotations

import pytest

from services.settlement.store.verifier import Verifier
from shared.verifying import Difference
from tests.settlement.paper import day, terms
from tests.settlement.reckoning import SIGNER
from tests.settlement.store.office import PATIENCE, Office

EDITS = {
    "a rollup": ("UPDATE settlement.rollups_by_worker SET points = points + 1 WHERE window_number = 1", "rollups"),
    "a count": (
        "UPDATE settlement.window_counts SET late_entries = 1 WHERE bucket = 0 AND window_number = 1",
        "buckets",
    ),
    "an edge": ("UPDATE settlement.windows SET to_root = to_signature WHERE number = 1", "to_checkpoint"),
    "the book it knew": ("UPDATE settlement.windows SET versions_known = 7 WHERE number = 1", "versions_known"),
    "the seal": ("UPDATE settlement.seals SET sha256 = sha256(sha256)", "hash of the seal"),
}


@pytest.mark.parametrize("what", EDITS)
def test_verify_names_it_and_the_next_close_refuses_to_chain(office: Office, what: str) -> None:
    office.publish("acorn", terms(since=day(-1)))
    office.paper.award(100)
    office.closed(day(1))
    edit, named = EDITS[what]
    with office.tampering() as connection:
        connection.execute(edit.encode())
    assert isinstance(office.verified(), Difference)
    waits = office.close(2, office.paper.checkpoint(day(2)))
    assert waits is not None
    assert waits.waits_for == "SEAL"
    assert named in waits.detail
    assert office.window(2).state.value == "CLOSING"


def test_a_line_that_was_edited_is_found_without_reading_the_journal(office: Office) -> None:
    office.publish("acorn", terms(since=day(-1)))
    office.paper.award(100)
    office.closed(day(1))
    verifier = Verifier(office.sessions, SIGNER, office.paper.after, office.paper.check)
    with office.sessions.snapshot(PATIENCE) as connection:
        assert verifier.window(connection, office.window(1)) == 1
    with office.tampering() as edited:
        edited.execute("UPDATE settlement.lines SET booked_minor = booked_minor - 1")
    with office.sessions.snapshot(PATIENCE) as connection:
        found = verifier.window(connection, office.window(1))
    assert isinstance(found, Difference)
    assert (found.subject, found.name) == ("line", "windows/1 ISSUANCE of acorn at 0.012 EUR")
