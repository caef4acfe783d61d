"""What is measured: PostgreSQL as the sandbox runs it, and a ledger process that callers reach over mutual TLS.

The other services are not started: the bench signs tokens and seals grants itself, with the keys of this home.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import psycopg

from services.sandbox import processes
from services.sandbox.clients import healthy
from services.sandbox.databases import ensure_databases
from services.sandbox.home import Home, made
from services.sandbox.keys import Keys, authority_of, ensure_keys
from services.sandbox.platform import OPERATOR
from services.sandbox.ports import ports_of
from services.sandbox.postgres.cluster import Cluster
from services.sandbox.services import LEDGER, command, environment, target
from shared.clock import SystemClock
from shared.credentials.authority import Authority, Leaf
from shared.credentials.keys import load_private
from shared.credentials.tokens import LONGEST_LIFETIME, TokenSigner
from tests.support.ports import claimed

DATABASE = "coalition_ledger"
_HEALTHY_SECONDS = 60.0
_END = ((signal.SIGTERM, 20.0),)
_PARTNERS = 8
_NAMES = [LEDGER, *(f"{LEDGER}-{number}" for number in range(2))]


@dataclass(frozen=True)
class Ledger:
    """A process that serves."""

    pid: int
    target: str


@dataclass(frozen=True)
class House:
    """A home with a PostgreSQL that runs, and what starts ledgers in it."""

    home: Home
    keys: Keys
    cluster: Cluster
    authority: Authority
    ports: Mapping[str, int]
    python: Path

    @property
    def partners(self) -> list[str]:
        return [f"partner-{number}" for number in range(_PARTNERS)]

    @property
    def postmaster(self) -> int:
        pid = self.cluster.pid
        assert pid is not None
        return pid

    @property
    def operator(self) -> Leaf:
        return self.authority.operator(OPERATOR)

    def token(self, partner: str) -> str:
        """An access token as identity would sign it, good for one run."""
        signer = TokenSigner(load_private(self.keys.token_signing))
        now = SystemClock().now() - timedelta(seconds=1)
        return signer.sign(partner, ["ledger"], now, LONGEST_LIFETIME, uuid4().hex)

    def environment(self, **settings: object) -> dict[str, str]:
        """What a process of the ledger is told. `settings` are the service's own."""
        leaf = self.authority.service(LEDGER)
        usual = environment(LEDGER, home=self.home, keys=self.keys, leaf=leaf, server=self.cluster, ports=self.ports)
        return usual | {f"COALITION_LEDGER_{name}".upper(): str(value) for name, value in settings.items()}

    def prepare(self) -> None:
        """The ledger's database, as `coalition up` makes it."""
        ensure_databases(self.home, self.cluster, self.keys, LEDGER, self.authority.service(LEDGER))

    @contextmanager
    def ledgers(self, count: int) -> Iterator[list[Ledger]]:
        """So many ledger processes on the one database, healthy, while the block runs."""
        with ExitStack() as running:
            ledgers = [running.enter_context(self._ledger(number)) for number in range(count)]
            give_up = time.monotonic() + _HEALTHY_SECONDS
            while count and self._holders() < count:
                if time.monotonic() > give_up:
                    raise RuntimeError("the ledgers do not share their stripes")
                time.sleep(0.2)
            yield ledgers

    @contextmanager
    def _ledger(self, number: int) -> Iterator[Ledger]:
        name = f"{LEDGER}-{number}"
        where = target(self.ports, name)
        log = self.home.logs / f"{name}.log"
        wanted = self.environment(listen=where)
        words = [str(self.python), *command(LEDGER)[1:]]
        record = processes.spawn(name, words, wanted, log, self.home.run)
        try:
            give_up = time.monotonic() + _HEALTHY_SECONDS
            while why := healthy(where, self.operator, timeout=1.0):
                if not processes.running(record) or time.monotonic() > give_up:
                    raise RuntimeError(f"the ledger did not start: {why} {processes.last_words(log)}")
            yield Ledger(record.pid, where)
        finally:
            processes.stop(record, gently=_END, records=self.home.run)

    def _holders(self) -> int:
        """How many processes have their fair share of the stripes."""
        found = self.sql("SELECT holder, count(*) FROM ledger.leases WHERE expires_at > now() GROUP BY holder")
        shares = [share for _, share in found]
        return len(shares) if max(shares, default=0) - min(shares, default=0) <= 1 else 0  # type: ignore[type-var, operator]

    def last_error(self) -> str:
        """What a ledger last complained of: its log goes with the folder."""
        logs = [path.read_text(errors="replace").splitlines() for path in self.home.logs.glob(f"{LEDGER}-*.log")]
        errors = [line for lines in logs for line in lines if '"level": "error"' in line]
        return errors[-1] if errors else "no ledger complained"

    def sql(self, statement: str, database: str = DATABASE) -> list[tuple[object, ...]]:
        """Ask PostgreSQL as its administrator."""
        with psycopg.connect(self.cluster.address(database), autocommit=True) as connection:
            answer = connection.execute(statement.encode())
            return answer.fetchall() if answer.description else []

    def entry_count(self) -> int:
        ((count,),) = self.sql("SELECT coalesce(sum(seq), 0)::bigint FROM ledger.heads")
        assert isinstance(count, int)
        return count


@contextmanager
def house_in(folder: Path, python: Path, say: Callable[[str], None]) -> Iterator[House]:
    """PostgreSQL runs while the block does."""
    home = Home(folder)
    made(home)
    keys = ensure_keys(home)
    cluster = Cluster(home, keys.administrator)
    cluster.start(say)
    try:
        yield House(home, keys, cluster, authority_of(home), ports_of(home, _NAMES, claimed()), python)
    finally:
        cluster.stop()
