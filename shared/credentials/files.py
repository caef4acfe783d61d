"""Secrets in files: written so that only their owner reads them, read so that a rotation needs no restart."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")

_LOOK_EVERY_SECONDS = 1.0


class NotSecret(Exception):
    """A file that should be a secret can be read by others than its owner."""


def write_secret(path: Path, content: bytes) -> None:
    """Put `content` into a file of mode 0600 inside folders of mode 0700, all at once or not at all."""
    make_private_folder(path.parent)
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def make_private_folder(folder: Path) -> None:
    """Create the folder and its missing parents, for the owner alone; what exists keeps its mode."""
    for missing in reversed([folder, *folder.parents]):
        if not missing.exists():
            missing.mkdir(mode=0o700, exist_ok=True)


def read_secret(path: Path) -> bytes:
    """The content of a secret file; refuses one that strangers can read or the group can write.

    The group may read: that is how Kubernetes hands a secret to a process that is not root.
    """
    with path.open("rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        if mode & 0o027:
            raise NotSecret(f"{path} has mode {mode & 0o777:04o}; secrets are for their owner alone: chmod 600 {path}")
        return file.read()


def read_password(path: Path) -> str:
    """A password file: one line, the line end is not part of it."""
    return read_secret(path).decode().rstrip("\r\n")


class Reloaded(Generic[T]):
    """What files or folders say, read again when they change: rotations overlap and need no restart.

    A change is noticed within a second. While the new content cannot be read, the last good one stays in force.
    """

    def __init__(self, read: Callable[[], T], *paths: Path) -> None:
        self._read = read
        self._paths = paths
        self._lock = threading.Lock()
        self._stamp = _stamp(paths)
        self._value = read()
        self._looked = time.monotonic()

    def current(self) -> T:
        """The value in force."""
        if time.monotonic() - self._looked >= _LOOK_EVERY_SECONDS and self._lock.acquire(blocking=False):
            try:
                self._refresh()
            finally:
                self._lock.release()
        return self._value

    def _refresh(self) -> None:
        self._looked = time.monotonic()
        try:
            stamp = _stamp(self._paths)
            if stamp != self._stamp:
                self._value = self._read()
                self._stamp = stamp
        except (OSError, ValueError, TypeError, NotSecret):
            return  # half of a rotation: a later look sees the other half


def _stamp(paths: Sequence[Path]) -> list[tuple[str, int, int, int]]:
    files = [file for path in paths for file in (sorted(path.iterdir()) if path.is_dir() else [path])]
    return [(str(file), *_identity(file)) for file in files]


def _identity(path: Path) -> tuple[int, int, int]:
    stat = path.stat()
    return stat.st_ino, stat.st_mtime_ns, stat.st_size
