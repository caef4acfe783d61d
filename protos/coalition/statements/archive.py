"""An archive whose bytes follow from its members alone: a ZIP without compression, times or other choices.

Any unzip opens it. Because nothing in it is free, whoever has the members can write it again, byte for byte, and every
byte that was changed is found, with the member that it stands in. Standard library only.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from coalition.statements.lines import NotVerified

_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END = struct.Struct("<4sHHHHIIH")
_VERSION, _UTF8, _STORED, _TIME, _DAY = 20, 0x800, 0, 0, 0x21  # the first of January 1980
_MOST = 0xFFFFFFFF


def archived(members: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    """The archive, piece by piece. Raises ValueError for members that are not sorted by name, or too large."""
    directory: list[bytes] = []
    offset, last = 0, ""
    for name, content in members:
        if name <= last or offset > _MOST or len(content) > _MOST:
            raise ValueError(f"{name} cannot come here: members are sorted, and none reaches beyond 4 GiB")
        local, entry = _headers(name, content, offset)
        yield local
        yield content
        directory.append(entry)
        offset, last = offset + len(local) + len(content), name
    yield from directory
    yield _ending(len(directory), sum(map(len, directory)), offset)


def members_of(file: BinaryIO) -> Iterator[tuple[str, bytes]]:
    """The members of an archive, once everything about each was found as it must be. Raises NotVerified."""
    directory: list[bytes] = []
    offset, last = 0, ""
    while True:
        head = file.read(_LOCAL.size)
        if not head.startswith(b"PK\x03\x04"):
            break
        if len(head) < _LOCAL.size:
            raise NotVerified("archive", f"it ends in a member after {last or 'its beginning'}")
        *_, size, name_size, _ = _LOCAL.unpack(head)
        raw, content = file.read(name_size), file.read(size)
        name = raw.decode("utf-8", "replace")
        local, entry = _headers(name, content, offset)
        if head + raw != local or name <= last:
            raise NotVerified(name[:200] or f"the member after {last}", "it was changed in the archive")
        yield name, content
        directory.append(entry)
        offset, last = offset + len(local) + len(content), name
    rest = head + file.read()
    if rest != b"".join(directory) + _ending(len(directory), sum(map(len, directory)), offset):
        raise NotVerified("archive", "its directory, at the end, was changed")


def _headers(name: str, content: bytes, offset: int) -> tuple[bytes, bytes]:
    raw, crc, size = name.encode(), zlib.crc32(content), len(content)
    facts = (_VERSION, _UTF8, _STORED, _TIME, _DAY, crc, size, size, len(raw), 0)
    local = _LOCAL.pack(b"PK\x03\x04", *facts) + raw
    return local, _CENTRAL.pack(b"PK\x01\x02", _VERSION, *facts, 0, 0, 0, 0, offset) + raw


def _ending(count: int, size: int, offset: int) -> bytes:
    if max(size, offset) > _MOST or count > 0xFFFF:
        raise ValueError("the archive is larger than 4 GiB, or has more than 65,535 members")
    return _END.pack(b"PK\x05\x06", 0, 0, count, count, size, offset, 0)
