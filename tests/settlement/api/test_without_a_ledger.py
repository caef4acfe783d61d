"""Services start in any order: settlement has its first window before the ledger has ever answered."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import grpc
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.settlement.api.journal import Journal
from services.settlement.api.worker import Worker
from services.settlement.domain.documents import Signer
from services.settlement.store import windows
from services.settlement.store.closing import Closing
from services.settlement.store.ingest import positions
from services.settlement.store.signing import Signing
from shared.clock import SandboxClock
from shared.db.engine import make_engine
from shared.db.sessions import Sessions
from tests.support.databases import Databases
from tests.support.together import until

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)


@pytest.fixture
def sessions(databases: Databases) -> Iterator[Sessions]:
    engine = make_engine(databases.service_settings(databases.fresh("settlement")))
    yield Sessions(engine)
    engine.dispose()


@pytest.fixture
def worker(sessions: Sessions, tmp_path: Path) -> Iterator[Worker]:
    """A worker whose ledger is nowhere."""
    key, clock = Ed25519PrivateKey.generate(), SandboxClock(tmp_path / "clock")
    clock.set(NOW)
    with grpc.insecure_channel("127.0.0.1:1") as nowhere:
        journal = Journal(nowhere, key.public_key())
        signer = Signer("key", key.sign)
        made = Worker(sessions, journal, Closing(sessions, signer), Signing(sessions, signer), clock, 1000, 1)
        made.start()
        yield made
        made.stop()


def test_it_is_ready_when_there_is_an_open_window(worker: Worker, sessions: Sessions) -> None:
    until(worker.is_ready)
    with sessions.reading(10) as connection:
        assert windows.found(connection, "windows/open").number == 1
        assert positions(connection) == {}


def test_it_says_that_it_waits_for_the_ledger(worker: Worker) -> None:
    until(lambda: worker.waits is not None)
    assert worker.waits is not None
    assert worker.waits.waits_for == "LEDGER_UNREACHABLE"
