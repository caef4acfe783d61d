"""Who runs PostgreSQL, which refuses to be root: we, we under another name, or an account of the machine."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from services.sandbox.postgres.binaries import binaries
from services.sandbox.refusals import PostgresNeedsAnAccount

_BECOMING = str(Path(__file__).with_name("becoming.py"))
_ACCOUNTS = ("postgres", "nobody", "daemon")


@dataclass(frozen=True, slots=True)
class Runner:
    """The words to put before a command, and the account that its folders must belong to (None: to us)."""

    prefix: tuple[str, ...] = ()
    account: tuple[int, int] | None = None

    def command(self, program: Path, *arguments: str) -> list[str]:
        """The argument list that runs `program`."""
        return [*self.prefix, str(program), *arguments]

    def own(self, folder: Path) -> None:
        """Hand a folder of ours to the one who runs PostgreSQL."""
        if self.account:
            os.chown(folder, *self.account)


def runner(data: Path) -> Runner:
    """The one who made the data folder goes on with it; a new one is made by the first who can."""
    made_by = data.stat().st_uid if data.exists() else os.geteuid()
    if made_by != os.geteuid():
        return _as_account(pwd.getpwuid(made_by))
    if os.geteuid() != 0 and _has_a_name(os.geteuid()):
        return Runner()
    return _in_namespace() or _as_some_account()


def _has_a_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False  # initdb insists on a name, which a container's random user id lacks
    return True


def _in_namespace() -> Runner | None:
    named = next((entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid != 0), None)
    if named is None:
        return None
    prefix = (sys.executable, "-I", "-S", _BECOMING, "namespace", str(named))
    tried = subprocess.run([*prefix, binaries() / "postgres", "--version"], capture_output=True, check=False)
    return Runner(prefix) if tried.returncode == 0 else None


def _as_some_account() -> Runner:
    if os.geteuid() != 0:
        raise PostgresNeedsAnAccount(why="this user id has no name, and user namespaces are not allowed")
    for name in _ACCOUNTS:
        try:
            return _as_account(pwd.getpwnam(name))
        except KeyError:
            continue
    raise PostgresNeedsAnAccount(
        why=f"user namespaces are not allowed, and there is no account {' or '.join(_ACCOUNTS)}"
    )


def _as_account(entry: pwd.struct_passwd) -> Runner:
    uid, gid = entry.pw_uid, entry.pw_gid
    return Runner((sys.executable, "-I", "-S", _BECOMING, "account", str(uid), str(gid)), account=(uid, gid))
