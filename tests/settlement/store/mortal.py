"""The closing of a window, as a program that dies where it is told to, by kill -9, and then goes on where it was."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from services.settlement.domain.journal import FeedEntry
from services.settlement.store import windows
from services.settlement.store.closing import Closing
from services.settlement.store.ingest import positions, take_in
from services.settlement.store.signing import Signing
from shared.db.engine import make_engine
from shared.db.sessions import Sessions
from shared.ids import derived
from shared.instants import instant
from shared.settings import ServiceSettings
from tests.settlement.paper import Journal, day
from tests.settlement.reaper import Reaper
from tests.settlement.reckoning import SIGNER
from tests.settlement.store.office import ANNA, BUCKETS, PATIENCE

PAGE = 2


class Closed(NamedTuple):
    """All that a process needs to close the window. It dies at a point, by its number; 0: it lives."""

    settings: Mapping[str, object]
    points: Path
    die_at: int = 0


def close(told: Closed) -> None:
    """From wherever it is to the statements of the first window, and what comes after it counted in the next."""
    reaper = Reaper(told.points, told.die_at)
    engine = make_engine(ServiceSettings.model_validate(dict(told.settings)))
    sessions = Sessions(engine)
    reaper.install()
    paper = Journal(BUCKETS)
    award = paper.award(1_003)
    paper.redeem(7, bucket=1)
    paper.reverse(award, 301)
    edge = paper.checkpoint(day(1))
    paper.award(5, at=day(2))

    closing, signing = Closing(sessions, SIGNER), Signing(sessions, SIGNER)
    with sessions.writing(PATIENCE) as connection:
        windows.ask_to_close(connection, 1, derived("asked", "1"), ANNA)
    if closing.asked() is not None:
        closing.fix_edge(1, edge)
    while page := _unread(sessions, paper):
        with sessions.writing(PATIENCE) as connection:
            take_in(connection, page[:PAGE])
    closing.finish(instant(day(3)))
    signing.sign_next(instant(day(4)))
    engine.dispose()


def _unread(sessions: Sessions, paper: Journal) -> list[FeedEntry]:
    with sessions.reading(PATIENCE) as connection:
        reached = positions(connection)
    return [entry for entry in paper.page() if entry.seq > reached[entry.bucket][0].seq]
