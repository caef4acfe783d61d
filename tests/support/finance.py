"""`coalition settle` as finance types it, run where the test runs: a program for each command would cost a second each.

The month in `tests/journeys` runs them as the programs that they are.
"""

from __future__ import annotations

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from typing import Any
from unittest.mock import patch

from services.cli.main import main
from services.sandbox.home import Home

DONE, REFUSED, WRONG_USAGE, NEEDS_A_PERSON, BLOCKED = 0, 1, 2, 3, 4
Facts = dict[str, Any]


def settle(home: Home, *words: str, code: int | tuple[int, ...] = DONE, person: str = "local") -> Facts:
    """One command that ends with this code, or one of these; what it answers, or, refused, what it says about that."""
    return typed(home, "settle", *words, "--as", person, code=code)


def typed(home: Home, *words: str, code: int | tuple[int, ...] = DONE) -> Facts:
    """One command of `coalition`."""
    told, noted, ended = io.StringIO(), io.StringIO(), 0
    line = ["coalition", *words, "--home", str(home.root), "--output", "json"]
    with redirect_stdout(told), redirect_stderr(noted), patch.object(sys, "argv", line):
        try:
            main()
        except SystemExit as left:
            ended = left.code if isinstance(left.code, int) else 0
    allowed = (code,) if isinstance(code, int) else code
    assert ended in allowed, (words, ended, told.getvalue(), noted.getvalue())
    found: Facts = json.loads(told.getvalue()) if told.getvalue() else {"refused": noted.getvalue()}
    return found


def decided(home: Home, facts: Facts) -> Facts:
    """The colleague reads what was proposed, and approves exactly that."""
    name = facts["proposal"].replace("proposals/", "P")
    read = settle(home, "proposals", name, code=NEEDS_A_PERSON, person="colleague")
    return settle(home, "approve", name, "--sha256", read["sha256"], person="colleague")
