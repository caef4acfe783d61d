"""Long answers as pieces that are small enough for a message."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

_MOST_BYTES: Final = 256 * 1024


def pieces(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in the same order, none of the pieces too large."""
    for part in parts:
        for at in range(0, len(part), _MOST_BYTES):
            yield part[at : at + _MOST_BYTES]
