"""What the bench found: figures, each with its goal and what a plain question over the same rows takes."""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from services.sandbox.postgres.binaries import major_version

_HEADS = ("what", "size", "measured", "goal", "met", "GROUP BY")


@dataclass(frozen=True)
class Figure:
    """`plain_seconds`: how long PostgreSQL alone takes for one GROUP BY over the same rows.

    A goal belongs to the whole size: `met` says only what this run says.
    """

    what: str
    size: str
    value: float
    unit: str
    goal: float | None = None
    at_least: bool = False
    plain_seconds: float | None = None

    @property
    def met(self) -> bool | None:
        if self.goal is None:
            return None
        return self.value >= self.goal if self.at_least else self.value <= self.goal


def as_table(figures: Sequence[Figure], options: argparse.Namespace) -> str:
    rows = [_HEADS, *map(_row, figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(_placed, row, widths, range(len(row)))).rstrip() for row in rows]
    cores = ", ".join(map(str, sorted(options.cores)))
    note = f"On cores {cores}. Rows of windows are put into the tables; ingest, bank and awards go the whole way."
    return "\n".join([*lines, "", note])


def as_json(figures: Sequence[Figure], options: argparse.Namespace) -> str:
    sizes = ("entries", "journal", "partners", "lines", "seconds", "rounds")
    content = {
        "machine": {
            "processor": platform.processor() or platform.machine(),
            "cores": sorted(options.cores),
            "python": platform.python_version(),
            "postgresql": major_version(),
        },
        "options": {name: getattr(options, name) for name in sizes},
        "figures": [{**asdict(one), "met": one.met} for one in figures],
    }
    return json.dumps(content, indent=1)


def shown(value: float, unit: str) -> str:
    """A value with as many digits as it deserves."""
    digits = 0 if value >= 100 else 2 if value >= 1 else 3
    return f"{value:,.{digits}f} {unit}".rstrip()


def _row(one: Figure) -> tuple[str, ...]:
    goal = "" if one.goal is None else f"{'>=' if one.at_least else '<='} {one.goal:,g}"
    met = {True: "yes", False: "NO", None: ""}[one.met]
    plain = "-" if one.plain_seconds is None else shown(one.plain_seconds, "s")
    return one.what, one.size, shown(one.value, one.unit), goal, met, plain


def _placed(cell: str, width: int, place: int) -> str:
    return cell.ljust(width) if place == 0 else cell.rjust(width)
