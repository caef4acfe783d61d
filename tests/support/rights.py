"""What a database role may do with a table: each verb is tried, on no row at all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

import psycopg
from psycopg import sql

from shared.credentials.files import read_password

Role = Literal["app", "ro"]

SELECT, INSERT, UPDATE, DELETE, TRUNCATE = VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE")

READ_AND_ADD: Final = frozenset({SELECT, INSERT})
READ_ADD_CHANGE: Final = READ_AND_ADD | {UPDATE}
READ_ADD_REMOVE: Final = READ_AND_ADD | {DELETE}

_STATEMENTS: Final = {
    SELECT: "SELECT 1 FROM {table} WHERE false",
    INSERT: "INSERT INTO {table} DEFAULT VALUES",
    UPDATE: "UPDATE {table} SET {column} = {column} WHERE false",
    DELETE: "DELETE FROM {table} WHERE false",
    TRUNCATE: "TRUNCATE {table}",
}
_SETTINGS: Final[dict[Role, tuple[str, str]]] = {
    "app": ("database_user", "database_password_file"),
    "ro": ("reader_user", "reader_password_file"),
}


def connected(settings: Mapping[str, object], role: Role) -> psycopg.Connection:
    """A connection to a service's database as one of its roles; each statement counts by itself."""
    user, file = _SETTINGS[role]
    return psycopg.connect(
        host=str(settings["database_host"]),
        port=int(str(settings["database_port"])),
        dbname=str(settings["database_name"]),
        user=str(settings[user]),
        password=read_password(Path(str(settings[file]))),
        autocommit=True,
    )


def permitted(connection: psycopg.Connection, verb: str, schema: str, table: str) -> bool:
    """Whether the connected role may do it."""
    (column,) = connection.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND attidentity = ''"
        " AND attgenerated = '' AND NOT attisdropped ORDER BY attnum LIMIT 1",
        [f"{schema}.{table}"],
    ).fetchone() or ("",)
    statement = sql.SQL(_STATEMENTS[verb]).format(table=sql.Identifier(schema, table), column=sql.Identifier(column))
    try:
        connection.execute(statement)
    except psycopg.errors.InsufficientPrivilege:  # 42501
        return False
    except psycopg.errors.IntegrityError:  # every row has columns without a default
        return True
    return True


def rights(connection: psycopg.Connection, schema: str, table: str) -> set[str]:
    """All verbs that the connected role may do."""
    return {verb for verb in VERBS if permitted(connection, verb, schema, table)}
