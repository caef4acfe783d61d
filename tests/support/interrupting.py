"""Programs that a test interrupts as Ctrl-C does."""

from __future__ import annotations

import sys
from typing import Final

LISTENING: Final = (
    sys.executable,
    "-c",
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])",
)
"""Words before a command: a shell's background job ignores SIGINT, and so does all that it starts, unless it is told to
listen again."""
