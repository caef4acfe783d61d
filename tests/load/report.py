"""What the bench prints: medians over the pairs, as a table or as JSON with every run."""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from statistics import median

from services.sandbox.postgres.binaries import major_version
from tests.load.summary import REFERENCE, Pair, lines, share

_GOALS = {"award-64": "0.75", "batch-500": "3.5", "write-path": "5"}
_SHARES = (
    ("hot-partner-64", "award-64", "one partner / random partners", "0.9"),
    ("hot-wallet-64", "award-64", "one wallet / random wallets", "0.9"),
    ("redeem-64", "award-64", "redeem / award", "0.6"),
)
_HEADS = (
    *("case", "in flight", "per second", "ratio", "goal", "by cpu", "p50 ms", "p99 ms"),
    *("client s", "server s", "database s"),
)
_PACKAGES = ("grpcio", "protobuf", "psycopg")


def as_table(pairs: Sequence[Pair], options: argparse.Namespace) -> str:
    rows = [_HEADS, *(_row(line) for line in lines(pairs))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    table = ["  ".join(map(_placed, row, widths, range(len(row)))).rstrip() for row in rows]
    return "\n".join([*table, "", *_notes(pairs, options)])


def as_json(pairs: Sequence[Pair], options: argparse.Namespace) -> str:
    content = {
        "machine": {
            "processor": platform.processor() or platform.machine(),
            "cores": sorted(options.cores),
            "python": platform.python_version(),
            "postgresql": major_version(),
            **{name: version(name) for name in _PACKAGES},
        },
        "options": {name: getattr(options, name) for name in ("pairs", "seconds", "wallets", "lots", "scale")},
        "cases": lines(pairs),
        "shares": {f"{one} / {other}": share(pairs, one, other) for one, other, _, _ in _SHARES},
        "runs": [
            {"case": pair.name, "measured": asdict(pair.case), REFERENCE: asdict(pair.reference)} for pair in pairs
        ],
    }
    return json.dumps(content, indent=1)


def _row(line: dict[str, object]) -> tuple[str, ...]:
    return (
        str(line["case"]),
        str(line["in_flight"]),
        _shown(line["per_second"], ",.0f"),
        _shown(line["ratio"], ".2f"),
        _GOALS.get(str(line.get("name")), ""),
        _shown(line["processor_ratio"], ".2f"),
        *(_shown(line[name], ".1f") for name in ("p50_ms", "p99_ms")),
        *(_shown(line[f"{who}_seconds"], ".2f") for who in ("client", "server", "database")),
    )


def _shown(value: object, form: str) -> str:
    return format(value, form) if isinstance(value, float) else "-"


def _placed(cell: str, width: int, place: int) -> str:
    return cell.ljust(width) if place < 2 else cell.rjust(width)


def _notes(pairs: Sequence[Pair], options: argparse.Namespace) -> list[str]:
    notes = [
        f"{text}: {found:.2f} (goal {goal})"
        for one, other, text, goal in _SHARES
        if (found := share(pairs, one, other)) is not None
    ]
    spreads = [
        run.p99_ms / run.p50_ms
        for run in (pair.case for pair in pairs if pair.name == "award-open")
        if run.p50_ms and run.p99_ms
    ]
    if spreads:
        notes.append(f"open loop: p99 is {median(spreads):.1f} times p50 (goal: under 15)")
    cores = ", ".join(map(str, sorted(options.cores)))
    notes.append(f"Medians of {options.pairs} rounds of {options.seconds:g} s on cores {cores}.")
    notes.append("client s, server s, database s: processor seconds in one run; by cpu: the ratio, reckoned from them.")
    return notes
