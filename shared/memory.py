"""How a service keeps memory: in few arenas, what is large only while it is used, what lives for ever out of the way.

By default glibc gives each thread an arena of its own, up to eight for each core, and an arena keeps what was once
needed in it at the same time. gRPC passes messages from thread to thread, so each of dozens of arenas grows to what
all calls together ever needed: see deploy/decisions/few-arenas.md for what was measured.
"""

from __future__ import annotations

import ctypes
import gc
from typing import Final

# From glibc's malloc.h, where they are part of its promise.
_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
_ARENA_MAX: Final = -8

_ARENAS: Final = 2
_LARGE_BYTES: Final = 256 * 1024
_KEPT_BYTES: Final = 1024 * 1024

_YOUNG: Final = 10_000
"""Objects that may be made before the collector looks at them. Refusals make cycles, which must not pile up."""


def keep_little() -> None:
    """To be called first in `main`, before there are threads. A C library that knows none of this is left as it is."""
    tell = getattr(ctypes.CDLL(None), "mallopt", None)
    if tell is None:
        return
    tell(_ARENA_MAX, _ARENAS)
    tell(_MMAP_THRESHOLD, _LARGE_BYTES)  # or it would rise with each large message, and the next one stay in an arena
    tell(_TRIM_THRESHOLD, _KEPT_BYTES)


def collect_the_young() -> None:
    """To be called last in `main`: what was made until now lives as long as the process and is looked at no more."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, 10, 10)
