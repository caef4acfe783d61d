"""All clients at once, each on a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.faults.till import Till


@dataclass
class Crowd:
    """All tills at work until so many operations are done, and as long as somebody is still to die."""

    tills: Sequence[Till]
    operations: int
    done: int = 0
    may_go: threading.Event = field(default_factory=threading.Event)
    failure: BaseException | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        self._threads = [threading.Thread(target=self._work, args=(till,), daemon=True) for till in self.tills]
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Let them go when they are done, and wait for all of them. Raises what made one give up."""
        self.may_go.set()
        for thread in self._threads:
            thread.join()
        if self.failure is not None:
            raise self.failure

    def _work(self, till: Till) -> None:
        try:
            while (self.done < self.operations or not self.may_go.is_set()) and self.failure is None:
                count = till.operate()
                with self._lock:
                    self.done += count
        except BaseException as error:  # the run ends with it; nobody may go on alone
            self.failure = error

    def everybody(self, act: Callable[[Till], None]) -> None:
        """Let each till do something, all at the same time. Raises what went wrong."""
        failures: list[BaseException] = []

        def acting(till: Till) -> None:
            try:
                act(till)
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=acting, args=(till,), daemon=True) for till in self.tills]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]
