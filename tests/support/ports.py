"""Ports on which a test's own programs may listen: nobody else is given them while this test process lives.

Asking the kernel for a free port and letting go of it again is a race: every connection that any other test opens may
be given the same one. So these lie below those that the kernel gives away, beside those that the sandbox chooses, and
who has a row of them says so under a name that the kernel forgets with the process.
"""

from __future__ import annotations

import secrets
import socket
from typing import Final

from services.sandbox.ports import free

ROW: Final = 20
_FIRST, _LAST = 12_000, 19_980
_CLAIMS: Final[list[socket.socket]] = []


def claimed() -> int:
    """The first of `ROW` adjacent ports on loopback."""
    rows = (_LAST - _FIRST) // ROW
    start = secrets.randbelow(rows)  # not `random`: that gives every test of a run the same numbers
    for step in range(rows):
        first = _FIRST + (start + step) % rows * ROW
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0coalition-tests-{first}")
        except OSError:
            claim.close()
            continue
        _CLAIMS.append(claim)
        if all(map(free, range(first, first + ROW))):
            return first
    raise AssertionError("all ports are taken")
