"""Counts the points at which a process may die, writes each down, and ends the process at one of them by kill -9.

A point lies on each side of every commit that wrote something, and wherever a program says `reached`. What is deployed
knows no such place. Points are counted in the order in which a life that nobody disturbs comes to them.
"""

from __future__ import annotations

import ast
import json
import os
import re
import signal
import sys
import time
from datetime import datetime
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import psycopg
from sqlalchemy import Connection

from services.settlement.store.stepper import Done, GoOn, Handler
from services.settlement.store.steps import Step
from tests.architecture.sources import ROOT

_SERVICE = str(ROOT / "services")
_WRITES = re.compile(r"(?:INSERT INTO|UPDATE|DELETE FROM|COPY)\s+settlement\.(\w+)")
_WROTE = "SELECT pg_current_xact_id_if_assigned() IS NOT NULL"


class Point(NamedTuple):
    """`site`: file and line of the service that opened the transaction; empty where it is none. `at`: seconds."""

    name: str
    site: str
    at: float


def points_in(listed: Path) -> list[Point]:
    """What a process, and whoever went on after it, came to."""
    return [Point(*json.loads(line)) for line in listed.read_text().splitlines()]


class Reaper:
    """It dies at a point, by its number or its name; 0: nowhere."""

    def __init__(self, listed: Path, die_at: int | str = 0) -> None:
        self._listed = listed
        self._die_at = die_at
        self._count = 0
        self._doing = ""

    def reached(self, name: str, site: str = "") -> None:
        self._count += 1
        with self._listed.open("a") as listed:
            listed.write(json.dumps(Point(name, site, time.monotonic())) + "\n")
        if self._die_at in {self._count, name}:
            os.kill(os.getpid(), signal.SIGKILL)

    def watched(self, kind: str, handler: Handler) -> Handler:
        """The handler, whose commits are named after it and what it answered."""

        def handle(connection: Connection, step: Step, at: datetime) -> Done | GoOn:
            answer = handler(connection, step, at)
            self._doing = by_the_step(kind, type(answer))
            return answer

        return handle

    def install(self) -> None:
        """Stand around every commit that wrote something."""
        written: WeakKeyDictionary[psycopg.Connection[Any], list[str]] = WeakKeyDictionary()
        execute, commit = psycopg.Cursor.execute, psycopg.Connection.commit

        def executing(cursor: psycopg.Cursor[Any], query: Any, *more: Any, **named: Any) -> Any:  # noqa: ANN401
            if found := _WRITES.findall(str(query)):
                written.setdefault(cursor.connection, []).extend(found)
            return execute(cursor, query, *more, **named)

        def committing(connection: psycopg.Connection[Any]) -> None:
            wrote = execute(connection.cursor(), _WROTE).fetchone() == (True,)
            tables = "+".join(dict.fromkeys(written.pop(connection, [])))
            doing, self._doing = self._doing, ""
            name, site = f"the commit of {tables}{doing}", _site()
            if wrote:
                self.reached(f"before {name}", site)
            commit(connection)
            if wrote:
                self.reached(f"after {name}", site)

        psycopg.Cursor.execute = executing  # type: ignore[assignment,method-assign]  # on purpose
        psycopg.Connection.commit = committing  # type: ignore[assignment,method-assign]  # on purpose


def by_the_step(kind: str, answer: type[Done | GoOn]) -> str:
    """How a point says whose work was committed."""
    return f" by the step {kind}: {answer.__name__}"


def sites_in(module: ModuleType) -> set[str]:
    """Where a module opens a transaction that may write, as points name it."""
    file = Path(str(module.__file__))
    return {
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.With)
        for item in node.items
        if isinstance(item.context_expr, ast.Call)
        and isinstance(item.context_expr.func, ast.Attribute)
        and item.context_expr.func.attr == "writing"
    }


def _site() -> str:
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_filename.startswith(_SERVICE):
            return f"{Path(frame.f_code.co_filename).relative_to(ROOT)}:{frame.f_lineno}"
        frame = frame.f_back
    return ""
