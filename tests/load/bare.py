"""What a release of grpcio costs by itself: a coroutine that waits for a "commit" every 4 ms, and nothing else.

python -m tests.load.bare --python A/bin/python --python B/bin/python    (each with grpcio and uvloop; no stubs needed)

It runs the interpreters in turn and prints calls per second and processor time per call. The real thing is
`python -m tests.load.bench --cases award-64 --python A/bin/python`, with stubs of that release on PYTHONPATH.
"""

from __future__ import annotations

import argparse
import os
import selectors
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median

from shared.credentials.authority import Authority, Leaf
from tests.load.http2 import Connection
from tests.load.options import two_cores
from tests.load.processor import used_by

_SERVER = Path(__file__).with_name("bare_server.py")
_METHOD, _REQUEST = "/bare.Bare/Call", b"x" * 450
_IN_FLIGHT, _CONNECTIONS = 64, 8


class Caller:
    """Keeps calls in flight and counts those that are answered."""

    def __init__(self, target: str, leaf: Leaf) -> None:
        self._selector = selectors.DefaultSelector()
        self._connections = [Connection(target, leaf, ()) for _ in range(_CONNECTIONS)]
        for connection in self._connections:
            self._selector.register(connection.socket, connection.wants, connection)
        self._until = 0.0
        self.answered = 0

    def run(self, seconds: float) -> float:
        """Calls per second."""
        self.answered, started = 0, time.perf_counter()
        self._until = started + seconds
        for slot in range(_IN_FLIGHT):
            self._begin(self._connections[slot % _CONNECTIONS])
        while any(connection.in_flight for connection in self._connections):
            for connection in self._connections:
                connection.flush()
                self._selector.modify(connection.socket, connection.wants, connection)
            for key, _ in self._selector.select(0.1):
                key.data.receive()
        return self.answered / (time.perf_counter() - started)

    def _begin(self, connection: Connection) -> None:
        def answered(_answer: bytes, why: str) -> None:
            if why:
                raise SystemExit(why)
            self.answered += 1
            if time.perf_counter() < self._until:
                self._begin(connection)

        connection.call(_METHOD, _REQUEST, answered)


def measured(python: Path, leaf: Leaf, seconds: float) -> tuple[float, float]:
    """Calls per second, and microseconds of the server for each."""
    files = (str(leaf.certificate_file), str(leaf.key_file), str(leaf.ca_file))
    with subprocess.Popen([python, "-I", _SERVER, *files], stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            caller = Caller(f"127.0.0.1:{int(server.stdout.readline())}", leaf)
            caller.run(0.5)
            used = used_by([server.pid])
            rate = caller.run(seconds)
            return rate, 1e6 * (used_by([server.pid]) - used) / caller.answered
        finally:
            server.kill()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.load.bare", description=__doc__)
    parser.add_argument("--python", type=Path, action="append", required=True)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=3.0)
    options = parser.parse_args()
    os.sched_setaffinity(0, two_cores())
    found: dict[Path, list[tuple[float, float]]] = {python: [] for python in options.python}
    with tempfile.TemporaryDirectory() as folder:
        leaf = Authority.founded(Path(folder)).service("ledger")
        for _ in range(options.rounds):
            for python, runs in found.items():
                runs.append(measured(python, leaf, options.seconds))
    for python, runs in found.items():
        rates, costs = zip(*runs, strict=True)
        server = f"{median(costs):.0f} us of the server (least {min(costs):.0f})"
        print(f"{python}: {median(rates):,.0f} per second, {server}")


if __name__ == "__main__":
    main()
