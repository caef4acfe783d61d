"""The PostgreSQL of a sandbox, behind one function: the one that COALITION_DATABASE_URL names, else an embedded one."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Protocol

from services.sandbox.home import Home
from services.sandbox.postgres.cluster import Cluster
from services.sandbox.postgres.external import External

URL: Final = "COALITION_DATABASE_URL"


class Server(Protocol):
    """What the sandbox asks of either."""

    @property
    def host(self) -> str:
        """A host name, or the folder of a Unix socket."""

    @property
    def port(self) -> int: ...

    @property
    def settings(self) -> Mapping[str, str]:
        """What else the services must be told."""

    @property
    def pid(self) -> int | None:
        """Its process, when it is one of ours."""

    def running(self) -> bool: ...
    def start(self, say: Callable[[str], None]) -> None: ...
    def stop(self) -> bool: ...
    def address(self, database: str | None = None) -> str: ...


def server_of(home: Home, password_file: Path) -> Server:
    """Where the databases of this home live."""
    url = os.environ.get(URL, "").strip()
    return External(url) if url else Cluster(home, password_file)
