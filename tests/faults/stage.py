"""Where it happens: a PostgreSQL of our own and one or more ledgers on one database, as real processes over mTLS."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property
from pathlib import Path

import psutil
import psycopg
from coalition.identity.v1 import identity_pb2
from coalition.ledger.v1.ledger_pb2_grpc import LedgerServiceStub

from services.sandbox.clients import Token, channel
from services.sandbox.databases import ensure_databases
from services.sandbox.home import Home, made
from services.sandbox.keys import Keys, authority_of, ensure_keys
from services.sandbox.ports import ports_of
from services.sandbox.postgres.cluster import Cluster
from services.sandbox.services import environment
from shared.clock import SystemClock
from shared.credentials.authority import Authority, Leaf
from shared.credentials.grants import GrantRing
from shared.credentials.keys import load_private
from shared.credentials.tokens import TokenSigner
from shared.rpc.wire import timestamp
from tests.faults import fencing
from tests.faults.process import LEDGER, UP_SECONDS, Ledger
from tests.support.ports import claimed

_TOKEN_LIFE = timedelta(minutes=10)


class Stage:
    """Keys, PostgreSQL, the ledger's database and its processes, in one folder."""

    def __init__(self, home: Home, ledgers: int, settings: dict[str, object]) -> None:
        made(home)
        self.home = home
        self.keys: Keys = ensure_keys(home)
        self.authority: Authority = authority_of(home)
        self.operator_leaf = self.authority.operator("local")
        self.postgres = Cluster(home, self.keys.administrator)
        names = [f"{LEDGER}-{number}" for number in range(ledgers)]
        ports = ports_of(home, names, claimed())
        self.ledgers = [self._ledger(name, ports[name], settings) for name in names]

    def _ledger(self, name: str, port: int, settings: dict[str, object]) -> Ledger:
        leaf = self.authority.service(LEDGER)
        given = environment(
            LEDGER, home=self.home, keys=self.keys, leaf=leaf, server=self.postgres, ports={LEDGER: port}
        )
        ours = {f"COALITION_LEDGER_{key}".upper(): str(value) for key, value in settings.items()}
        return Ledger(name, self.home, port, {**given, **ours}, self.operator_leaf)

    def up(self, say: Callable[[str], None]) -> None:
        """Start everything that does not run."""
        self.postgres.start(say)
        ensure_databases(self.home, self.postgres, self.keys, LEDGER, self.authority.service(LEDGER))
        fencing.install(self.database)
        for ledger in self.ledgers:
            ledger.start()
        for ledger in self.ledgers:
            ledger.up()

    def down(self) -> None:
        for ledger in self.ledgers:
            ledger.send(signal.SIGCONT)
            ledger.kill()
        self.postgres.stop()

    def kill_postgres(self, *, backend: bool) -> None:
        """The server itself, or one of those that work for the ledger: then it restarts all by itself."""
        assert self.postgres.pid is not None
        victim = self.postgres.pid
        if backend:
            with psycopg.connect(self.postgres.address()) as admin:
                found = admin.execute("SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'ledger-%'")
                pids = {int(pid) for (pid,) in found}
            children = [child.pid for child in psutil.Process(victim).children() if child.pid in pids]
            victim = children[0] if children else victim
        os.kill(victim, signal.SIGKILL)
        if not backend:
            give_up = time.monotonic() + UP_SECONDS
            while self.postgres.running() and time.monotonic() < give_up:
                time.sleep(0.005)

    @property
    def database(self) -> str:
        """What its administrator needs to reach the ledger's database."""
        return self.postgres.address(f"coalition_{LEDGER}")

    @cached_property
    def grants(self) -> GrantRing:
        return GrantRing.from_file(self.keys.grants)

    def operator(self, ledger: Ledger, user: str = "local") -> LedgerServiceStub:
        return self._plain(ledger, self.authority.operator(user))

    def catalogue(self, ledger: Ledger) -> LedgerServiceStub:
        """The ledger as the catalogue calls it."""
        return self._plain(ledger, self.authority.service("catalogue"))

    def _plain(self, ledger: Ledger, leaf: Leaf) -> LedgerServiceStub:
        """With a token that nobody asks for, because such a channel does not repeat calls by itself: we do."""
        return LedgerServiceStub(channel(ledger.target, leaf, lambda: "-"))

    def partner(self, ledger: Ledger, partner: str) -> LedgerServiceStub:
        return LedgerServiceStub(channel(ledger.target, self.authority.partner(partner), self._token(partner)))

    def _token(self, partner: str) -> Callable[[], str]:
        signer, clock = TokenSigner(load_private(self.keys.token_signing)), SystemClock()

        def issued() -> identity_pb2.IssueTokenResponse:
            at = clock.now()
            signed = signer.sign(partner, [LEDGER], at, _TOKEN_LIFE, str(at))
            return identity_pb2.IssueTokenResponse(access_token=signed, expire_time=timestamp(at + _TOKEN_LIFE))

        return Token(issued, clock.now)


@contextmanager
def stage_in(folder: Path, ledgers: int, settings: dict[str, object], say: Callable[[str], None]) -> Iterator[Stage]:
    """A stage on which everything runs while the block does."""
    stage = Stage(Home(folder), ledgers, settings)
    try:
        stage.up(say)
        yield stage
    finally:
        stage.down()
