"""What the database's owner changes by hand, `coalition verify` finds and names."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import LiteralString

import psycopg
import pytest
from coalition.ledger.v1 import ledger_pb2 as pb
from psycopg import sql

from services.sandbox.keys import keys_of
from services.sandbox.postgres import server_of
from services.sandbox.services import password_file
from shared.credentials.files import read_password
from tests.journeys.story import Story, terms, yesterday
from tests.support.platform import RunningPlatform
from tests.support.vectors import example

CHECKED_SECONDS = 0.2
"""By then a check of a bucket as small as a test's has ended."""


@dataclass(frozen=True)
class Change:
    """One value of one row, and what it becomes."""

    service: str
    table: LiteralString
    column: LiteralString
    where: LiteralString
    to: LiteralString
    named: str
    """How the verdict begins."""


@dataclass(frozen=True)
class Scene:
    """An award, a redemption and a closed window, and the names that they have."""

    platform: RunningPlatform
    names: dict[str, str]


@pytest.fixture(scope="module")
def scene(platform: RunningPlatform) -> Scene:
    story = Story(platform)
    partner = story.join("A", terms(example("E1")["given"], yesterday(platform)))
    entry = story.award("A", 500)
    story.redeem("A", 40)
    window = platform.close_window().name.removeprefix("windows/")
    with as_owner(platform, "ledger") as owner:
        row = owner.execute(
            "SELECT wallet_id FROM ledger.entries WHERE bucket = %s AND seq = %s", (entry.bucket, entry.seq)
        ).fetchone()
    assert row is not None
    return Scene(
        platform,
        {
            "bucket": str(entry.bucket),
            "seq": str(entry.seq),
            "wallet": str(row[0]),
            "partner": partner.id,
            "window": window,
        },
    )


@contextmanager
def as_owner(platform: RunningPlatform, service: str) -> Iterator[psycopg.Connection]:
    """A connection of the role that owns a service's tables."""
    server = server_of(platform.home, keys_of(platform.home).administrator)
    with psycopg.connect(
        host=server.host,
        port=server.port,
        dbname=f"coalition_{service}",
        user=f"{service}_owner",
        password=read_password(password_file(platform.home, service, "owner")),
        autocommit=True,
    ) as connection:
        yield connection


@contextmanager
def tampered(scene: Scene, change: Change) -> Iterator[None]:
    """The row is changed while the block runs, and as it was afterwards."""
    table, column = sql.SQL(change.table), sql.SQL(change.column)
    where, new = sql.SQL(change.where), sql.SQL(change.to)
    with as_owner(scene.platform, change.service) as owner:
        read = sql.SQL("SELECT {} FROM {} WHERE {}").format(column, table, where)
        [[before]] = owner.execute(read, scene.names).fetchall()
        write = sql.SQL("UPDATE {} SET {} = {} WHERE {}")
        assert owner.execute(write.format(table, column, new, where), scene.names).rowcount == 1
        try:
            yield
        finally:
            owner.execute(write.format(table, column, sql.SQL("%(before)s"), where), {**scene.names, "before": before})
            thaw(scene.platform)


def thaw(platform: RunningPlatform) -> None:
    """The ledger's own check may have come by in the meantime; what it looks at right now it may still freeze."""
    time.sleep(CHECKED_SECONDS)
    ledger = platform.operator.ledger
    for freeze in ledger.ListFreezes(pb.ListFreezesRequest(), timeout=20).freezes:
        ledger.ThawBucket(pb.ThawBucketRequest(bucket=freeze.bucket), timeout=60)


_ENTRY = "bucket = %(bucket)s AND seq = %(seq)s"
CHANGES = {
    "one byte of an entry's hash": Change(
        "ledger", "ledger.entries", "hash", _ENTRY, "set_byte(hash, 7, get_byte(hash, 7) # 1)", "entry {bucket}-{seq}:"
    ),
    "the points of an entry": Change(
        "ledger", "ledger.entries", "points", _ENTRY, "points + 1", "entry {bucket}-{seq}:"
    ),
    "the issuer of a posting": Change(
        "ledger", "ledger.postings", "issuer", f"{_ENTRY} AND line = 0", "issuer || 's'", "entry {bucket}-{seq}:"
    ),
    "a wallet's balance": Change(
        "ledger",
        "ledger.wallets",
        "available",
        "bucket = %(bucket)s AND wallet_id = %(wallet)s",
        "available + 1",
        "wallet {bucket}/{wallet}:",
    ),
    "a lot": Change(
        "ledger", "ledger.lots", "available", f"{_ENTRY} AND line = 0", "available - 1", "lot {bucket}-{seq}.0:"
    ),
    "one byte of a statement": Change(
        "settlement",
        "settlement.statements",
        "document",
        "window_number = %(window)s AND partner = %(partner)s",
        "set_byte(document, 99, get_byte(document, 99) # 1)",
        "statement partners/{partner}/statements/{window}:",
    ),
}


def verdict(scene: Scene) -> tuple[int, str]:
    """What `coalition verify` says, as a command of its own."""
    command = [sys.executable, "-m", "services.cli.main", "verify", "--home", str(scene.platform.home.root)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_by_hand_is_found_and_named(scene: Scene, change: Change) -> None:
    with tampered(scene, change):
        code, said = verdict(scene)
    assert (code, said.startswith(f"DIFFERENT: {change.named.format(**scene.names)}")) == (1, True), said
    code, said = verdict(scene)
    assert (code, said.startswith("verified: ")) == (0, True), said
