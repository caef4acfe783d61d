"""Threads that come and go leave the C library with few arenas, however many there were at once."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

ARENAS = """
import ctypes, sys, threading
from shared.memory import keep_little
if sys.argv[1] == "little":
    keep_little()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
libc.fdopen.restype, libc.malloc_info.argtypes = ctypes.c_void_p, [ctypes.c_int, ctypes.c_void_p]
libc.fflush.argtypes = [ctypes.c_void_p]
together = threading.Barrier(12)
def work():
    together.wait()
    libc.free(libc.malloc(100_000))
    together.wait()
threads = [threading.Thread(target=work) for _ in range(12)]
for thread in threads: thread.start()
for thread in threads: thread.join()
out = libc.fdopen(1, b"w")
libc.malloc_info(0, out)
libc.fflush(out)
"""


def arenas(how: str) -> int:
    """How many arenas a program has after twelve threads have asked for memory at the same time."""
    ran = subprocess.run([sys.executable, "-c", ARENAS, how], capture_output=True, text=True, timeout=60, check=True)
    return ran.stdout.count("<heap nr=")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no arenas to bound")
def test_a_service_has_two_arenas_where_it_would_have_one_for_each_thread() -> None:
    assert arenas("little") <= 2
    assert arenas("usual") > 2
