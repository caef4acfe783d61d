"""What `make bench ARGS='...'` can be told."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.load.cases import CASES


def options(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description="The ledger against pgbench, in pairs.")
    names = [case.name for case in CASES]
    parser.add_argument("--pairs", type=int, default=5, help="rounds; each runs every case next to simple-update")
    parser.add_argument("--seconds", type=float, default=6.0, help="of each run")
    parser.add_argument("--cases", type=_names(names), default=names, help=f"of {', '.join(names)}; with commas")
    parser.add_argument("--wallets", type=int, default=20_000)
    parser.add_argument("--lots", type=int, default=5, help="that each wallet begins with")
    parser.add_argument("--scale", type=int, default=50, help="of pgbench's tables")
    parser.add_argument("--cores", type=_cores, default=two_cores(), help="which two, such as 2,3; else the last two")
    parser.add_argument("--folder", type=Path, default=None, help="where PostgreSQL may write; else the temp folder")
    parser.add_argument("--python", type=Path, default=Path(sys.executable), help="what runs the ledger; else this one")
    parser.add_argument("--output", choices=["table", "json"], default="table")
    return parser.parse_args(words)


def _names(known: Sequence[str]) -> Callable[[str], list[str]]:
    def names(text: str) -> list[str]:
        chosen = text.split(",")
        if unknown := [name for name in chosen if name not in known]:
            raise argparse.ArgumentTypeError(f"there is no case {', '.join(unknown)}")
        return chosen

    return names


def _cores(text: str) -> set[int]:
    return {int(core) for core in text.split(",")}


def two_cores() -> set[int]:
    return set(sorted(os.sched_getaffinity(0))[-2:])
