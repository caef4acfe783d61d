"""What `make bench-settlement ARGS='...'` can be told."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.load.options import two_cores


def options(words: Sequence[str] | None, known: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make bench-settlement",
        description="Settlement at size. The whole size: --entries 10000000 --lines 50000 --seconds 5 --rounds 30.",
    )
    parser.add_argument("--entries", type=int, default=200_000, help="of the window that is closed and settled")
    parser.add_argument("--journal", type=int, default=100_000, help="entries that are made and taken in, at most")
    parser.add_argument("--partners", type=int, default=500)
    parser.add_argument("--lines", type=int, default=5_000, help="of the bank's statement")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each run of awards")
    parser.add_argument(
        "--rounds", type=int, default=5, help="of such runs: one with windows closing between two without"
    )
    parser.add_argument("--cases", type=_names(known), default=list(known), help=f"of {', '.join(known)}; with commas")
    parser.add_argument("--cores", type=_cores, default=two_cores(), help="which two, such as 2,3; else the last two")
    parser.add_argument("--folder", type=Path, default=None, help="where PostgreSQL may write; else the temp folder")
    parser.add_argument("--python", type=Path, default=Path(sys.executable), help="what runs the services")
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
