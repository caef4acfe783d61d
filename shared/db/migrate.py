"""Migrations: Alembic without a command line and without an ini file, one tree and one version table per service.

A service's `migrations/env.py` is three lines:

    from services.ledger.store.tables import METADATA
    from shared.db.migrate import run_here

    run_here(METADATA)
"""

from __future__ import annotations

import io
from functools import lru_cache

from alembic import command, context
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData, text

from shared.db.engine import make_single_engine
from shared.settings import ServiceSettings

_VERSION_TABLE = "alembic_version"
_LOCK = 0x6D696772  # "migr"


def upgrade(package: str, settings: ServiceSettings, revision: str = "head") -> None:
    """Bring the service's schema to `revision`, as its owner, one process at a time."""
    _run(package, settings, revision, down=False)


def downgrade(package: str, settings: ServiceSettings, revision: str) -> None:
    """Go back to `revision`: for a development machine, never for production."""
    _run(package, settings, revision, down=True)


def at_head(package: str, engine: Engine) -> bool:
    """Whether the schema has everything this code needs: our head, or a newer one that we do not know yet."""
    script = _script(package)
    with engine.connect() as connection:
        options = {"version_table": _VERSION_TABLE, "version_table_schema": _schema(package)}
        current = MigrationContext.configure(connection, opts=options).get_current_heads()
    known = {step.revision for step in script.walk_revisions()}
    return bool(current) and all(head in script.get_heads() or head not in known for head in current)


def as_sql(package: str) -> str:
    """Every statement of the tree, for people and linters to read."""
    output = io.StringIO()
    config = _config(package)
    config.output_buffer = output
    config.attributes["dialect"] = "postgresql"
    command.upgrade(config, "head", sql=True)
    return output.getvalue()


def run_here(metadata: MetaData | None = None) -> None:
    """What a service's `env.py` calls."""
    config = context.config
    shared_options = {
        "target_metadata": metadata,
        "version_table": _VERSION_TABLE,
        "version_table_schema": config.attributes["schema"],
        "include_schemas": True,
        "transaction_per_migration": True,
    }
    if context.is_offline_mode():
        context.configure(dialect_name="postgresql", literal_binds=True, **shared_options)
    else:
        context.configure(connection=config.attributes["connection"], **shared_options)
    with context.begin_transaction():
        context.run_migrations()


def _run(package: str, settings: ServiceSettings, revision: str, *, down: bool) -> None:
    engine = make_single_engine(settings, "owner")
    config = _config(package)
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
        connection.execute(text("SET lock_timeout = '10s'"))
        connection.commit()
        config.attributes["connection"] = connection
        (command.downgrade if down else command.upgrade)(config, revision)
        _show_version(connection, package, settings)
        connection.commit()


def _show_version(connection: Connection, package: str, settings: ServiceSettings) -> None:
    """The application asks which version it runs on, so it must be able to read the answer."""
    quote = connection.dialect.identifier_preparer.quote
    roles = [role for role in (settings.database_user, settings.reader_user) if role]
    table = f"{quote(_schema(package))}.{_VERSION_TABLE}"
    connection.execute(text(f"GRANT SELECT ON {table} TO {', '.join(map(quote, roles))}"))


def _config(package: str) -> Config:
    config = Config()
    config.set_main_option("script_location", f"{package}:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["schema"] = _schema(package)
    return config


@lru_cache(maxsize=16)
def _script(package: str) -> ScriptDirectory:
    return ScriptDirectory.from_config(_config(package))


def _schema(package: str) -> str:
    """`services.ledger` keeps its tables in the schema `ledger`."""
    return package.rpartition(".")[2]
