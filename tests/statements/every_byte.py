"""Changes every byte of a pack, one at a time: each change must be refused, under the name of the member it is in.

python -m tests.statements.every_byte pack.zip --key operator.pub --checkpoint-key checkpoint.pub --processes 2
"""

from __future__ import annotations

import argparse
import functools
import io
import multiprocessing
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from coalition.statements import pack, verify
from coalition.statements.ed25519 import verified
from coalition.statements.lines import NotVerified

_HEADER_BYTES = 30
"""Of a member in a ZIP, before its name."""
_FLIPPED = 0x20
_NEXT = 500


class Missed(NamedTuple):
    """A byte whose change was not refused (`named` is empty), or under another name than its member's."""

    place: int
    named: str
    inside: str


class Keys(NamedTuple):
    """Raw public keys."""

    operator: bytes
    checkpoint: bytes | None = None


def within(content: bytes) -> dict[int, str]:
    """The bytes that are some member's content, and whose; the others are the archive's own."""
    found: dict[int, str] = {}
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        for one in opened.infolist():
            begins = one.header_offset + _HEADER_BYTES + len(one.filename.encode())
            found |= dict.fromkeys(range(begins, begins + one.file_size), one.filename)
    return found


def where(content: bytes, keys: Keys) -> str:
    """What a refusal names; empty when there is none."""
    try:
        pack.verify_pack(io.BytesIO(content), *keys)
    except NotVerified as refused:
        return refused.where
    return ""


def missed(content: bytes, keys: Keys, places: Iterable[int]) -> list[Missed]:
    """The changes at these places that the verifier misses. One in the archive's own bytes may have any name."""
    inside, found = within(content), list[Missed]()
    changed = bytearray(content)
    for place in places:
        changed[place] ^= _FLIPPED
        named = where(bytes(changed), keys)
        changed[place] ^= _FLIPPED
        if not named or named != inside.get(place, named):
            found.append(Missed(place, named, inside.get(place, "")))
    return found


def _remember() -> None:
    """The signatures of what was not changed are the same each time."""
    remembered = functools.lru_cache(maxsize=4096)(verified)
    for module in (pack, verify):
        module.verified = remembered  # type: ignore[attr-defined]  # on purpose


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--key", type=Path, required=True)
    parser.add_argument("--checkpoint-key", type=Path)
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args()
    content = options.file.read_bytes()
    checkpoint = verify.public_key(options.checkpoint_key.read_bytes()) if options.checkpoint_key else None
    keys = Keys(verify.public_key(options.key.read_bytes()), checkpoint)
    print(f"{options.file}: {pack.verify_pack(io.BytesIO(content), *keys)}, {len(content)} bytes")
    parts = [(content, keys, range(at, min(at + _NEXT, len(content)))) for at in range(0, len(content), _NEXT)]
    with multiprocessing.Pool(options.processes, _remember) as pool:
        found = [one for part in pool.starmap(missed, parts, chunksize=1) for one in part]
    print(*found, f"{len(found)} of {len(content)} changed bytes were missed", sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
