"""The embedded PostgreSQL starts, is found again, and gets up after everything that can befall it on a laptop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from services.sandbox import processes
from services.sandbox.home import Home, made
from services.sandbox.postgres import external, runner, server_of
from services.sandbox.postgres.cluster import Cluster
from services.sandbox.postgres.external import External
from services.sandbox.refusals import (
    HomeUnusable,
    PostgresFailed,
    PostgresForeignVersion,
    PostgresNeedsAnAccount,
    PostgresTooOld,
    PostgresUnreachable,
)
from tests.sandbox.conftest import Clusters

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")


def quiet(_: str) -> None:
    """Nobody listens."""


def started(cluster: Cluster) -> Cluster:
    cluster.start(quiet)
    return cluster


def ask(cluster: Cluster | External, question: str) -> object:
    with psycopg.connect(cluster.address()) as connection:
        row = connection.execute(question.encode()).fetchone()
    return row[0] if row else None


def pid_of(cluster: Cluster) -> int:
    assert cluster.pid is not None
    return cluster.pid


def data_of(cluster: Cluster) -> Path:
    return Path(str(ask(cluster, "SHOW data_directory")))


def kill(cluster: Cluster) -> None:
    os.kill(pid_of(cluster), signal.SIGKILL)


def test_it_listens_on_a_private_socket_and_on_no_port(cluster: Cluster) -> None:
    started(cluster)
    server = psutil.Process(pid_of(cluster))
    assert [one for one in server.net_connections("tcp") if one.status == psutil.CONN_LISTEN] == []
    assert cluster.socket.stat().st_mode & 0o777 == 0o700
    assert data_of(cluster).stat().st_mode & 0o777 == 0o700


def test_passwords_are_scram_and_a_wrong_one_is_refused(cluster: Cluster) -> None:
    started(cluster)
    assert str(ask(cluster, "SELECT rolpassword FROM pg_authid WHERE rolname = 'postgres'")).startswith("SCRAM-SHA-256")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(make_conninfo(cluster.address(), password="wrong"))


def test_what_is_committed_is_durable(cluster: Cluster) -> None:
    started(cluster)
    assert [ask(cluster, f"SHOW {name}") for name in ("fsync", "synchronous_commit", "full_page_writes")] == ["on"] * 3


def test_a_second_start_finds_what_runs(cluster: Cluster) -> None:
    first = pid_of(started(cluster))
    assert pid_of(started(cluster)) == first


def test_a_stopped_one_starts_again_with_its_data(cluster: Cluster) -> None:
    with psycopg.connect(started(cluster).address()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    assert cluster.stop()
    assert not cluster.running()
    assert ask(started(cluster), "SELECT answer FROM kept") == 42


def test_a_killed_one_gets_up_again_with_all_that_was_committed(cluster: Cluster) -> None:
    with psycopg.connect(started(cluster).address()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    kill(cluster)
    assert ask(started(cluster), "SELECT answer FROM kept") == 42


def test_a_lock_file_with_a_strangers_process_id_is_no_obstacle(cluster: Cluster) -> None:
    lock = data_of(started(cluster)) / "postmaster.pid"
    kill(cluster)
    rest = lock.read_text().split("\n", 1)[1]
    lock.write_text(f"{os.getpid()}\n{rest}")
    assert ask(started(cluster), "SELECT 1") == 1


def test_a_start_that_was_interrupted_before_it_was_recorded_is_found(cluster: Cluster, tmp_path: Path) -> None:
    first = pid_of(started(cluster))
    (tmp_path / "home" / "run" / "postgres.json").unlink()
    assert pid_of(started(cluster)) == first
    assert cluster.stop()
    assert not processes.alive(first)


def test_a_half_made_data_folder_is_made_anew(cluster: Cluster, tmp_path: Path) -> None:
    half_made = tmp_path / "home" / "postgres" / "half-made-1"
    half_made.mkdir()
    (half_made / "PG_VERSION").write_text("18\n")
    assert ask(started(cluster), "SELECT 1") == 1
    assert not half_made.exists()


def test_the_data_of_another_version_is_left_alone(cluster: Cluster) -> None:
    version = data_of(started(cluster)) / "PG_VERSION"
    cluster.stop()
    version.write_text("15\n")
    with pytest.raises(PostgresForeignVersion, match=r"was made by PostgreSQL 15; this is PostgreSQL \d+\."):
        cluster.start(quiet)


def test_a_damaged_data_folder_is_one_line_that_says_why(cluster: Cluster) -> None:
    control = data_of(started(cluster)) / "global" / "pg_control"
    cluster.stop()
    control.write_bytes(b"\0" * control.stat().st_size)
    with pytest.raises(PostgresFailed, match="incompatible with server") as refused:
        cluster.start(quiet)
    assert "\n" not in str(refused.value)


def test_a_deep_home_keeps_its_socket_in_the_temp_folder(clusters: Clusters, tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["a-folder-with-a-rather-long-name"] * 4)
    cluster = started(clusters(deep))
    assert len(os.fsencode(cluster.socket)) < 90
    assert cluster.socket.stat().st_mode & 0o777 == 0o700
    assert ask(cluster, "SELECT 1") == 1


def test_a_home_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("not a folder")
    with pytest.raises(HomeUnusable, match="cannot hold a sandbox"):
        made(Home(tmp_path / "home"))


@as_root
def test_root_runs_it_under_an_account_where_namespaces_are_not_allowed(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(runner, "_in_namespace", lambda: None)
        started(cluster)
    assert psutil.Process(pid_of(cluster)).uids().real != 0
    assert data_of(cluster).stat().st_uid != 0
    assert cluster.stop()
    assert ask(started(cluster), "SELECT 1") == 1, "the account goes on with what it made"
    assert psutil.Process(pid_of(cluster)).uids().real != 0


@as_root
def test_root_without_namespaces_and_accounts_is_one_line(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "_in_namespace", lambda: None)
    monkeypatch.setattr(runner, "_ACCOUNTS", ("no-such-account",))
    with pytest.raises(PostgresNeedsAnAccount, match="PostgreSQL does not run as root"):
        cluster.start(quiet)


@as_root
@pytest.mark.parametrize("uid", [65534, 23456], ids=["a user with a name", "a user without a name"])
def test_a_user_who_is_not_root_starts_it(uid: int, clusters: Clusters, public_folder: Path) -> None:
    folder = public_folder / "home"
    folder.mkdir()
    os.chown(folder, uid, uid)
    becoming = Path(runner.__file__).with_name("becoming.py")
    program = (
        "import sys; from pathlib import Path; from services.sandbox.home import Home, made;"
        "from services.sandbox.keys import ensure_password; from services.sandbox.postgres.cluster import Cluster;"
        "home = Home(Path(sys.argv[1])); made(home);"
        "password = home.secrets / 'postgres'; ensure_password(password); Cluster(home, password).start(print)"
    )
    words = [sys.executable, "-I", "-S", str(becoming), "account", str(uid), str(uid)]
    done = subprocess.run(
        [*words, sys.executable, "-c", program, str(folder)], capture_output=True, text=True, cwd="/", check=False
    )
    assert done.returncode == 0, done.stderr
    cluster = clusters(folder)
    assert psutil.Process(pid_of(cluster)).uids().real == uid
    assert ask(cluster, "SELECT 1") == 1


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that every user can reach; pytest's own belong to the one who runs the tests."""
    with tempfile.TemporaryDirectory(prefix="coalition-test-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_an_external_server_is_used_and_never_stopped(
    cluster: Cluster, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    started(cluster)
    password = (home.secrets / "postgres").read_text().strip()
    monkeypatch.setenv("COALITION_DATABASE_URL", f"postgresql://postgres:{password}@/postgres?host={cluster.host}")
    server = server_of(home, home.secrets / "postgres")
    server.start(quiet)
    assert isinstance(server, External)
    assert server.host == cluster.host
    assert not server.stop()
    assert ask(server, "SELECT 1") == 1


def test_an_external_server_that_does_not_answer_is_one_line() -> None:
    with pytest.raises(PostgresUnreachable, match="does not answer") as refused:
        External("postgresql://postgres@127.0.0.1:1/postgres").start(quiet)
    assert "\n" not in str(refused.value)


def test_an_address_that_is_none_is_one_line() -> None:
    with pytest.raises(PostgresUnreachable, match="not the address of one server"):
        External("postgresql://[")


def test_an_external_server_that_is_too_old_is_refused(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    started(cluster)
    monkeypatch.setattr(external, "OLDEST", 990000)
    with pytest.raises(PostgresTooOld, match="needs 16 or newer"):
        External(cluster.address()).start(quiet)


def test_how_to_reach_an_external_server_is_passed_on_to_the_services() -> None:
    server = External("postgresql://admin@db.example:6543/postgres?sslmode=verify-full&sslrootcert=/etc/ca.pem")
    assert (server.host, server.port) == ("db.example", 6543)
    assert server.settings == {"database_tls": "verify-full", "database_ca_file": "/etc/ca.pem"}
