"""A database, three roles and the newest schema for each service."""

from __future__ import annotations

import psycopg
import sqlalchemy.exc

from services.sandbox.home import Home
from services.sandbox.keys import Keys, ensure_password
from services.sandbox.postgres import Server
from services.sandbox.refusals import DatabaseUnwilling
from services.sandbox.services import password_file, way_to_the_database
from shared.credentials.authority import Leaf
from shared.db.migrate import upgrade
from shared.db.roles import RolePasswords, ensure_database
from shared.settings import ServiceSettings


def ensure_databases(home: Home, server: Server, keys: Keys, service: str, leaf: Leaf) -> None:
    """Bring the database of a service to where its code needs it."""
    passwords = {role: password_file(home, service, role) for role in ("owner", "app", "ro")}
    for password in passwords.values():
        ensure_password(password)
    try:
        name = ensure_database(
            server.address(), service, RolePasswords(passwords["owner"], passwords["app"], passwords["ro"])
        )
        upgrade(f"services.{service}", _owner_settings(service, name, home, server, keys, leaf))
    except (psycopg.Error, sqlalchemy.exc.DBAPIError) as error:
        raise DatabaseUnwilling(service=service, why=" ".join(str(error).split())[:300]) from error


def _owner_settings(service: str, name: str, home: Home, server: Server, keys: Keys, leaf: Leaf) -> ServiceSettings:
    """What a migration needs to know. Running services are not told the owner's password."""
    shared = way_to_the_database(service, name, home=home, keys=keys, leaf=leaf, server=server)
    return ServiceSettings.model_validate(shared | {"owner_password_file": password_file(home, service, "owner")})
