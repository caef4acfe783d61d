"""A write-once folder outside the database: each file stands there before it is sent, so that no restored backup can
forget what went to the bank.
"""

from __future__ import annotations

import os
from pathlib import Path

from shared.refusal import Kind, Refusal

_SUFFIX = ".xml"


class ArchiveDiffers(Refusal):
    """Other bytes went out under this MsgId: a database that was restored does not know of them."""

    kind = Kind.NOT_NOW
    message = "The archive holds other bytes under {msg_id}: nothing is sent."
    remedy = "Compare the archive with the rows; after a restore, end the quarantine first."


class Archive:
    """The folder. Nothing in it is ever opened for writing again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, msg_id: str, content: bytes) -> None:
        """Have the bytes on disk under their MsgId. The same bytes again are no change. Raises ArchiveDiffers."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._path(msg_id)
        if path.exists():
            if path.read_bytes() != content:
                raise ArchiveDiffers(msg_id=msg_id)
            return
        fresh = path.with_suffix(f".{os.getpid()}")
        with fresh.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.chmod(0o400)
        try:
            os.link(fresh, path)  # unlike a rename, it does not replace what another process has put there meanwhile
        except FileExistsError:
            if path.read_bytes() != content:
                raise ArchiveDiffers(msg_id=msg_id) from None
        finally:
            fresh.unlink()
        self._flush()

    def found(self, msg_id: str) -> bytes | None:
        """What was kept."""
        path = self._path(msg_id)
        return path.read_bytes() if path.exists() else None

    def names(self) -> list[str]:
        """The MsgIds of all that was ever about to be sent."""
        return sorted(path.stem for path in self._folder.glob(f"*{_SUFFIX}")) if self._folder.exists() else []

    def _path(self, msg_id: str) -> Path:
        return self._folder / f"{msg_id}{_SUFFIX}"

    def _flush(self) -> None:
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
