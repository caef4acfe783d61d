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
    total = sum(parent.cpu_times()[:4])
    for child in parent.children(recursive=True):
        try:
            total += sum(child.cpu_times()[:2])
        except psutil.NoSuchProcess:
            continue
    return total
