"""The verifier finds one changed value wherever it is, and names it.

An office with two closed windows, an open one and something in suspense; then the superuser, whom no grant binds,
changes one value in one column of one row, verifies, and puts it back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from psycopg import sql

from services.settlement.domain.contract import VersionId
from services.settlement.domain.documents import Signer
from services.settlement.domain.journal import FeedEntry
from services.settlement.domain.obligations import Leg, RollupKey
from services.settlement.domain.terms import CampaignRate
from services.settlement.store import own_journal
from services.settlement.store.verifier import Summary, Verifier
from shared.instants import instant
from shared.money import Rate
from shared.verifying import Difference, Progress
from tests.settlement.paper import Journal, day, terms
from tests.settlement.reckoning import SIGNER, STATEMENT_KEY
from tests.settlement.store.office import PATIENCE, Office
from tests.support.databases import Databases
from tests.support.tampering import nearly, put_instead

KEYS = {
    "contract_versions": ("partner", "number"),
    "windows": ("number",),
    "buckets": ("bucket",),
    "obligations": ("bucket", "seq", "line"),
    "rollups_by_worker": (
        "window_number",
        "worker",
        "leg",
        "partner",
        "counterparty",
        "version",
        "rate_class",
        "month",
        "subject",
    ),
    "window_counts": ("window_number", "bucket"),
    "suspense": ("bucket", "seq"),
    "lines": (
        "window_number",
        "partner",
        "leg",
        "currency",
        "rate",
        "rounding",
        "counterparty",
        "tax",
        "subject",
        "fees",
    ),
    "nets": ("window_number", "partner", "currency"),
    "statements": ("window_number", "partner"),
    "own_entries": ("seq",),
    "seals": ("window_number",),
}
SUBJECTS = {
    "contract_versions": {"contract"},
    "windows": {"window", "seal"},
    "buckets": {"entry"},
    "obligations": {"entry"},
    "rollups_by_worker": {"rollup"},
    "window_counts": {"window"},
    "suspense": {"entry"},
    "lines": {"line"},
    "nets": {"net"},
    "statements": {"statement"},
    "own_entries": {"entry"},
    "seals": {"seal"},
}
NO_PART_OF_THE_BOOKS = {
    ("contract_versions", "request_id"),
    ("contract_versions", "request_hash"),
    ("contract_versions", "created_at"),
    ("windows", "close_request_id"),
    ("windows", "closed_at"),
    ("windows", "asked_by"),
    ("windows", "name"),
    ("windows", "etag"),
    ("windows", "currency_edition"),
    ("rollups_by_worker", "worker"),
    ("lines", "entries_root"),
    ("buckets", "stopped_because"),
    ("suspense", "reason"),
    ("suspense", "detail"),
    ("statements", "created_at"),
}
"""Who asked, when and which worker counted, what was said to people: nothing that the journal could give again. The
roots that the first release kept beside its lines stand in the statements now."""

COLUMNS = {
    "contract_versions": (
        "partner number effective_from timing rate_at_issuance reimbursement_rate currency rounding sha256 request_id"
        " request_hash created_at ordinal effective_until terms proposal"
    ),
    "windows": (
        "number state opened_at close_request_id from_checkpoint to_checkpoint from_seqs to_seqs to_hashes to_root"
        " to_created_at to_signature to_key_id to_tree_root to_tree_signature closed_at statements_root versions_known"
        " currency_edition name etag asked_by own_from own_to"
    ),
    "buckets": "bucket seq hash stopped_because",
    "obligations": (
        "bucket seq line leg partner counterparty version rate_class month lot points original window_number late"
        " occurred_at entry_hash"
    ),
    "rollups_by_worker": (
        "window_number worker leg partner counterparty version rate_class month subject points items late_items"
        " latest_at"
    ),
    "window_counts": "window_number bucket entries late_entries points",
    "suspense": "bucket seq window_number reason detail late entry_hash canonical waived",
    "own_entries": "seq window_number subject canonical prev hash at",
    "seals": "window_number document sha256",
    "lines": (
        "window_number partner leg currency rate rounding points items late_items points_before booked_minor"
        " entries_root counterparty tax subject fees tax_minor"
    ),
    "nets": "window_number partner currency billed_minor reimbursed_minor net_minor fees_minor tax_minor",
    "statements": "window_number partner document sha256 currency net_minor created_at",
}
PLACES = [(table, column) for table, columns in COLUMNS.items() for column in columns.split()]


@pytest.fixture(scope="module")
def sealed(databases: Databases) -> Iterator[Office]:
    """Sound, and without the constraints that would keep a superuser from the worst."""
    office = Office(databases)
    _fill(office)
    with office.tampering() as connection:
        for table, name in connection.execute(
            "SELECT conrelid::regclass::text, conname FROM pg_constraint"
            " WHERE connamespace = 'settlement'::regnamespace AND contype = 'c'"
        ).fetchall():
            statement = sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}")
            connection.execute(statement.format(sql.Identifier(*table.split(".")), sql.Identifier(name)))
        connection.execute("DROP INDEX settlement.windows_only_one_open, settlement.windows_only_one_closing")
    office.check()
    yield office
    office.leave()


def _fill(office: Office) -> None:
    office.publish("acorn", terms(since=day(-1)))
    spring = CampaignRate("spring", Rate.of("0.005"))
    office.publish("birch", terms("0.02", "0.01", since=day(-1), campaign_rates=(spring,)))
    office.publish("acorn", terms("0.013", since=day(2)))
    paper = office.paper
    award = paper.award(1234)
    paper.redeem(57, "birch", bucket=1)
    with office.sessions.writing(PATIENCE) as connection:
        corrected = RollupKey(Leg.ISSUANCE, "acorn", "operator", VersionId("acorn", 1))
        own_journal.append(connection, "adjustments/1", corrected, -7, instant(day(1)))
    office.closed(day(1))
    paper.reverse(award, 34, at=day(1.5))
    paper.award(125, at=day(2.5))
    paper.redeem(250, "birch", bucket=1, at=day(0.5))
    office.closed(day(3))
    lines = [("ISSUED:birch", "AVAILABLE", 77, "3.0")]
    paper.write("AWARD", lines, bucket=1, at=day(3.5), campaign="spring")
    paper.award(9, "stranger", bucket=1, at=day(1))
    office.take_in()
    office.waive(3)


def test_sound_books_agree_and_say_how_much_was_looked_at(sealed: Office) -> None:
    events = list(Verifier(sealed.sessions, SIGNER, sealed.paper.after, sealed.paper.check).run())
    assert events[-1] == Summary(entries=7, windows=2, statements=4)
    assert [event.entries for event in events if isinstance(event, Progress)] == sorted(
        event.entries for event in events if isinstance(event, Progress)
    )
    assert {event.total for event in events if isinstance(event, Progress)} == {7}


def test_no_column_is_left_out(sealed: Office) -> None:
    rows = sealed.rows(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'settlement'"
    )
    assert {row for row in rows if row[0] in COLUMNS} == set(PLACES)


@pytest.mark.parametrize(("table", "column"), [place for place in PLACES if place not in NO_PART_OF_THE_BOOKS])
def test_a_changed_value_is_found_and_named(sealed: Office, table: str, column: str) -> None:
    with _tampered(sealed, table, column) as key:
        found = sealed.verified()
    assert isinstance(found, Difference), f"nobody noticed: {table} {key}"
    if column not in (*KEYS[table], "ordinal"):
        assert found.subject in SUBJECTS[table], found
        assert found.name.startswith(_name(table, key)), found
    sealed.check()


@pytest.mark.parametrize("table", KEYS)
@pytest.mark.parametrize("which", ["first", "last"])
def test_a_row_that_was_taken_away_is_missed(sealed: Office, table: str, which: str) -> None:
    keys = sql.SQL(", ").join(map(sql.Identifier, KEYS[table]))
    direction = sql.SQL("DESC" if which == "last" else "ASC")
    ordered = sql.SQL(", ").join(sql.SQL("{} {}").format(sql.Identifier(key), direction) for key in KEYS[table])
    name = sql.Identifier("settlement", table)
    with sealed.tampering() as connection:
        connection.execute(
            sql.SQL("CREATE TEMP TABLE kept AS SELECT * FROM {} ORDER BY {} LIMIT 1").format(name, ordered)
        )
        remove = sql.SQL("DELETE FROM {} WHERE ({}) = (SELECT {} FROM kept)").format(name, keys, keys)
        assert connection.execute(remove).rowcount == 1
        try:
            found = sealed.verified()
        finally:
            columns = _columns(table)
            connection.execute(sql.SQL("INSERT INTO {} ({}) SELECT {} FROM kept").format(name, columns, columns))
    assert isinstance(found, Difference), f"nobody missed the {which} row of {table}"
    sealed.check()


INVENTED = {
    "contract_versions": "number = number + 7, ordinal = ordinal + 7, effective_from = effective_from + '9 years'"
    ", request_id = gen_random_uuid(), proposal = NULL, effective_until = NULL",
    "windows": "number = number + 7, close_request_id = NULL, to_checkpoint = NULL",
    "buckets": "bucket = bucket + 9",
    "obligations": "line = line + 7",
    "obligations of no bucket": "bucket = bucket + 9",
    "obligations of no entry": "seq = seq + 1000",
    "rollups_by_worker": "partner = 'zebra'",
    "rollups_by_worker of no window": "window_number = 99",
    "own_entries": "seq = seq + 7",
    "seals": "window_number = 99",
    "window_counts": "bucket = bucket + 9",
    "suspense": "seq = seq + 1000",
    "suspense of no bucket": "bucket = bucket + 9",
    "lines": "partner = 'zebra'",
    "lines of no window": "window_number = 99",
    "nets": "partner = 'zebra'",
    "nets of no window": "window_number = 99",
    "statements": "partner = 'zebra'",
    "statements of no window": "window_number = 99",
}


@pytest.mark.parametrize("what", INVENTED)
def test_a_row_that_was_invented_stands_out(sealed: Office, what: str) -> None:
    table = sql.Identifier("settlement", what.split()[0])
    with sealed.tampering() as connection:
        connection.execute(
            sql.SQL("CREATE TEMP TABLE invented AS SELECT * FROM {} ORDER BY 1, 2 LIMIT 1").format(table)
        )
        connection.execute(sql.SQL("UPDATE invented SET {}").format(sql.SQL(INVENTED[what])))
        columns = _columns(what.split()[0])
        connection.execute(sql.SQL("INSERT INTO {} ({}) SELECT {} FROM invented").format(table, columns, columns))
        try:
            found = sealed.verified()
        finally:
            key = sql.SQL(", ").join(map(sql.Identifier, KEYS[what.split()[0]]))
            removed = sql.SQL("DELETE FROM {} WHERE ({}) IN (SELECT {} FROM invented)").format(table, key, key)
            assert connection.execute(removed).rowcount == 1
    assert isinstance(found, Difference), f"nobody noticed: {what}"
    sealed.check()


def test_one_changed_byte_anywhere_in_a_statement_is_found(sealed: Office) -> None:
    (length,) = sealed.rows(
        "SELECT length(document) FROM settlement.statements WHERE partner = 'acorn' AND window_number = 1"
    )[0]
    assert isinstance(length, int)
    flip = (
        "UPDATE settlement.statements SET document = set_byte(document, %s, get_byte(document, %s) # 1)"
        " WHERE partner = 'acorn' AND window_number = 1"
    )
    with sealed.tampering() as connection:
        for place in range(0, length, 97):
            connection.execute(flip, [place, place])
            found = sealed.verified()
            connection.execute(flip, [place, place])
            assert found == Difference(
                "statement", "partners/acorn/statements/1", "its bytes are not the ones that the journal gives"
            )


def test_a_journal_that_says_something_else_now_is_found_by_the_books(sealed: Office) -> None:
    other = Journal()
    other.buckets = [list(entries) for entries in sealed.paper.buckets]
    last = other.buckets[0][-1]
    other.buckets[0][-1] = FeedEntry(0, last.seq, last.hash, last.canonical.replace(b"125", b"126"))
    found = list(Verifier(sealed.sessions, SIGNER, other.after, other.check).run())[-1]
    assert isinstance(found, Difference)
    assert (found.subject, found.name) == ("entry", "0-1")


def test_a_journal_that_was_cut_is_found(sealed: Office) -> None:
    other = Journal()
    other.buckets = [sealed.paper.buckets[0][:-1], sealed.paper.buckets[1]]
    found = list(Verifier(sealed.sessions, SIGNER, other.after, other.check).run())[-1]
    assert found == Difference("entry", "0-3", "it was counted, and the ledger does not have it")


def test_checkpoints_of_a_stranger_are_found(sealed: Office) -> None:
    other = Journal()
    other.key = STATEMENT_KEY
    found = list(Verifier(sealed.sessions, SIGNER, sealed.paper.after, other.check).run())[-1]
    assert isinstance(found, Difference)
    assert (found.subject, found.name) == ("window", "windows/1")


def test_statements_signed_with_another_key_are_found(sealed: Office) -> None:
    other = Signer("other", sealed.paper.key.sign)
    found = list(Verifier(sealed.sessions, other, sealed.paper.after, sealed.paper.check).run())[-1]
    assert isinstance(found, Difference)
    assert (found.subject, found.name) == ("statement", "partners/acorn/statements/1")


def test_what_is_counted_meanwhile_is_left_for_the_next_time(databases: Databases) -> None:
    office = Office(databases)
    try:
        office.publish("acorn", terms(since=day(-1)))
        office.paper.award(5)
        office.paper.award(5, bucket=1)
        office.take_in()
        running = Verifier(office.sessions, SIGNER, office.paper.after, office.paper.check).run()
        next(running)
        office.paper.award(6)
        office.closed(day(3))
        assert list(running)[-1] == Summary(entries=2, windows=0, statements=0)
        assert office.check() == Summary(entries=3, windows=1, statements=1)
    finally:
        office.leave()


def test_an_office_where_nothing_happened_is_sound(databases: Databases) -> None:
    office = Office(databases)
    try:
        assert office.check() == Summary()
    finally:
        office.leave()


@contextmanager
def _tampered(office: Office, table: str, column: str) -> Iterator[tuple[Any, ...]]:
    """One value changed, then put back."""
    name, field = sql.Identifier("settlement", table), sql.Identifier(column)
    keys = sql.SQL(", ").join(map(sql.Identifier, KEYS[table]))
    with office.tampering() as connection:
        pick = sql.SQL("SELECT ctid::text, {}, {} FROM {} ORDER BY {} IS NULL, 3 DESC LIMIT 1")
        row = connection.execute(pick.format(field, keys, name, field)).fetchone()
        assert row is not None
        place, value, *key = row
        other = (
            value + 1000 if column in (*KEYS[table], "ordinal") and isinstance(value, int) else _other(value, column)
        )
        with put_instead(connection, name, column, place, value, other):
            yield tuple(key)


def _other(value: Any, column: str) -> Any:  # noqa: ANN401  # whatever the column holds
    """Nearly the same; another word where only some are known."""
    words = {
        "CUMULATIVE_HALF_EVEN": "CUMULATIVE_HALF_UP",
        "OPEN": "CLOSING",
        "ISSUANCE": "REIMBURSEMENT",
        "REIMBURSEMENT": "ISSUANCE",
        "EUR": "USD",
        "AT_ISSUANCE": "AT_REDEMPTION",
    }
    assert value is not None, f"{column} is empty everywhere"
    if value == []:
        return [1, 1]
    return words[value] if isinstance(value, str) and value in words else nearly(value)


def _columns(table: str) -> sql.Composed:
    """Those that a row can be given: a window's name follows from its number."""
    return sql.SQL(", ").join(sql.Identifier(one) for one in COLUMNS[table].split() if (table, one) != _GENERATED)


_GENERATED = ("windows", "name")


def _name(table: str, key: tuple[Any, ...]) -> str:
    """How the verifier names a row."""
    match table:
        case "contract_versions":
            return f"partners/{key[0]}/contract/versions/{key[1]}"
        case "own_entries":
            return "own "
        case "obligations" | "suspense":
            return f"{key[0]}-{key[1]}"
        case "buckets":
            return f"{key[0]}-"
        case "statements":
            return f"partners/{key[1]}/statements/{key[0]}"
        case _:
            return f"windows/{key[0]}"
