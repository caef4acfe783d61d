"""A folder that the bank's own software empties: a file appears there complete or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from services.settlement.domain.sending import Outcome, Receipt


class Folder:
    """Writes beside, then renames. The name is the MsgId, so that the same file again takes its own place."""

    name = "folder"

    def __init__(self, folder: Path, *, checks_duplicates: bool) -> None:
        self._folder = folder
        self.checks_duplicates = checks_duplicates

    def send(self, message_id: str, content: bytes) -> Receipt:
        try:
            fresh = self._written(message_id, content)
        except OSError as error:
            return Receipt(Outcome.REFUSED, f"the folder cannot be written: {type(error).__name__}")
        try:
            fresh.rename(self._folder / f"{message_id}.xml")
            self._flush()
        except OSError as error:
            return Receipt(Outcome.UNCLEAR, f"the rename failed: {type(error).__name__}")
        return Receipt(Outcome.TAKEN, "it stands in the folder")

    def _written(self, message_id: str, content: bytes) -> Path:
        fresh = self._folder / f".{message_id}.{os.getpid()}.tmp"  # banks leave hidden and .tmp files alone
        with fresh.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        return fresh

    def _flush(self) -> None:
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
