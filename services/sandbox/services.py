"""The four services as the sandbox knows them: how each is started and what it is told.

Only paths and numbers travel in the environment, never a secret.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from services.sandbox.home import Home
from services.sandbox.keys import Keys
from services.sandbox.ports import LOOPBACK
from services.sandbox.postgres import Server
from shared.credentials.authority import Leaf

IDENTITY, LEDGER, CATALOGUE, SETTLEMENT = SERVICES = ("identity", "ledger", "catalogue", "settlement")
"""In the order in which the ground comes first; they may start in any."""

METERS: Final = tuple(f"{service}-metrics" for service in SERVICES)
"""The names under which the ports of their metrics are recorded."""

BUCKETS: Final = 64
_DRAIN_SECONDS: Final = 10


def command(service: str) -> list[str]:
    """What runs a service. The folder we happen to be in does not count as a source of code (-P)."""
    return [sys.executable, "-P", "-m", f"services.{service}.main"]


def target(ports: Mapping[str, int], service: str) -> str:
    """Where a service listens."""
    return f"{LOOPBACK}:{ports[service]}"


def environment(
    service: str, *, home: Home, keys: Keys, leaf: Leaf, server: Server, ports: Mapping[str, int]
) -> dict[str, str]:
    """The settings of a service, and what it inherits from the terminal that is not ours."""
    ours = {
        "listen": target(ports, service),
        **way_to_the_database(service, f"coalition_{service}", home=home, keys=keys, leaf=leaf, server=server),
        "reflection": "true",
        "metrics_port": ports.get(f"{service}-metrics", 0),
        "drain_notice_seconds": 0,
        "drain_seconds": _DRAIN_SECONDS,
        **({"clock_file": home.clock} if home.clock.exists() else {}),
        **_own_settings(service, home, keys, ports),
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("COALITION_", "PG"))}
    return inherited | {f"COALITION_{service}_{name}".upper(): str(value) for name, value in ours.items()}


def way_to_the_database(
    service: str, database: str, *, home: Home, keys: Keys, leaf: Leaf, server: Server
) -> dict[str, object]:
    """The settings that a service and its migrations share. Nobody is told the owner's password by them."""
    return {
        "ca_file": leaf.ca_file,
        "certificate_file": leaf.certificate_file,
        "key_file": leaf.key_file,
        "token_keys_folder": keys.tokens_folder,
        "database_host": server.host,
        "database_port": server.port,
        "database_name": database,
        "database_user": f"{service}_app",
        "database_password_file": password_file(home, service, "app"),
        "owner_user": f"{service}_owner",
        "reader_user": f"{service}_ro",
        "reader_password_file": password_file(home, service, "ro"),
        **server.settings,
    }


def password_file(home: Home, service: str, role: str) -> Path:
    """Where the password of `<service>_<role>` lies."""
    return home.secrets / f"{service}_{role}"


def _own_settings(service: str, home: Home, keys: Keys, ports: Mapping[str, int]) -> dict[str, object]:
    match service:
        case "identity":
            return {
                "grant_keys_file": keys.grants,
                "token_key_file": keys.token_signing,
                "master_key_file": keys.identity_master,
                "lookup_key_file": keys.identity_lookup,
                "pairwise_key_file": keys.identity_pairwise,
            }
        case "ledger":
            return {"grant_keys_file": keys.grants, "checkpoint_key_file": keys.checkpoint, "buckets": BUCKETS}
        case "catalogue":
            return {
                "grant_keys_file": keys.grants,
                "ledger_target": target(ports, LEDGER),
                "identity_target": target(ports, IDENTITY),
            }
        case _:
            return {
                "ledger_target": target(ports, LEDGER),
                "statement_key_file": keys.statement,
                "checkpoint_public_key_file": keys.checkpoint_public,
                "archive_folder": home.archive,
                "bank_folder": home.bank,
                **({"duties_file": home.duties} if home.duties.exists() else {}),
            }
