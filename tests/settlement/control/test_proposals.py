"""What one person proposes takes effect when another approves exactly that, once."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import ProgrammingError

from services.settlement.domain.proposal import ContentChanged, Kind, OwnProposal, Proposal, ProposalNotFound
from services.settlement.domain.refusals import RequestIdReused, TransitionRefused
from services.settlement.store import proposals, requests
from shared.refusal import Kind as RefusalKind
from shared.refusal import Refusal
from tests.settlement.control.bureau import PATIENCE, Bureau
from tests.support.together import at_once

AT = datetime(2026, 3, 2, tzinfo=UTC)
ANNA, BEN, CARL = "operator/anna", "operator/ben", "operator/carl"


class Effect:
    """What takes effect, noted."""

    def __init__(self, refusal: Refusal | None = None) -> None:
        self.seen: list[tuple[str, str, str]] = []
        self._refusal = refusal

    def __call__(self, connection: Connection, proposal: Proposal, by: str, at: datetime) -> None:
        self.seen.append((proposal.name, proposal.state, by))
        if self._refusal:
            raise self._refusal


def proposed(bureau: Bureau, limit: int = 100, subject: str = "", barred: frozenset[str] = frozenset()) -> Proposal:
    with bureau.sessions.writing(PATIENCE) as connection:
        return proposals.propose(
            connection, Kind.CAP, subject or f"partners/{uuid4()}", {"cap": limit}, ANNA, AT, barred=barred
        )


def approved(bureau: Bureau, one: Proposal, by: str, effect: Effect, sha256: bytes = b"") -> Proposal:
    with bureau.sessions.writing(PATIENCE) as connection:
        return proposals.approve(connection, one.name, sha256 or one.sha256, by, AT, {Kind.CAP: effect})


def test_another_person_approves_and_it_takes_effect_once(bureau: Bureau) -> None:
    one, effect = proposed(bureau), Effect()
    done = approved(bureau, one, BEN, effect)
    assert (done.state, done.proposed_by, done.decided_by, done.content) == ("APPROVED", ANNA, BEN, {"cap": 100})
    assert effect.seen == [(one.name, "APPROVED", BEN)]
    with pytest.raises(TransitionRefused):
        approved(bureau, one, CARL, effect)
    assert len(effect.seen) == 1


def test_ones_own_proposal_is_for_others(bureau: Bureau) -> None:
    one, effect = proposed(bureau, barred=frozenset({CARL})), Effect()
    for by in (ANNA, CARL):
        with pytest.raises(OwnProposal) as refused:
            approved(bureau, one, by, effect)
        assert refused.value.kind is RefusalKind.NOT_ALLOWED
    assert effect.seen == []
    with bureau.tampering() as connection, pytest.raises(psycopg.errors.CheckViolation):
        connection.execute(
            "UPDATE settlement.proposals SET decided_by = %s, state = 'APPROVED', decided_at = now() WHERE name = %s",
            [ANNA, one.name],
        )


def test_what_is_approved_is_what_was_read(bureau: Bureau) -> None:
    one, other = proposed(bureau, 100), proposed(bureau, 200)
    with pytest.raises(ContentChanged):
        approved(bureau, one, BEN, Effect(), other.sha256)


def test_any_change_voids_what_was_open(bureau: Bureau) -> None:
    first = proposed(bureau, 100, "partners/acorn")
    second = proposed(bureau, 200, "partners/acorn")
    with pytest.raises(TransitionRefused):
        approved(bureau, first, BEN, Effect())
    assert approved(bureau, second, BEN, Effect()).state == "APPROVED"
    third = proposed(bureau, 300, "partners/acorn")
    with bureau.sessions.writing(PATIENCE) as connection:
        before = proposals.replaced(connection, third.name)
        assert before is not None
        assert before.name == second.name
        proposals.void(connection, Kind.CAP, "partners/acorn", by=BEN, at=AT, why="partner left")
        assert proposals.found(connection, third.name).state == "VOIDED"


def test_an_effect_that_refuses_leaves_the_proposal_open(bureau: Bureau) -> None:
    one = proposed(bureau)
    with pytest.raises(ProposalNotFound):
        approved(bureau, one, BEN, Effect(ProposalNotFound(name="x")))
    assert approved(bureau, one, BEN, Effect()).state == "APPROVED"


def test_a_declined_proposal_cannot_be_approved(bureau: Bureau) -> None:
    one = proposed(bureau)
    with bureau.sessions.writing(PATIENCE) as connection:
        done = proposals.decline(connection, one.name, one.sha256, BEN, AT, "too much")
    assert (done.state, done.why) == ("DECLINED", "too much")
    with pytest.raises(TransitionRefused):
        approved(bureau, one, CARL, Effect())


@pytest.mark.parametrize("column", ["document", "sha256", "subject", "kind", "proposed_by", "barred", "request_id"])
def test_what_was_proposed_the_application_itself_cannot_change(bureau: Bureau, column: str) -> None:
    one = proposed(bureau)
    statement = f"UPDATE settlement.proposals SET {column} = {column} WHERE name = '{one.name}'"
    with pytest.raises(ProgrammingError, match="permission denied"), bureau.sessions.writing(PATIENCE) as connection:
        connection.exec_driver_sql(statement)


def test_of_two_who_approve_at_once_one_does(bureau: Bureau) -> None:
    one, effect = proposed(bureau), Effect()

    def by(person: str) -> str:
        try:
            return approved(bureau, one, person, effect).decided_by
        except TransitionRefused:
            return ""

    done = at_once([lambda: by(BEN), lambda: by(CARL)])
    assert sorted(done)[0] == ""
    assert [seen[2] for seen in effect.seen] == [max(done)]


def test_of_two_who_propose_at_once_the_later_stands(bureau: Bureau) -> None:
    found = at_once([lambda: proposed(bureau, 1, "partners/both"), lambda: proposed(bureau, 2, "partners/both")])
    with bureau.sessions.reading(PATIENCE) as connection:
        states = {proposals.found(connection, one.name).state for one in found}
    assert states == {"PROPOSED", "VOIDED"}


def test_a_request_counts_once(bureau: Bureau) -> None:
    request, meaning = uuid4(), bytes(32)

    def ask(method: str, sha256: bytes) -> str | None:
        with bureau.sessions.writing(PATIENCE) as connection:
            first = requests.once(connection, request, method, sha256)
            if first is None:
                requests.remember(connection, request, method, sha256, "batches/7", AT)
            return first

    assert sorted(at_once([lambda: ask("CreateBatch", meaning)] * 2), key=str) == [None, "batches/7"]
    assert ask("CreateBatch", meaning) == "batches/7"
    for method, sha256 in (("CancelBatch", meaning), ("CreateBatch", bytes(31) + b"x")):
        with pytest.raises(RequestIdReused):
            ask(method, sha256)
