"""A database and three roles per service: the owner migrates, the application serves, the reader reads.

Run as an administrator, as often as you like: it brings what is there to what should be there. What each role may do
with each table is part of the service's migrations.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from shared.credentials.files import read_password

_SERVICE = re.compile(r"[a-z][a-z0-9_]{0,30}")
_LOCK = 0x636F616C6974  # "coalit": roles belong to the whole cluster, so only one at a time may create them


@dataclass(frozen=True, slots=True)
class RolePasswords:
    """The secret files that hold the three passwords; a reader is optional."""

    owner: Path
    app: Path
    reader: Path | None = None


def ensure_database(admin_url: str, service: str, passwords: RolePasswords, *, database: str | None = None) -> str:
    """Create or repair the database of a service and its roles; answers with the database's name.

    `admin_url` is a libpq URL of a role that may create databases and roles. `database` is for tests, which want many.
    """
    if not _SERVICE.fullmatch(service):
        raise ValueError(f"{service!r} cannot name a schema")
    name = database or f"coalition_{service}"
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        _ensure_role(admin, f"{service}_owner", passwords.owner)
        _ensure_role(admin, f"{service}_app", passwords.app)
        if passwords.reader:
            _ensure_role(admin, f"{service}_ro", passwords.reader)
        _ensure_member(admin, f"{service}_owner")
        _ensure_database(admin, name)
        roles = [f"{service}_owner", f"{service}_app", *([f"{service}_ro"] if passwords.reader else [])]
        _open_to(admin, name, roles)
        with psycopg.connect(admin_url, dbname=name, autocommit=True) as inside:
            _ensure_schema(inside, service, name, roles)
    return name


def _ensure_role(admin: psycopg.Connection, role: str, password_file: Path) -> None:
    """A role that can log in and nothing else. The server gets a SCRAM verifier, never the password itself."""
    password = read_password(password_file)
    verifier = admin.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    known = admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    command = "ALTER ROLE {} WITH {} PASSWORD {}" if known else "CREATE ROLE {} WITH {} PASSWORD {}"
    can = sql.SQL("LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS")
    if not _is_superuser(admin):
        can = sql.SQL("LOGIN NOCREATEDB NOCREATEROLE")  # a managed database lets only a superuser say the rest
    admin.execute(sql.SQL(command).format(sql.Identifier(role), can, sql.Literal(verifier)))


def _ensure_member(admin: psycopg.Connection, owner: str) -> None:
    """Whoever is no superuser must be able to become the owner, to give it a schema."""
    if not _is_superuser(admin):
        admin.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(owner)))


def _is_superuser(admin: psycopg.Connection) -> bool:
    return admin.info.parameter_status("is_superuser") == "on"


def _ensure_database(admin: psycopg.Connection, name: str) -> None:
    if not admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
        command = "CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'"
        admin.execute(sql.SQL(command).format(sql.Identifier(name)))


def _open_to(admin: psycopg.Connection, name: str, roles: list[str]) -> None:
    database = sql.Identifier(name)
    admin.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
    for role in roles:
        admin.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, sql.Identifier(role)))
    # The owner alone: what it rebuilds to compare goes into a schema of its own.
    admin.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(database, sql.Identifier(roles[0])))


def _ensure_schema(inside: psycopg.Connection, service: str, name: str, roles: list[str]) -> None:
    schema, owner = sql.Identifier(service), sql.Identifier(roles[0])
    inside.execute(sql.SQL("REVOKE ALL ON SCHEMA public FROM PUBLIC"))
    inside.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {} AUTHORIZATION {}").format(schema, owner))
    for role in map(sql.Identifier, roles):
        inside.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(schema, role))
        command = sql.SQL("ALTER ROLE {} IN DATABASE {} SET search_path = {}")
        inside.execute(command.format(role, sql.Identifier(name), schema))
