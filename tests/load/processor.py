"""Processor seconds that a process, or PostgreSQL with all its backends, has used so far."""

from __future__ import annotations

import resource
from collections.abc import Sequence

import psutil


def own_seconds() -> float:
    """Seconds of this process."""
    return sum(resource.getrusage(resource.RUSAGE_SELF)[:2])


def used_by(pids: Sequence[int]) -> float:
    """Seconds of these processes, in user and system mode."""
    return sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in pids)


def used_by_family(pid: int) -> float:
    """Seconds of a process and its children, also of those that have ended meanwhile."""
    parent = psutil.Process(pid)
    while True:
        before = parent.cpu_times()
        living = sum(_used(child) for child in parent.children(recursive=True))
        after = parent.cpu_times()
        if after[2:4] == before[2:4]:  # else a child ended while we counted: lost, or counted twice
            return sum(after[:4]) + living


def _used(process: psutil.Process) -> float:
    try:
        return sum(process.cpu_times()[:2])
    except psutil.NoSuchProcess:
        return 0.0
