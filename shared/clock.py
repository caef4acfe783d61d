"""Where time comes from. The only module that asks the machine what time it is."""

from __future__ import annotations

import os
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INSTANT = struct.Struct("<q")


class Clock(Protocol):
    """Answers with the present instant: aware, UTC, microseconds."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class SandboxClock:
    """A clock that stands still until somebody sets it; every service of a sandbox reads the same file.

    The file holds one little-endian int64, microseconds since 1970 in UTC. It is replaced as a whole, so that a
    reader never sees half an instant. TLS does not ask it: certificates live in real time.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def now(self) -> datetime:
        (micros,) = _INSTANT.unpack(self._path.read_bytes())
        return _EPOCH + timedelta(microseconds=micros)

    def set(self, instant: datetime) -> None:
        """Move the clock, forward or back."""
        micros = (instant - _EPOCH) // timedelta(microseconds=1)
        fresh = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        fresh.write_bytes(_INSTANT.pack(micros))
        fresh.replace(self._path)


def clock_at(sandbox_file: Path | None) -> Clock:
    """The clock of a process: the sandbox's where one is named, else the machine's."""
    return SandboxClock(sandbox_file) if sandbox_file else SystemClock()
