"""The one folder that holds a sandbox: what lies where in it, and how its files are written."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from services.sandbox.refusals import FileDamaged, HomeUnusable

DEFAULT = Path("~/.coalition")


@dataclass(frozen=True, slots=True)
class Home:
    """The folder's layout. Everything in it belongs to the user who made it and to nobody else (0700, 0600)."""

    root: Path

    @property
    def postgres(self) -> Path:
        """The data folder of the embedded PostgreSQL and its socket."""
        return self.root / "postgres"

    @property
    def certificates(self) -> Path:
        """The development authority and a leaf per service and operator."""
        return self.root / "certificates"

    @property
    def keys(self) -> Path:
        """Keys that sign or encrypt; what they made cannot be used without them."""
        return self.root / "keys"

    @property
    def token_keys(self) -> Path:
        """The public keys that verify partners' tokens, one PEM file per key."""
        return self.keys / "tokens"

    @property
    def secrets(self) -> Path:
        """Passwords of the database roles."""
        return self.root / "secrets"

    @property
    def partners(self) -> Path:
        """Credentials that `coalition partner create` made."""
        return self.root / "partners"

    @property
    def run(self) -> Path:
        """What runs: one JSON file per process."""
        return self.root / "run"

    @property
    def logs(self) -> Path:
        """One log per process."""
        return self.root / "logs"

    @property
    def clock(self) -> Path:
        """The sandbox's own clock; without this file the sandbox follows the machine's."""
        return self.root / "clock"

    @property
    def archive(self) -> Path:
        """What settlement has sent to the bank, outside of its database."""
        return self.root / "archive"

    @property
    def bank(self) -> Path:
        """Where settlement lays files for the bank."""
        return self.root / "bank"

    @property
    def duties(self) -> Path:
        """Who of the operator's users has which duties; without this file everybody has all."""
        return self.root / "duties.json"

    @property
    def ports(self) -> Path:
        """The ports that were chosen, by service."""
        return self.root / "ports.json"

    @property
    def inventory(self) -> Path:
        """The names of the files that cannot be made again."""
        return self.root / "inventory.json"


def home_at(named: Path | None = None) -> Home:
    """The home that the argument, else COALITION_HOME, else the default names. Nothing is made yet."""
    chosen = named or Path(os.environ.get("COALITION_HOME") or DEFAULT)
    try:
        return Home(chosen.expanduser().resolve())
    except (OSError, RuntimeError) as error:
        raise HomeUnusable(folder=chosen, why=error) from None


def made(home: Home) -> None:
    """Make the folders that are not there."""
    folders = (
        home.postgres,
        home.certificates,
        home.keys,
        home.token_keys,
        home.secrets,
        home.partners,
        home.run,
        home.logs,
        home.bank,
    )
    try:
        home.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        for folder in folders:
            folder.mkdir(exist_ok=True, mode=0o700)
        if not os.access(home.root, os.W_OK | os.X_OK, effective_ids=True):
            raise PermissionError("it is not writable")
    except OSError as error:
        raise HomeUnusable(folder=home.root, why=error.strerror or error) from None


@contextmanager
def locked(home: Home) -> Iterator[None]:
    """One `up` or `down` at a time; the second waits for the first."""
    try:
        handle = os.open(home.root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise HomeUnusable(folder=home.root, why=error.strerror or error) from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner reads, as a whole or not at all."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def write_json(path: Path, content: object) -> None:
    """The same, for what we keep about ourselves."""
    write_private(path, json.dumps(content, indent=1, sort_keys=True).encode() + b"\n")


def read_json(path: Path) -> dict[str, object] | None:
    """What `write_json` wrote, or None where there is nothing."""
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise HomeUnusable(folder=path.parent, why=f"{path.name}: {error.strerror or error}") from None
    except ValueError:
        raise FileDamaged(file=path, meaning="the JSON that coalition wrote") from None
    if not isinstance(content, dict):
        raise FileDamaged(file=path, meaning="a JSON object")
    return content
