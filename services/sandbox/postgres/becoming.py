"""Run a program as somebody who is not root. Started by path in a bare interpreter: it needs the standard library.

`becoming.py namespace UID PROGRAM...` maps us to UID inside a user namespace: the program believes it is UID, while its
files still belong to us and our private folders stay open to it. `becoming.py account UID GID PROGRAM...` turns into an
account for good and keeps one capability, to pass through folders that are private to root.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

_CLONE_NEWUSER = 0x10000000
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 47, 2
_CAP_DAC_OVERRIDE = 1
_CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(answer: int, what: str) -> None:
    if answer != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def enter_namespace(uid: int) -> None:
    """Become `uid` in a user namespace that knows nobody else."""
    outside_user, outside_group = os.geteuid(), os.getegid()
    _checked(_libc.unshare(_CLONE_NEWUSER), "unshare")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {outside_user} 1")
    Path("/proc/self/gid_map").write_text(f"{uid} {outside_group} 1")


def become_account(uid: int, gid: int) -> None:
    """Become an account of the machine; keep the right to pass through private folders where we have it."""
    _checked(_libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0), "prctl")
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    wanted = 1 << _CAP_DAC_OVERRIDE
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)(
        wanted, wanted, wanted, 0, 0, 0
    )  # effective, permitted, inheritable; then the upper halves
    if _libc.capset(header, sets) == 0:
        _libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0)


def main(words: list[str]) -> None:
    """Become the one that is asked for, then the program."""
    try:
        if words[0] == "namespace":
            uid, program = int(words[1]), words[2:]
            enter_namespace(uid)
        else:
            uid, gid, program = int(words[1]), int(words[2]), words[3:]
            become_account(uid, gid)
        os.execv(program[0], program)
    except OSError as error:
        sys.exit(f"cannot become another user: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
