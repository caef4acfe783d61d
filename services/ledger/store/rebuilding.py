"""The projections, built again from the entries alone into a schema of their own, and compared with those in use.

One transaction for each bucket: it reads the bucket, writes its rows, compares them with the tables as they were at
the same moment and notes that it is done. So it can be stopped at any time and gone on with later.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Final

import psycopg
from psycopg import sql
from sqlalchemy import Engine

from services.ledger.domain.refusals.rebuilding import NoSuchRebuild
from services.ledger.store.rows import Row
from services.ledger.store.session import reading, writing
from services.ledger.store.verifier.bucket import naming_corrupt_entries
from services.ledger.store.verifier.look import settle
from services.ledger.store.verifier.wallets import FIRST, LAST, Facts, Folded, expected, folded
from shared.instants import instant
from shared.verifying import Difference, Differs, Progress

_NAME: Final = re.compile(r"ledger_replay_[0-9a-z_]{1,40}")
_ROWS_AT_ONCE: Final = 5_000
_EVERY: Final = 5_000
_SHOWN: Final = 300


@dataclass(frozen=True, slots=True)
class Table:
    """A projection: its columns as the journal gives them behind the bucket, and which of them are instants."""

    name: str
    key: str
    facts: str
    instants: frozenset[str] = frozenset()

    @property
    def columns(self) -> list[str]:
        return ["bucket", *self.key.split(), *self.facts.split()]

    def row(self, bucket: int, key: object, facts: Facts) -> list[object]:
        """A row in the order of the columns."""
        values = [bucket, *(key if isinstance(key, tuple) else (key,)), *facts]
        return [
            instant(value) if column in self.instants and isinstance(value, int) else value
            for column, value in zip(self.columns, values, strict=True)
        ]


TABLES: Final = {
    "wallet": Table(
        "wallets",
        "wallet_id unit",
        "available pending held debt active_at idle_days merged_bucket merged_wallet aliases",
        frozenset({"active_at"}),
    ),
    "lot": Table(
        "lots",
        "seq line",
        "wallet_id unit issuer earned_at expires_on awarded available pending held undone owed available_from idle_days"
        " campaign origin_bucket origin_seq origin_line",
        frozenset({"earned_at", "available_from"}),
    ),
    "hold": Table(
        "holds",
        "seq",
        "wallet_id partner points captured released state expires_at",
        frozenset({"expires_at"}),
    ),
    "redemption": Table("redemptions", "seq", "wallet_id partner points refunded"),
    "request": Table("requests", "seq", "wallet_id request_id request_hash"),
    "alias": Table("aliases", "from_bucket from_wallet", "wallet_id"),
}
"""By the subject of a difference, as the verifier calls them."""


@dataclass(slots=True)
class Rebuilt:
    """What a run over the buckets has done: entries, rows by table, and how many of them differ."""

    entries: int = 0
    rows: dict[str, int] = field(default_factory=lambda: {table.name: 0 for table in TABLES.values()})


class Rebuild:
    """One rebuild in one schema. `engine` connects as the owner."""

    def __init__(self, engine: Engine, schema: str) -> None:
        if not _NAME.fullmatch(schema):
            raise ValueError(f"{schema!r} is no name for a rebuild")
        self.schema = schema
        self._engine = engine

    def begin(self) -> None:
        """Make the schema and its tables; they have the columns and the rules of those in use."""
        with writing(self._engine) as cursor:
            cursor.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(self.schema)))
            for table in TABLES.values():
                like = sql.SQL("CREATE UNLOGGED TABLE {} (LIKE {} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
                cursor.execute(like.format(self._at(table.name), sql.Identifier("ledger", table.name)))
                cursor.execute(sql.SQL("CREATE INDEX ON {} (bucket)").format(self._at(table.name)))
            done = sql.SQL("CREATE UNLOGGED TABLE {} (bucket int PRIMARY KEY, entries bigint NOT NULL)")
            cursor.execute(done.format(self._at("done")))

    def drop(self) -> None:
        """Take everything away again."""
        with writing(self._engine) as cursor:
            cursor.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(self.schema)))

    def run(self) -> Generator[Progress | Difference | Rebuilt]:
        """Every bucket that is not done yet. Raises NoSuchRebuild. All differences are told, a few of each table."""
        heads, done = self._heads(), self._done()
        total, rebuilt = sum(heads.values()), Rebuilt(entries=sum(done.values()))
        for bucket in sorted(heads.keys() - done.keys()):
            try:
                with writing(self._engine) as cursor, naming_corrupt_entries():
                    yield from self._bucket(cursor, bucket, rebuilt, total)
            except Differs as differs:
                yield differs.difference
        yield Progress(rebuilt.entries, total)
        yield rebuilt

    def _bucket(
        self, cursor: psycopg.Cursor[Row], bucket: int, rebuilt: Rebuilt, total: int
    ) -> Iterator[Progress | Difference]:
        settle(cursor)
        waiting: dict[str, list[list[object]]] = {subject: [] for subject in TABLES}
        entries, told = 0, 0
        for one, count in folded(cursor, bucket, FIRST, LAST):
            entries += count
            self._add(cursor, bucket, one, waiting, rebuilt)
            if entries - told >= _EVERY:
                told = entries
                yield Progress(rebuilt.entries + entries, total)
        for subject, rows in waiting.items():
            self._copy(cursor, TABLES[subject], rows)
        for subject, table in TABLES.items():
            yield from self._differences(cursor, subject, table, bucket)
        cursor.execute(sql.SQL("INSERT INTO {} VALUES (%s, %s)").format(self._at("done")), [bucket, entries])
        rebuilt.entries += entries
        yield Progress(rebuilt.entries, total)

    def _add(
        self,
        cursor: psycopg.Cursor[Row],
        bucket: int,
        one: Folded,
        waiting: dict[str, list[list[object]]],
        rebuilt: Rebuilt,
    ) -> None:
        for subject, facts in expected(one).items():
            table, rows = TABLES[subject], waiting[subject]
            rows += [table.row(bucket, key, fact) for key, fact in facts.items()]
            rebuilt.rows[table.name] += len(facts)
            if len(rows) >= _ROWS_AT_ONCE:
                self._copy(cursor, table, rows)
                rows.clear()

    def _copy(self, cursor: psycopg.Cursor[Row], table: Table, rows: list[list[object]]) -> None:
        columns = sql.SQL(", ").join(map(sql.Identifier, table.columns))
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(self._at(table.name), columns)
        with cursor.connection.cursor() as into, into.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)

    def _differences(
        self, cursor: psycopg.Cursor[Row], subject: str, table: Table, bucket: int
    ) -> Iterator[Difference]:
        """Both ways: what the journal gives and the table has not, what the table has and the journal does not give."""
        columns = sql.SQL(", ").join(map(sql.Identifier, table.columns))
        rebuilt = sql.SQL("SELECT {} FROM {} WHERE bucket = %s").format(columns, self._at(table.name))
        in_use = sql.SQL("SELECT {} FROM {} WHERE bucket = %s").format(columns, sql.Identifier("ledger", table.name))
        both = sql.SQL("SELECT d::text, count(*) OVER () FROM ({} EXCEPT ALL {}) AS d ORDER BY 1 LIMIT 1")
        for told, one, other in (
            ("the journal gives {}, the table does not hold it", rebuilt, in_use),
            ("the table holds {}, the journal does not give it", in_use, rebuilt),
        ):
            row = cursor.execute(both.format(one, other), [bucket, bucket]).fetchone()
            if row is not None:
                more = f" ({row[1]} such rows in bucket {bucket})" if row[1] > 1 else ""
                yield Difference(subject, str(bucket), told.format(row[0][:_SHOWN]) + more)

    def _heads(self) -> dict[int, int]:
        with reading(self._engine) as cursor:
            return {int(bucket): int(seq) for bucket, seq in cursor.execute("SELECT bucket, seq FROM ledger.heads")}

    def _done(self) -> dict[int, int]:
        with reading(self._engine) as cursor:
            if cursor.execute("SELECT to_regclass(%s)", [f"{self.schema}.done"]).fetchone() in (None, (None,)):
                raise NoSuchRebuild(schema=self.schema)
            rows = cursor.execute(sql.SQL("SELECT bucket, entries FROM {}").format(self._at("done")))
            return {int(bucket): int(entries) for bucket, entries in rows}

    def _at(self, table: str) -> sql.Identifier:
        return sql.Identifier(self.schema, table)
