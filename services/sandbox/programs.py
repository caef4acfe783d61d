"""A service's own programs: run in front, with the settings that the service itself would get."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Sequence

from services.sandbox.home import Home
from services.sandbox.keys import keys_of
from services.sandbox.platform import Platform
from services.sandbox.postgres import server_of
from services.sandbox.services import environment, password_file


def run_program(platform: Platform, service: str, program: str, arguments: Sequence[str]) -> int:
    """Run `services.<service>.<program>` as the owner of its schema, on this terminal; its exit code."""
    home: Home = platform.home
    keys = keys_of(home)
    settings = environment(
        service,
        home=home,
        keys=keys,
        leaf=platform.authority.service(service),
        server=server_of(home, keys.administrator),
        ports=platform.ports,
    )
    owner = {f"COALITION_{service}_OWNER_PASSWORD_FILE".upper(): str(password_file(home, service, "owner"))}
    command = [sys.executable, "-P", "-m", f"services.{service}.{program}", *arguments]
    with subprocess.Popen(command, env=settings | owner) as child:
        ours = signal.signal(signal.SIGINT, signal.SIG_IGN)  # the program hears it too, and cleans up by itself
        try:
            return child.wait()
        finally:
            signal.signal(signal.SIGINT, ours)
