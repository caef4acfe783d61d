"""The command `coalition` as people and scripts meet it: one line per refusal, exit codes that mean something."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from services.cli.options import Output
from services.sandbox.home import Home, made
from services.sandbox.keys import ensure_keys
from services.sandbox.platform import down
from services.sandbox.ports import LOOPBACK, ports_of
from services.sandbox.services import SERVICES
from tests.support.platform import RunningPlatform

Answer = subprocess.CompletedProcess[str]
Command = Callable[..., Answer]


@pytest.fixture
def coalition(tmp_path: Path) -> Iterator[Command]:
    """Runs the command in a home that is not there yet, unless a test names another."""

    def run(*words: str, home: Path | None = None) -> Answer:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("COALITION_")}
        environment |= {"COALITION_HOME": str(home or tmp_path / "home"), "NO_COLOR": "1", "COLUMNS": "200"}
        command = [sys.executable, "-m", "services.cli.main", *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    yield run
    down(Home(tmp_path / "home"), say=print)


def refused(answer: Answer, code: int = 1) -> str:
    """The one line of a refusal, after making sure that it is one."""
    assert answer.returncode == code, answer.stderr
    lines = [line for line in answer.stderr.splitlines() if not line.startswith("  ")]
    assert len(lines) == 1, answer.stderr
    assert lines[0].startswith("coalition: ")
    assert "Traceback" not in answer.stderr
    return lines[0]


def test_status_of_a_running_platform_is_healthy_in_words_and_json(
    coalition: Command, platform: RunningPlatform
) -> None:
    told = coalition("status", home=platform.home.root)
    assert told.returncode == 0
    assert told.stdout.count("healthy") == 1 + len(SERVICES)
    answer = json.loads(coalition("status", "--output", Output.JSON, home=platform.home.root).stdout)
    assert answer["home"] == str(platform.home.root)
    assert {process["name"]: process["state"] for process in answer["processes"]} == dict.fromkeys(
        ("postgres", *SERVICES), "healthy"
    )


def test_status_of_nothing_says_so_and_exits_1(coalition: Command) -> None:
    told = coalition("status")
    assert told.returncode == 1
    assert told.stdout.count("stopped") == 1 + len(SERVICES)


def test_a_second_up_is_done_at_once_and_says_where_services_are(coalition: Command, platform: RunningPlatform) -> None:
    told = coalition("up", home=platform.home.root)
    assert told.returncode == 0
    assert all(target in told.stdout for target in platform.sandbox.targets.values())


def test_down_of_nothing_is_no_error(coalition: Command) -> None:
    assert coalition("down").stdout == "Nothing was running.\n"


def test_an_occupied_port_is_one_line(coalition: Command, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    made(home)
    with socket.create_server((LOOPBACK, 0)) as listener:
        port = listener.getsockname()[1]
        ports_of(home, SERVICES, port)
        line = refused(coalition("up"))
    assert f"Port {port} of identity is taken by " in line
    assert "--port-base" in line


def test_a_lost_key_is_one_line(coalition: Command, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    made(home)
    ensure_keys(home).grants.unlink()
    assert "grants.keys is missing: it seals grants" in refused(coalition("up"))


def test_a_home_that_cannot_be_one_is_one_line(coalition: Command, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    line = refused(coalition("up", "--home", str(tmp_path / "file")))
    assert f"The folder {tmp_path / 'file'} cannot hold a sandbox" in line


def test_what_needs_a_running_platform_says_how_to_start_it(coalition: Command) -> None:
    for words in (("verify",), ("partner", "create", "grocer")):
        assert "Start them with `coalition up`" in refused(coalition(*words))


def test_a_partner_is_created_with_its_kit(coalition: Command, platform: RunningPlatform) -> None:
    told = coalition("partner", "create", "corner-shop", home=platform.home.root)
    assert told.returncode == 0, told.stderr
    kit = platform.home.partners / "corner-shop"
    assert str(kit) in told.stdout
    assert json.loads((kit / "credential.json").read_text())["partner"] == "corner-shop"
    assert (kit / "secret").read_text().strip() not in told.stdout


def test_a_refusal_of_a_service_is_one_line_too(coalition: Command, platform: RunningPlatform) -> None:
    line = refused(coalition("partner", "create", "Corner Shop", home=platform.home.root), code=2)
    assert "partner_id" in line


def test_the_clock_is_shown_moved_and_set(coalition: Command, platform: RunningPlatform) -> None:
    root = platform.home.root
    before = platform.clock.now()
    assert "the sandbox's own clock" in coalition("clock", home=root).stdout
    assert coalition("clock", "move", "1h30m", home=root).returncode == 0
    assert (platform.clock.now() - before).total_seconds() == 5400
    tomorrow = (platform.clock.now().replace(microsecond=0)).isoformat().replace("+00:00", "Z")
    assert coalition("clock", "set", tomorrow, home=root).stdout == f"{tomorrow}\n"


def test_the_machines_clock_cannot_be_set(coalition: Command) -> None:
    assert "coalition up --clock now" in refused(coalition("clock", "set", "2017-01-01"))


@pytest.mark.parametrize(
    "words",
    [
        ("clock", "set", "soon"),
        ("clock", "move", "a while"),
        ("clock", "move", "-999999d"),
        ("up", "--port-base", "80"),
        ("up", "--clock", "yesterday"),
        ("status", "--output", "xml"),
        ("sing",),
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_2(coalition: Command, words: tuple[str, ...]) -> None:
    told = coalition(*words)
    assert told.returncode == 2
    assert "Traceback" not in told.stderr


def test_the_version_is_told(coalition: Command) -> None:
    assert coalition("--version").stdout.startswith("coalition 0.")
