"""Every statement that the ledger sends, and every table that it makes, would run on a cluster sharded by bucket.

The rules are those of engineering.md 6. No cluster is needed: the statements are read, not run. So that a rule which
finds nothing is known to look at all, each has statements planted here that it must refuse.
"""

from __future__ import annotations

import ast

import pytest

from tests.architecture.sources import Source
from tests.architecture.sql import rules
from tests.architecture.sql.sending import put_together
from tests.architecture.sql.statements import Statement, migrated, names_of, ours, sent, unreadable
from tests.architecture.sql.whole import ACROSS, COLD_SETTINGS, WHOLE

HOT, COLD, MIGRATION = (
    "services/ledger/store/writer/statements.py",
    "services/ledger/store/readers.py",
    "services/ledger/migrations",
)


def broken(statement: Statement, rules_: list[rules.Rule]) -> list[str]:
    return [rule.__name__ for rule in rules_ if rule(statement)]


def findings(statement: Statement) -> list[str]:
    """The rules that a statement of the service breaks, but for what is written out in `whole.py`."""
    place, excused = (statement.where, statement.name), set()
    if place in WHOLE:
        excused.add("names_the_bucket")
    if place in ACROSS:
        excused.add("joins_on_the_bucket")
    if statement.where in COLD_SETTINGS:
        excused.add("no_session_settings")
    return [name for name in broken(statement, rules.SENT) if statement.hot or name not in excused]


def _id(statement: Statement) -> str:
    return f"{statement.where.removeprefix('services/ledger/')} {statement.name or statement.text.strip()[:40]}"


@pytest.mark.parametrize("statement", sent(), ids=_id)
def test_a_statement_of_the_service_obeys_every_rule(statement: Statement) -> None:
    assert findings(statement) == []


@pytest.mark.parametrize("number", range(len(migrated())))
def test_a_step_of_the_migrations_obeys_every_rule(number: int) -> None:
    statement = migrated()[number]
    assert broken(statement, rules.MADE) == [], statement.text


def test_no_statement_escapes_for_being_put_together_on_the_spot() -> None:
    assert put_together(ours()) == []
    assert unreadable() == []


def test_what_may_ask_every_bucket_is_there_and_is_never_part_of_a_posting() -> None:
    places = {(statement.where, statement.name): statement for statement in sent()}
    texts = {(source.path, name) for source in ours() for name in names_of(source)}
    assert [place for place in WHOLE if place not in places and place not in texts] == []
    assert [place for place in WHOLE if place in places and places[place].hot] == []
    assert WHOLE.keys() >= ACROSS


PLANTED: dict[str, list[str]] = {
    "names_the_bucket": [
        "SELECT points FROM ledger.entries WHERE seq = %s",
        "SELECT points FROM ledger.entries WHERE bucket > %s AND seq = %s",
        "SELECT points FROM ledger.entries e WHERE e.bucket = %s OR e.seq = %s",
        "UPDATE ledger.wallets SET available = 0 WHERE wallet_id = %s",
        "DELETE FROM ledger.holds WHERE seq = %s",
        "SELECT 1 FROM ledger.lots l WHERE l.bucket = l.seq",
        "SELECT 1 FROM unnest(%b) AS a (seq) JOIN ledger.lots l ON l.seq = a.seq",
        "SELECT (SELECT count(*) FROM ledger.lots) FROM ledger.heads WHERE bucket = %s",
        "WITH x AS (SELECT seq FROM ledger.entries WHERE kind = 1) SELECT * FROM x",
    ],
    "joins_on_the_bucket": [
        "SELECT 1 FROM ledger.entries e JOIN ledger.postings p ON p.seq = e.seq WHERE e.bucket = %s",
        "SELECT 1 FROM ledger.transfers t JOIN ledger.heads h ON h.bucket = t.to_bucket WHERE t.bucket = %s",
        "SELECT 1 FROM ledger.lots l WHERE l.bucket = %s AND EXISTS (SELECT 1 FROM ledger.heads h WHERE h.seq = l.seq)",
        "UPDATE ledger.lots l SET held = 0 FROM ledger.holds h WHERE h.seq = l.seq AND l.bucket = %s",
        "SELECT 1 FROM ledger.entries JOIN ledger.postings USING (seq)",
    ],
    "locks_one_bucket": [
        "SELECT seq FROM ledger.heads WHERE bucket = ANY(%b) ORDER BY bucket FOR UPDATE",
        "SELECT seq FROM ledger.heads WHERE bucket IN (%s, %s) FOR UPDATE",
        "SELECT seq FROM ledger.heads WHERE bucket BETWEEN %s AND %s FOR NO KEY UPDATE",
        "SELECT h.seq FROM unnest(%b) AS a (bucket) JOIN ledger.heads h ON h.bucket = a.bucket FOR UPDATE",
        "SELECT seq FROM ledger.heads FOR UPDATE SKIP LOCKED",
    ],
    "no_merge": [
        "MERGE INTO ledger.heads h USING (VALUES (1)) AS v (bucket) ON h.bucket = v.bucket WHEN MATCHED THEN DELETE",
    ],
    "no_grouping_sets": [
        "SELECT unit, sum(held) FROM ledger.lots WHERE bucket = %s GROUP BY ROLLUP (unit)",
        "SELECT unit, sum(held) FROM ledger.lots WHERE bucket = %s GROUP BY GROUPING SETS ((unit), ())",
    ],
    "no_recursion_across_buckets": [
        "WITH RECURSIVE r AS (SELECT seq FROM ledger.entries WHERE kind = 6 UNION ALL SELECT e.original"
        " FROM ledger.entries e JOIN r ON r.seq = e.seq) SELECT * FROM r",
    ],
    "no_volatile_functions": [
        "UPDATE ledger.leases SET expires_at = clock_timestamp() WHERE bucket = %s",
        "INSERT INTO ledger.requests (bucket, request_id) VALUES (%s, gen_random_uuid())",
        "INSERT INTO ledger.requests (bucket, request_id) VALUES (%s, uuidv7())",
        "SELECT nextval('ledger.seq')",
    ],
    "the_bucket_never_changes": [
        "UPDATE ledger.wallets SET bucket = %s WHERE bucket = %s",
        "INSERT INTO ledger.heads (bucket) VALUES (%s) ON CONFLICT (bucket) DO UPDATE SET bucket = EXCLUDED.bucket",
    ],
    "inserts_say_the_bucket": [
        "INSERT INTO ledger.lots VALUES (%s, %s)",
        "INSERT INTO ledger.lots (seq, line) VALUES (%s, %s)",
    ],
    "no_advisory_locks": ["SELECT pg_advisory_xact_lock(%s)", "SELECT pg_try_advisory_lock(1, 2)"],
    "no_listening": ["LISTEN entries", "NOTIFY entries", "SELECT pg_notify('entries', %s)"],
    "no_session_settings": [
        "SELECT set_config('lock_timeout', %s, true)",
        "SET search_path = ledger",
        "SET LOCAL lock_timeout = 1",
    ],
    "no_rows_of_functions_spread": ["SELECT (ledger.post(%s)).*"],
    "no_returning_of_old_and_new": [
        "UPDATE ledger.heads SET seq = seq + 1 WHERE bucket = %s RETURNING old.seq",
        "DELETE FROM ledger.freezes WHERE bucket = %s RETURNING new.bucket",
    ],
    "no_offset": ["SELECT seq FROM ledger.entries WHERE bucket = %s ORDER BY seq OFFSET 100"],
    "tables_begin_with_the_bucket": [
        "CREATE TABLE ledger.more (seq bigint, bucket int NOT NULL)",
        "CREATE TABLE ledger.more (bucket bigint NOT NULL)",
        "CREATE TABLE ledger.more (bucket int)",
    ],
    "keys_hold_the_bucket": [
        "CREATE TABLE ledger.more (bucket int NOT NULL, seq bigint PRIMARY KEY)",
        "CREATE TABLE ledger.more (bucket int NOT NULL, seq bigint, UNIQUE (seq))",
        "CREATE TABLE ledger.more (bucket int NOT NULL, seq bigint REFERENCES ledger.entries)",
        "ALTER TABLE ledger.lots ADD PRIMARY KEY (seq, line)",
        "ALTER TABLE ledger.lots ADD FOREIGN KEY (seq) REFERENCES ledger.entries (seq)",
        "CREATE UNIQUE INDEX lots_once ON ledger.lots (seq) WHERE available > 0",
    ],
    "no_references_from_small_tables": [
        "ALTER TABLE ledger.policies ADD FOREIGN KEY (bucket) REFERENCES ledger.heads (bucket)",
    ],
    "no_deferring": [
        "ALTER TABLE ledger.lots ADD UNIQUE (bucket, seq) DEFERRABLE INITIALLY DEFERRED",
        "SET CONSTRAINTS ALL DEFERRED",
    ],
    "no_triggers": [
        "CREATE TRIGGER t BEFORE UPDATE ON ledger.entries FOR EACH ROW EXECUTE FUNCTION ledger.f()",
        "CREATE RULE r AS ON UPDATE TO ledger.entries DO INSTEAD NOTHING",
    ],
    "no_identities": [
        "CREATE TABLE ledger.more (bucket int NOT NULL, id bigint GENERATED ALWAYS AS IDENTITY)",
        "CREATE TABLE ledger.more (bucket int NOT NULL, id bigserial)",
        "CREATE SEQUENCE ledger.numbers",
    ],
    "no_virtual_columns": [
        "CREATE TABLE ledger.more (bucket int NOT NULL, a int, b int GENERATED ALWAYS AS (a + 1) VIRTUAL)",
    ],
    "one_level_of_partitions": [
        "CREATE TABLE ledger.more (bucket int NOT NULL) PARTITION BY LIST (bucket)",
        "CREATE TABLE ledger.more PARTITION OF ledger.entries FOR VALUES FROM (1) TO (2) PARTITION BY RANGE (seq)",
        "ALTER TABLE ledger.entries DETACH PARTITION ledger.entries_2026_01 CONCURRENTLY",
    ],
    "grants_do_not_mix": ["GRANT SELECT ON ledger.entries, ledger.policies TO ledger_ro"],
    "drops_no_schema": ["DROP SCHEMA ledger CASCADE"],
}


@pytest.mark.parametrize(("rule", "text"), [(rule, text) for rule, texts in PLANTED.items() for text in texts])
def test_a_rule_refuses_what_is_planted_for_it(rule: str, text: str) -> None:
    of_the_service = Statement(HOT, text)
    made = Statement(MIGRATION, text)
    assert rule in broken(of_the_service, rules.SENT) or rule in broken(made, rules.MADE)


def test_every_rule_has_something_planted() -> None:
    assert {rule.__name__ for rule in [*rules.SENT, *rules.MADE]} == set(PLANTED)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT seq FROM ledger.heads WHERE bucket = %s FOR UPDATE",
        "SELECT partner FROM ledger.allowances WHERE partner = ANY(%b) FOR UPDATE",
        "SELECT 1 FROM unnest(%b, %b) AS a (bucket, seq) JOIN ledger.lots l ON l.bucket = a.bucket AND l.seq = a.seq",
        "UPDATE ledger.heads h SET seq = n.seq FROM unnest(%b, %b) AS n (bucket, seq) WHERE h.bucket = n.bucket",
        "SELECT 1 FROM ledger.entries e JOIN ledger.postings p USING (bucket, seq) WHERE e.bucket = %s",
        "SELECT 1 FROM ledger.lots l WHERE l.bucket = %s AND NOT EXISTS"
        " (SELECT FROM ledger.holds h WHERE h.bucket = l.bucket AND h.seq = l.seq)",
        "WITH x AS (SELECT bucket FROM ledger.heads WHERE bucket = %s) SELECT 1 FROM x JOIN ledger.lots l"
        " ON l.bucket = x.bucket",
        "(SELECT seq FROM ledger.lots WHERE bucket = %s) UNION ALL (SELECT seq FROM ledger.holds WHERE bucket = %s)",
        "INSERT INTO ledger.lots (bucket, seq) SELECT bucket, seq FROM unnest(%b, %b) AS n (bucket, seq)"
        " ON CONFLICT (bucket, seq) DO UPDATE SET held = EXCLUDED.held",
    ],
)
def test_what_runs_on_both_is_refused_by_no_rule(text: str) -> None:
    assert broken(Statement(HOT, text), rules.SENT) == []


@pytest.mark.parametrize(
    "text",
    [
        "def f(cursor, table): cursor.execute(f'SELECT 1 FROM {table}')",
        "def f(cursor, table): cursor.execute('SELECT 1 FROM ' + table)",
        "def f(cursor, table): cursor.execute('SELECT 1 FROM %s' % table)",
        "def f(cursor, table): cursor.execute(_SOME.format(table))",
        "def f(cursor, table):\n    statement = 'SELECT 1 FROM ' + table\n    cursor.execute(statement)",
        "def g(cursor, statement): cursor.execute(statement)\ndef f(cursor, table): g(cursor, 'SELECT ' + table)",
        "def g(cursor, statement): cursor.execute(statement)\ndef h(cursor, what): g(cursor, what)\n"
        "def f(cursor, table): h(cursor, f'SELECT {table}')",
        "def f(cursor, table): cursor.copy(f'COPY {table} FROM STDIN')",
    ],
)
def test_a_statement_that_is_put_together_is_seen(text: str) -> None:
    assert put_together([Source("planted.py", ast.parse(text))]) != []
