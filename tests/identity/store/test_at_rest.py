"""What the database holds: nothing that names a person, nothing the application could delete, what the tables say."""

from __future__ import annotations

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from coalition.identity.v1 import identity_pb2 as pb
from psycopg import sql
from sqlalchemy import NullPool, create_engine

from services.identity.store.tables import METADATA
from shared.db.engine import database_url, make_engine, make_single_engine
from shared.db.migrate import at_head, downgrade, upgrade
from tests.identity.house import House, card, number, wish_of
from tests.support.databases import Databases

TABLES = sorted(table.name for table in METADATA.tables.values())


def everything(admin: psycopg.Connection) -> str:
    """All columns of all tables as text; bytes in hexadecimal, and once more as whatever text they spell."""
    rows: list[str] = []
    for table in TABLES:
        found = admin.execute(sql.SQL("SELECT t.* FROM identity.{} t").format(sql.Identifier(table)))
        for row in found:
            rows += [f"{cell.hex()} {cell.decode('latin-1')}" if isinstance(cell, bytes) else str(cell) for cell in row]
    return "\n".join(rows)


def test_no_table_holds_personal_data_or_a_secret_in_plain(house: House) -> None:
    phone = pb.Identifier(type=pb.IDENTIFIER_TYPE_PHONE, value="+15557654321")
    email = pb.Identifier(type=pb.IDENTIFIER_TYPE_EMAIL, value="zaphod@heart-of-gold.example")
    shown = card("SECRETCARD4711")
    member = house.enrol(wish_of(phone, email, shown, name="Zaphod Beeblebrox"))
    desk, partner = house.operator, house.partner()
    partner.resolve(number(member), house.code(member))
    added = card("ANOTHERCARD0815")
    desk(desk.members.AddIdentifier, pb.AddIdentifierRequest(name=member.name, identifier=added))
    desk(desk.members.BlockMember, pb.BlockMemberRequest(name=member.name, reason="Zaphod stole a ship"))
    with house.as_administrator() as admin:
        kept = everything(admin).lower()
    seed = pb.Member.FromString(member.SerializeToString()).code_seed
    for value in (
        "beeblebrox", "zaphod", "15557654321", "heart-of-gold", "secretcard", "anothercard", "stole a ship",
        member.member_number, seed, partner.credential.secret,
    ):  # fmt: skip
        assert value.lower() not in kept
        assert value.lower().encode().hex() not in kept
        assert value.encode().hex() not in kept
    assert member.name.removeprefix("members/") in kept


def test_deleting_the_key_row_makes_a_member_unreadable(house: House) -> None:
    member = house.enrol()
    with house.as_administrator() as admin:
        member_id = member.name.removeprefix("members/")
        admin.execute("DELETE FROM identity.member_keys WHERE member_id = %s", [member_id])
    with pytest.raises(Exception, match="There is no such member"):
        house.operator(house.operator.members.GetMember, pb.GetMemberRequest(name=member.name))


UPDATES = {
    "credentials": {"revoked_at"},
    "members": {"state", "segments", "updated_at"},
    "codes": {"last_step"},
}


@pytest.mark.parametrize("table", TABLES)
def test_the_application_deletes_nothing_and_changes_only_what_it_must(house: House, table: str) -> None:
    engine = make_engine(house.settings, "app", pool_size=1)
    connection = engine.raw_connection()
    try:
        forbidden = [f"DELETE FROM identity.{table}", f"TRUNCATE identity.{table}"]
        columns = {column.name for column in METADATA.tables[f"identity.{table}"].columns}
        forbidden += [f"UPDATE identity.{table} SET {column} = NULL" for column in columns - UPDATES.get(table, set())]
        for statement in forbidden:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.cursor().execute(statement)
            connection.rollback()
    finally:
        connection.close()
        engine.dispose()


def test_the_reader_sees_no_key_no_seal_and_no_hash(house: House) -> None:
    with house.as_administrator() as admin:
        granted = admin.execute(
            "SELECT table_name || '.' || column_name FROM information_schema.column_privileges"
            " WHERE grantee = 'identity_ro' AND table_schema = 'identity' AND table_name <> 'alembic_version'"
        ).fetchall()
    seen = {name for (name,) in granted}
    assert "members.state" in seen
    assert not {name for name in seen if "hash" in name or "sealed" in name or "key" in name or "lookup" in name}
    assert not {name for name in seen if "wallet" in name}


def test_the_tables_are_those_of_the_migrations(house: House) -> None:
    elsewhere = {"options": "-c search_path=public"}  # or the schema's name would not be reflected
    engine = create_engine(database_url(house.settings, "owner"), poolclass=NullPool, connect_args=elsewhere)
    with engine.connect() as connection:
        options = {
            "include_schemas": True,
            "compare_type": True,
            "include_name": lambda name, kind, _: kind != "schema" or name == "identity",
            "include_object": lambda _o, name, kind, *_: (
                not (name == "alembic_version" or (kind == "index" and name == "identifiers_one_number"))
            ),
        }
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), METADATA)
    assert differences == []


def test_the_migration_goes_down_and_up_again(databases: Databases) -> None:
    settings = databases.service_settings(databases.empty("identity"))
    engine = make_single_engine(settings, "owner")
    upgrade("services.identity", settings)
    assert at_head("services.identity", engine)
    downgrade("services.identity", settings, "base")
    assert not at_head("services.identity", engine)
    upgrade("services.identity", settings)
    assert at_head("services.identity", engine)
