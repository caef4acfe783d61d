"""The sandbox's own clock: with it time stands still until somebody moves it; without it the machine's clock counts.

A sandbox has one only when it is asked for (`coalition up --clock ...`), because a clock that stands still would
astonish whoever only wants to try an award. Services look for it when they start. Certificates always live in the
machine's time.
"""

from __future__ import annotations

import struct
from datetime import datetime, timedelta
from typing import Literal

from services.sandbox.home import Home
from services.sandbox.refusals import FileDamaged, NoSandboxClock
from shared.clock import SandboxClock, SystemClock, clock_at


def has_clock(home: Home) -> bool:
    """Whether this sandbox has a clock of its own."""
    return home.clock.exists()


def now(home: Home) -> datetime:
    """What time it is for the services of this sandbox."""
    try:
        return clock_at(home.clock if has_clock(home) else None).now()
    except struct.error:
        raise FileDamaged(file=home.clock, meaning="an instant of 8 bytes") from None


Wish = datetime | Literal["now", "machine"] | None
"""A clock of its own from this instant on, or from now on; the machine's clock; or what there was before."""


def arrange(home: Home, wish: Wish) -> None:
    """Give the sandbox a clock or take it away. One that is there stays where it stands: only `set` moves it."""
    if wish == "machine":
        home.clock.unlink(missing_ok=True)
    elif wish is not None and not has_clock(home):
        SandboxClock(home.clock).set(SystemClock().now() if wish == "now" else wish)


def set_to(home: Home, at: datetime) -> datetime:
    """Move it, forward or back."""
    _own(home).set(at)
    return at


def move_by(home: Home, step: timedelta) -> datetime:
    """Move it by a step."""
    return set_to(home, now(home) + step)


def _own(home: Home) -> SandboxClock:
    if not has_clock(home):
        raise NoSandboxClock(folder=home.root)
    return SandboxClock(home.clock)
