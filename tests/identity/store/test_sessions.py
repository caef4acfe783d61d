"""Reading cannot write, writing counts as a whole or not at all, and neither outlives its call."""

from __future__ import annotations

import time
import uuid

import pytest
from sqlalchemy import Engine, func, insert, select, text
from sqlalchemy.exc import IntegrityError

from services.identity.domain.partners import Partner, PartnerNotFound
from services.identity.store.partners import Partners
from services.identity.store.tables import PARTNERS
from shared.db.engine import make_engine
from shared.db.errors import StatementTooSlow
from shared.db.sessions import Sessions
from tests.identity.house import BEGINNING, House


@pytest.fixture
def engine(house: House) -> Engine:
    return make_engine(house.settings, pool_size=1)


def row() -> dict[str, object]:
    return {"partner_id": f"p-{uuid.uuid4().hex[:12]}", "display_name": "Corner shop", "created_at": BEGINNING}


def test_a_reading_session_cannot_write_and_the_next_writing_one_can(engine: Engine) -> None:
    sessions, wanted = Sessions(engine), row()
    with pytest.raises(Exception, match="database"), sessions.reading(5) as connection:
        connection.execute(insert(PARTNERS), wanted)
    with sessions.writing(5) as connection:
        connection.execute(insert(PARTNERS), wanted)
    with sessions.reading(5) as connection:
        found = connection.scalar(select(func.count()).where(PARTNERS.c.partner_id == wanted["partner_id"]))
    assert found == 1
    engine.dispose()


def test_what_is_interrupted_did_not_happen(engine: Engine) -> None:
    sessions, wanted = Sessions(engine), row()
    with pytest.raises(IntegrityError), sessions.writing(5) as connection:
        connection.execute(insert(PARTNERS), [wanted, wanted])
    with pytest.raises(PartnerNotFound):
        Partners(sessions).get(str(wanted["partner_id"]), 5)
    Partners(sessions).add(Partner(str(wanted["partner_id"]), "Corner shop", BEGINNING), 5)
    engine.dispose()


def test_no_statement_outlives_its_call(engine: Engine) -> None:
    started = time.monotonic()
    with pytest.raises(StatementTooSlow), Sessions(engine).reading(0.2) as connection:
        connection.execute(text("SELECT pg_sleep(30)"))
    assert time.monotonic() - started < 5
    engine.dispose()
