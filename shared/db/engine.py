"""Engines: how a service connects, as which role, and for how long a statement may run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.pool import NullPool

from shared.credentials.files import read_password
from shared.settings import ServiceSettings

Who = Literal["app", "owner", "ro"]

_CONNECT_SECONDS = 3
_OWNER_STATEMENT_SECONDS = 0  # a migration takes what it takes


def make_engine(
    settings: ServiceSettings, role: Who = "app", pool_size: int | None = None, idle_seconds: int = 60
) -> Engine:
    """An engine over psycopg for one of the service's roles.

    Connections are tried before use, so that a restart of the database costs nobody an error, and live half an hour
    at most, so that a rotated password or a moved database is taken up. The time zone is UTC; text stays with us. A
    transaction that sleeps for `idle_seconds` is ended by the database: its process may be gone for good.
    """
    engine = create_engine(
        database_url(settings, role),
        pool_size=pool_size or settings.database_pool,
        max_overflow=0,
        pool_timeout=settings.database_pool_wait_seconds,
        pool_pre_ping=True,
        pool_recycle=1800,
        hide_parameters=True,  # parameters hold what logs must not
        connect_args=_connect_args(settings, role, idle_seconds),
    )
    event.listen(engine, "do_connect", _with_todays_password(settings, role))
    return engine


def make_single_engine(settings: ServiceSettings, role: Who = "owner") -> Engine:
    """An engine that keeps nothing: for a migration or a command that runs once."""
    return create_engine(
        database_url(settings, role),
        poolclass=NullPool,
        hide_parameters=True,
        connect_args=_connect_args(settings, role),
    )


def database_url(settings: ServiceSettings, role: Who = "app") -> URL:
    """Where to connect and as whom; the password is read from its file now."""
    user, password_file = _credentials(settings, role)
    if user is None:
        raise ValueError(f"the settings name no database user for {role!r}")
    return URL.create(
        "postgresql+psycopg",
        username=user,
        password=read_password(password_file) if password_file else None,
        host=None if _is_socket(settings) else settings.database_host,
        port=settings.database_port,
        database=settings.database_name,
        query={"host": settings.database_host} if _is_socket(settings) else {},
    )


def limit_statements(connection: Connection, seconds: float) -> None:
    """Within this transaction no statement may run, or wait for a lock, longer than what remains of the call."""
    milliseconds = str(max(1, int(seconds * 1000)))
    connection.execute(
        text("SELECT set_config('statement_timeout', :ms, true), set_config('lock_timeout', :ms, true)"),
        {"ms": milliseconds},
    )


def _credentials(settings: ServiceSettings, role: Who) -> tuple[str | None, Path | None]:
    if role == "owner":
        return settings.owner_user, settings.owner_password_file
    if role == "ro":
        return settings.reader_user, settings.reader_password_file
    return settings.database_user, settings.database_password_file


def _with_todays_password(settings: ServiceSettings, role: Who) -> Callable[..., None]:
    """Read the password file for every new connection: a rotation needs no restart."""
    _, password_file = _credentials(settings, role)

    def connecting(_dialect: object, _record: object, _positional: object, named: dict[str, object]) -> None:
        if password_file:
            named["password"] = read_password(password_file)

    return connecting


def _is_socket(settings: ServiceSettings) -> bool:
    return settings.database_host.startswith(("/", "@"))


def _connect_args(settings: ServiceSettings, role: Who, idle_seconds: int = 60) -> dict[str, str | int]:
    statement_seconds = _OWNER_STATEMENT_SECONDS if role == "owner" else settings.database_statement_seconds
    idle = f"-c idle_in_transaction_session_timeout={idle_seconds}s"
    options = f"-c statement_timeout={statement_seconds}s {idle} -c timezone=UTC"
    arguments: dict[str, str | int] = {
        "application_name": f"{settings.database_name}/{role}",
        "connect_timeout": _CONNECT_SECONDS,
        "options": options,
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
    }
    if not _is_socket(settings):
        arguments["sslmode"] = settings.database_tls
        if settings.database_ca_file:
            arguments["sslrootcert"] = str(settings.database_ca_file)
    return arguments
