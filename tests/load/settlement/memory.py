"""The most memory that the bench and its PostgreSQL took together while a block ran."""

from __future__ import annotations

import threading

import psutil

MIB = 1024 * 1024
_SECONDS = 0.25


class Peak:
    """This process and a family of others, looked at four times a second. Shared pages count once (PSS)."""

    def __init__(self, postmaster: int) -> None:
        self._postmaster = psutil.Process(postmaster)
        self._own = psutil.Process()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.own_mib = 0.0
        self.database_mib = 0.0

    @property
    def mib(self) -> float:
        return self.own_mib + self.database_mib

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self.own_mib = max(self.own_mib, self._own.memory_info().rss / MIB)
            self.database_mib = max(self.database_mib, self._family() / MIB)
            if self._over.wait(_SECONDS):
                return

    def _family(self) -> float:
        total = 0
        for one in (self._postmaster, *self._postmaster.children(recursive=True)):
            try:
                total += one.memory_full_info().pss
            except psutil.Error:
                continue
        return total
