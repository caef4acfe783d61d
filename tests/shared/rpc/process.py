"""The tests' server as a process of its own, started by path: for signals, ports and logs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import grpc

from shared.log import get_logger
from shared.rpc.channel import open_channel
from shared.rpc.server import serve
from tests.shared.home import StillClock, TestHome
from tests.shared.rpc.echo import ACCESS, SERVICE, Echo, Stub, Words
from tests.shared.rpc.refused import refused

ROOT = Path(__file__).parents[3]
END = "end"


class ServerProcess:
    """A server that lives until it is told to end. `falls`: then it does not end well."""

    def __init__(self, home: TestHome, *, falls: bool = False, **settings: object) -> None:
        facts = {"listen": "127.0.0.1:0", **settings}
        self.home = home
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.shared.rpc.process", str(home.folder), json.dumps(facts), str(falls)],
            cwd=ROOT,
            env={**os.environ, "PYTHONWARNINGS": "error"},
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[str] = []

    def until(self, event: str) -> dict[str, Any]:
        """Read the log until a line says `event`."""
        assert self.process.stderr
        for line in self.process.stderr:
            self.lines.append(line)
            if line.startswith("{") and json.loads(line)["event"] == event:
                return dict(json.loads(line))
        raise AssertionError(f"never said {event!r}: {self.lines}")

    def stub(self, port: int) -> Stub:
        leaf = self.home.authority.service("catalogue")
        self.channel = open_channel(f"127.0.0.1:{port}", leaf.ca_file, leaf.certificate_file, leaf.key_file)
        return Stub(self.channel)

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def ended(self) -> int:
        """Wait for the end; the exit status."""
        try:
            _, rest = self.process.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            self.process.kill()  # or the next test would find what this one left
            self.process.communicate()
            raise
        self.lines += rest.splitlines()
        return self.process.returncode


def logged_by(home: TestHome) -> list[str]:
    """What a server writes about one good call and one bad one."""
    server = ServerProcess(home)
    stub = server.stub(server.until("serving")["port"])
    stub.say(Words(text="a"), timeout=10)
    refused(stub.say, Words())
    server.channel.close()
    server.terminate()
    assert server.ended() == 0
    return server.lines


def main() -> None:
    home = TestHome(Path(sys.argv[1]))
    echo = Echo()

    def slow(request: Words, _context: object) -> Words:
        if request.text == END:  # main sleeps, and the signal wakes this thread instead
            signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
        time.sleep(len(request.text) / 10)
        return request

    def register(server: grpc.Server) -> None:
        echo.register(server)
        get_logger().info("registered")

    def stop() -> None:
        get_logger().info("writer ended")
        if sys.argv[3] == str(True):
            raise ValueError("fallen")

    echo.behaviour = slow
    serve(
        name="echo",
        settings=home.settings(**json.loads(sys.argv[2])),
        clock=StillClock(),
        access=ACCESS,
        register=register,
        service_names=[SERVICE],
        ready=lambda: True,
        on_stop=stop,
    )


if __name__ == "__main__":
    main()
