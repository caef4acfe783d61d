"""The embedded PostgreSQL: its data folder, its start, its end, and how it gets up again after a crash."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import psutil
import psycopg
from psycopg.conninfo import make_conninfo

from services.sandbox import processes
from services.sandbox.home import Home, write_private
from services.sandbox.postgres.binaries import binaries, major_version
from services.sandbox.postgres.runner import Runner, runner
from services.sandbox.refusals import HomeUnusable, PostgresFailed, PostgresForeignVersion

NAME: Final = "postgres"
ADMINISTRATOR: Final = "postgres"
PORT: Final = 5432
"""Only a part of the socket's name: the server listens on no port."""

_START_SECONDS: Final = 120.0
_LINGER_SECONDS: Final = 15.0
_SOCKET_PATH_LIMIT: Final = 107
_SETTINGS: Final = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "password_encryption": "scram-sha-256",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "maintenance_work_mem": "128MB",
    "work_mem": "16MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "log_checkpoints": "off",
}
"""Memory for a laptop; durability stays as PostgreSQL has it: fsync, full pages, synchronous commit."""
_END: Final = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0))
"""Fast shutdown first, then immediate: both leave a data folder that starts again."""


class Cluster:
    """The PostgreSQL of one home."""

    def __init__(self, home: Home, password_file: Path) -> None:
        self._home = home
        self._password_file = password_file
        self._data = home.postgres / "data"
        self._log = home.logs / "postgres.log"

    port: Final = PORT
    settings: Final[Mapping[str, str]] = {"database_tls": "disable"}

    @property
    def host(self) -> str:
        """Where clients find it: the folder of its socket."""
        return str(self.socket)

    @property
    def socket(self) -> Path:
        """The folder of the Unix socket; for a deep home in the temp folder: its path has 107 bytes at most."""
        inside = self._home.postgres / "socket"
        if len(os.fsencode(inside / f".s.PGSQL.{PORT}")) <= _SOCKET_PATH_LIMIT:
            return inside
        if self._socket_elsewhere.exists():
            return Path(self._socket_elsewhere.read_text())
        digest = hashlib.sha256(os.fsencode(self._home.root)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"coalition-{os.geteuid()}-{digest}"

    @property
    def _socket_elsewhere(self) -> Path:
        """Names the folder where the socket lies, if not here: another terminal may have another temp folder."""
        return self._home.postgres / "socket-folder"

    @property
    def pid(self) -> int | None:
        """The process id of the postmaster."""
        record = self._record()
        return record.pid if record and processes.running(record) else None

    def running(self) -> bool:
        """Whether its postmaster lives."""
        return processes.running(self._record())

    def start(self, say: Callable[[str], None]) -> None:
        """Start it, or find it running; return when it answers."""
        if self.running() and self._still_answers():
            return
        who = runner(self._data)
        if not self._data.exists():
            say("making the PostgreSQL data folder")
            self._make(who)
        self._check_version()
        self._make_socket_folder(who)
        say("starting PostgreSQL")
        self._start(who)

    def stop(self) -> bool:
        """End it; answers whether it ran."""
        record = self._record()
        was_running = processes.running(record)
        if record is not None:
            processes.stop(record, gently=_END, records=self._home.run)
        if self._socket_elsewhere.exists() and self.socket.exists():
            shutil.rmtree(self.socket)
        return was_running

    def _record(self) -> processes.Record | None:
        """What the run folder says or, where a start was interrupted before it could, what PostgreSQL wrote down."""
        record = processes.recorded(NAME, self._home.run)
        if processes.running(record):
            return record
        pid = self._pid_of_postmaster()
        return processes.adopted(NAME, pid, self._home.run) if pid else record

    def _pid_of_postmaster(self) -> int | None:
        try:
            pid = int((self._data / "postmaster.pid").read_text().split("\n", 1)[0])
            words = psutil.Process(pid).cmdline()
        except (OSError, ValueError, psutil.Error):
            return None
        return pid if str(self._data) in words and processes.alive(pid) else None

    def _make(self, who: Runner) -> None:
        """Into a side folder that becomes the data folder when it is complete: nothing is ever half-made.

        Its name is ours alone, because the initdb of a command that was killed may still be writing into another.
        """
        for left_behind in self._home.postgres.glob("half-made-*"):
            shutil.rmtree(left_behind, ignore_errors=True)
        half_made = self._home.postgres / f"half-made-{os.getpid()}"
        try:
            half_made.mkdir(mode=0o700)
        except OSError as error:
            raise HomeUnusable(folder=self._home.postgres, why=error.strerror or error) from None
        who.own(half_made)
        since = self._log_size()
        with self._log.open("ab") as log, self._password_file.open("rb") as password:
            made = subprocess.run(
                who.command(
                    binaries() / "initdb",
                    f"--pgdata={half_made}",
                    f"--username={ADMINISTRATOR}",
                    "--auth=scram-sha-256",
                    "--pwfile=/dev/stdin",
                    "--encoding=UTF8",
                    "--locale=C",
                    "--locale-provider=builtin",
                    "--builtin-locale=C.UTF-8",
                    "--no-instructions",
                ),
                stdin=password,
                stdout=log,
                stderr=log,
                check=False,
            )
        if made.returncode != 0:
            raise PostgresFailed(why=processes.last_words(self._log, since), log=self._log)
        half_made.rename(self._data)

    def _check_version(self) -> None:
        try:
            found = (self._data / "PG_VERSION").read_text().strip()
        except FileNotFoundError:
            found = "nobody knows which (PG_VERSION is missing)"
        if found != str(major_version()):
            raise PostgresForeignVersion(folder=self._data, found=found, ours=major_version())

    def _make_socket_folder(self, who: Runner) -> None:
        folder = self.socket
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise HomeUnusable(folder=folder, why=error.strerror or error) from None
        known = folder.lstat()
        if not stat.S_ISDIR(known.st_mode) or known.st_uid not in {os.geteuid(), (who.account or (os.geteuid(), 0))[0]}:
            raise HomeUnusable(folder=folder, why="it belongs to somebody else")
        folder.chmod(0o700)
        who.own(folder)
        if folder.parent != self._home.postgres:
            write_private(self._socket_elsewhere, os.fsencode(folder))

    def _start(self, who: Runner) -> None:
        settings = {**_SETTINGS, "unix_socket_directories": str(self.socket)}
        command = who.command(binaries() / "postgres", "-D", str(self._data))
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "COALITION_"))}
        give_up = time.monotonic() + _LINGER_SECONDS
        while True:
            self._forget_the_dead()
            since = self._log_size()
            processes.spawn(NAME, command, environment, self._log, self._home.run)
            try:
                self._wait(since)
            except PostgresFailed as failed:
                # The memory of a killed server is let go by its last child, a moment after the server itself.
                if "still in use" not in str(failed) or time.monotonic() > give_up:
                    raise
                time.sleep(0.2)
            else:
                return

    def _forget_the_dead(self) -> None:
        """Remove the lock files of a postmaster that ended: its id may be a zombie's by now, or a stranger's.

        Two servers on one data folder stay impossible: PostgreSQL also looks whether its shared memory is still in use.
        """
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        for name in (f".s.PGSQL.{PORT}", f".s.PGSQL.{PORT}.lock"):
            (self.socket / name).unlink(missing_ok=True)

    def _still_answers(self) -> bool:
        """Whether the one that runs answers; it may be about to end, after a signal that it has not yet noticed."""
        try:
            self._wait(since=self._log_size())
        except PostgresFailed:
            if self.running():
                raise
            return False
        return True

    def _wait(self, since: int) -> None:
        """Until it answers. What it says while it gets up again after a crash is not an error."""
        give_up = time.monotonic() + _START_SECONDS
        while True:
            try:
                psycopg.connect(self.address(), connect_timeout=5).close()
            except psycopg.OperationalError as error:
                if not self.running():
                    raise PostgresFailed(why=processes.last_words(self._log, since), log=self._log) from None
                if time.monotonic() > give_up or "password authentication failed" in str(error):
                    raise PostgresFailed(why=" ".join(str(error).split()), log=self._log) from None
                time.sleep(0.05)
            else:
                return

    def address(self, database: str | None = None) -> str:
        """What libpq needs to reach it as its administrator."""
        return make_conninfo(
            "",
            host=str(self.socket),
            port=PORT,
            user=ADMINISTRATOR,
            password=self._password_file.read_text().strip(),
            dbname=database or "postgres",
        )

    def _log_size(self) -> int:
        return self._log.stat().st_size if self._log.exists() else 0
