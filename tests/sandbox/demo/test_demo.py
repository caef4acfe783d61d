"""The demo as a user runs it: the same totals undisturbed, interrupted, and with services killed under it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from services.sandbox.demo.parquet import data_folder
from services.sandbox.demo.plan import Plan, Slice, made_from
from services.sandbox.demo.refusals import DemoDataMissing
from services.sandbox.home import Home
from services.sandbox.platform import running_platform
from services.sandbox.processes import alive
from tests.settlement.cuts import all_cuts
from tests.support.databases import Databases
from tests.support.interrupting import LISTENING

try:
    FOLDER = data_folder()
except DemoDataMissing as missing:
    pytest.skip(f"{missing} {missing.advice}", allow_module_level=True)

BASKETS = "5000"  # thirteen days, two of seven wishes granted
COMMAND = [sys.executable, "-m", "services.cli.main"]

Totals = dict[str, Any]


@pytest.fixture
def home() -> Iterator[Path]:
    """A short path: a Unix socket must fit below it."""
    folder = Path(tempfile.mkdtemp(prefix="co-"))
    yield folder / "home"
    _coalition("down", "--home", str(folder / "home"))
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def undisturbed() -> Iterator[tuple[Path, Totals]]:
    """A home in which the demo ran from beginning to end, and what it printed."""
    folder = Path(tempfile.mkdtemp(prefix="co-"))
    try:
        yield folder / "home", _totals(_started(folder / "home"))
    finally:
        _coalition("down", "--home", str(folder / "home"))
        shutil.rmtree(folder, ignore_errors=True)


def _coalition(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *words], capture_output=True, text=True, timeout=120, check=False)


def _started(home: Path, *more: str) -> subprocess.Popen[str]:
    words = ["demo", "--baskets", BASKETS, "--output", "json", "--home", str(home), *more]
    return subprocess.Popen([*LISTENING, *COMMAND, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _totals(demo: subprocess.Popen[str]) -> Totals:
    answer, said = demo.communicate(timeout=240)
    assert demo.returncode == 0, said
    totals: Totals = json.loads(answer)
    assert totals.pop("seconds")["total"] > 0
    return totals


def _wait_for(demo: subprocess.Popen[str], home: Path, reached: Callable[[dict[str, object]], bool]) -> None:
    """Return when the demo's notes say that it has got so far; a demo that ended, or hangs, tells why."""
    give_up = time.monotonic() + 240
    while time.monotonic() < give_up and demo.poll() is None:
        try:
            if reached(json.loads((home / "demo.json").read_text())):
                return
        except FileNotFoundError:
            pass
        time.sleep(0.02)
    demo.kill()
    _, said = demo.communicate()
    raise TimeoutError(f"the demo did not get so far: {said[-2000:]}")


def _kill(pid: int) -> None:
    """Without a word, and wait until it is gone: on a busy machine a killed process lingers a moment."""
    os.kill(pid, signal.SIGKILL)
    give_up = time.monotonic() + 30
    while alive(pid) and time.monotonic() < give_up:
        time.sleep(0.02)


def _pid(home: Path, process: str) -> int:
    return int(json.loads((home / "run" / f"{process}.json").read_text())["pid"])


def _modelled(plan: Plan) -> Totals:
    """The same days played with nothing but a number for each household."""
    balance: Counter[int] = Counter()
    count: Counter[str] = Counter()
    for day in plan.days():
        for purchase in day.returns:
            recovered = min(purchase.base_points, balance[purchase.household])
            balance[purchase.household] -= recovered
            count.update(returns=1, reversed=recovered)
        for purchase in (purchase for sold in day.uploads.values() for purchase in sold):
            balance[purchase.household] += purchase.base_points
            count.update(purchases=1, awarded=purchase.base_points)
        for wish in (wish for turn in day.turns for wish in turn):
            granted = balance[wish.household] >= 100
            balance[wish.household] -= 100 * granted
            count.update(granted=granted, refused=not granted)
    return {
        "baskets": plan.basket_count,
        "purchases": count["purchases"],
        "returns": count["returns"],
        "redemptions": {"granted": count["granted"], "refused": count["refused"]},
        "points": {
            "awarded": count["awarded"],
            "reversed": count["reversed"],
            "redeemed": 100 * count["granted"],
            "refunded": 0,
            "expired": 0,
            "outstanding": balance.total(),
        },
    }


def test_all_purchases_are_counted_and_everything_adds_up(undisturbed: tuple[Path, Totals]) -> None:
    _, totals = undisturbed
    expected = _modelled(made_from(FOLDER, Slice.named(BASKETS)))
    assert {key: totals[key] for key in expected} == expected
    points = totals["points"]
    flows = points["awarded"] - points["reversed"] - points["redeemed"] + points["refunded"] - points["expired"]
    assert points["outstanding"] == flows
    nets = [Decimal(partner["net"]) for partner in totals["partners"]]
    assert sum(nets) + Decimal(totals["operator_net"]) == 0
    assert all(
        Decimal(partner["net"]) == Decimal(partner["reimbursed"]) - Decimal(partner["billed"])
        for partner in totals["partners"]
    )
    assert totals["windows"] == 1
    assert totals["verified"] is True


def test_closed_daily_weekly_or_once_the_bill_of_every_partner_is_the_same_to_the_cent(
    undisturbed: tuple[Path, Totals], databases: Databases
) -> None:
    """The service's own window is one more cut. A whole month: python -m tests.settlement.cuts --days 31."""
    home, totals = undisturbed
    days = made_from(FOLDER, Slice.named(BASKETS)).dates
    cuts = all_cuts(databases, running_platform(Home(home)), days)
    assert [found.windows for found in cuts.values()] == [len(days), -(-len(days) // 7), 1]
    once = cuts["once"].bills
    assert {partner["partner"]: Decimal(partner["net"]) * 100 for partner in totals["partners"]} == {
        partner: bill.net for partner, bill in once.items() if partner != "operator"
    }
    assert cuts["daily"].bills == cuts["weekly"].bills == once


def test_a_second_run_counts_nothing_twice(undisturbed: tuple[Path, Totals]) -> None:
    home, totals = undisturbed
    assert _totals(_started(home)) == totals


def test_interrupted_and_run_again_it_comes_to_the_same(home: Path, undisturbed: tuple[Path, Totals]) -> None:
    for day in ("2017-01-03", "2017-01-08"):
        demo = _started(home)
        _wait_for(demo, home, lambda notes, day=day: str(notes["next_day"]) >= day)  # type: ignore[misc]
        demo.send_signal(signal.SIGINT)
        _, said = demo.communicate(timeout=60)
        assert demo.returncode == 130
        assert "run the same command again" in said
    other = _coalition("demo", "--baskets", "5", "--home", str(home))
    assert (other.returncode, other.stdout) == (1, "")
    assert f"holds the unfinished demo of the first {BASKETS} baskets" in other.stderr
    assert _totals(_started(home)) == undisturbed[1]


def test_killed_services_come_back_and_it_goes_on(home: Path, undisturbed: tuple[Path, Totals]) -> None:
    demo = _started(home)
    for number, victim in enumerate(("identity", "ledger", "catalogue", "settlement", "postgres")):
        day = f"2017-01-{3 + 2 * number:02}"
        _wait_for(demo, home, lambda notes, day=day: str(notes["next_day"]) >= day)  # type: ignore[misc]
        _kill(_pid(home, victim))
        up = _coalition("up", "--home", str(home))
        assert up.returncode == 0, up.stderr
    assert _totals(demo) == undisturbed[1]
    another = _coalition("demo", "--baskets", "5", "--output", "json", "--home", str(home))
    assert json.loads(another.stdout)["baskets"] == 5, "a finished demo gives way to another"
