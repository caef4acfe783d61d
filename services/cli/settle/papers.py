"""What is too much to type comes as a file: a message of the contracts, as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from google.protobuf.json_format import Parse, ParseError
from google.protobuf.message import Message

from services.cli.refusals import FileUnreadable

M = TypeVar("M", bound=Message)


def read(file: Path) -> bytes:
    """Raises FileUnreadable."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise FileUnreadable(file=file, why=error.strerror or error) from None


def message_of(file: Path, message: M) -> M:
    """The message that the file holds, with the field names of its contract. Raises FileUnreadable.

    What is wrong in it is not repeated: an account's number may stand there.
    """
    try:
        Parse(read(file), message)
    except (ParseError, UnicodeDecodeError):
        raise FileUnreadable(file=file, why=f"it is no {message.DESCRIPTOR.name} in JSON") from None
    return message
