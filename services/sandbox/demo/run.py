"""`coalition demo` from beginning to end: bring everything up, set the stage, play the plan, add up, verify."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final

import pyotp
from rich.console import Console

from services.sandbox import clocks, platform
from services.sandbox.demo import requests
from services.sandbox.demo.departments import PARTNERS
from services.sandbox.demo.driver import Driver
from services.sandbox.demo.hours import opening
from services.sandbox.demo.notes import Notebook, Notes, Step
from services.sandbox.demo.office import Office
from services.sandbox.demo.outcome import Outcome
from services.sandbox.demo.parquet import data_folder
from services.sandbox.demo.patience import Patience
from services.sandbox.demo.plan import Plan, Slice, made_from
from services.sandbox.demo.progress import Bar, shown
from services.sandbox.demo.refusals import (
    AnotherDemoRuns,
    DatabaseNotOurs,
    HomeInUse,
    OtherDemoHere,
    OthersHere,
    TotalsOfOthers,
)
from services.sandbox.demo.till import Till
from services.sandbox.home import Home, made
from services.sandbox.partners import admit, calls_of
from services.sandbox.platform import Platform
from services.sandbox.postgres import URL
from services.sandbox.verification import verify
from shared.clock import SandboxClock

THREADS: Final = 4
"""Enough to keep two cores busy: while one till waits for a commit, another's receipts are rated."""
_NAMED: Final = 3


class Demo:
    """One run in one home."""

    def __init__(self, home: Home, slice_: Slice, console: Console) -> None:
        self._home = home
        self._slice = slice_
        self._console = console
        self._notebook = Notebook(home.root / "demo.json")
        self._seconds: dict[str, float] = {}

    def play(self, *, fresh: bool) -> Outcome:
        """All of it, or what an earlier run left to do."""
        began = time.monotonic()
        with self._timed("plan"):
            plan = made_from(data_folder(), self._slice)
        made(self._home)
        with _alone(self._home), shown(self._console) as bar:
            self._make_room(bar, fresh)
            with self._timed("up"):
                running = self._up(plan, bar)
            outcome = self._played(plan, running, bar)
        self._seconds["total"] = time.monotonic() - began
        return outcome

    def _played(self, plan: Plan, running: Platform, bar: Bar) -> Outcome:
        patience = Patience(bar.say)
        office = Office(running.operator, running.colleague, patience)
        self._refuse_points_of_others(office)
        with ThreadPoolExecutor(THREADS, "demo") as pool:
            try:
                with self._timed("setup"):
                    notes = self._notebook.read() or self._set_stage(plan, running, office, pool, bar)
                with self._timed("run"):
                    notes = self._run(plan, running, office, patience, notes, pool, bar)
            finally:
                patience.stop()
                pool.shutdown(cancel_futures=True)
        patience = Patience(bar.say)
        office = Office(running.operator, running.colleague, patience)
        self._refuse_points_of_others(office)
        windows = range(notes.first_window, office.open_window())
        with self._timed("verify"):
            verdict = patience.until_answered(lambda: verify(running.operator, bar.verifying))
        return Outcome(
            baskets=plan.basket_count,
            wishes=plan.wish_count,
            purchases=office.purchases(),
            points=office.points(),
            money=office.money(windows),
            windows=len(windows),
            verdict=verdict,
            seconds=self._seconds,
        )

    def _make_room(self, bar: Bar, fresh: bool) -> None:
        """A home holds one demo. A finished one gives way to another; an unfinished one only when that is asked for."""
        held = self._notebook.read()
        if held is None or (held.plan == str(self._slice) and not fresh):
            return
        if not fresh and held.next_step is not None:
            raise OtherDemoHere(folder=self._home.root, held=held.plan, asked=str(self._slice))
        if os.environ.get(URL):
            raise DatabaseNotOurs(folder=self._home.root, url=URL)
        self._refuse_partners_of_others(bar)
        bar.say(f"throwing away the demo of {held.plan} in {self._home.root}")
        platform.down(self._home, say=bar.say)
        _throw_away(self._home)

    def _refuse_partners_of_others(self, bar: Bar) -> None:
        """What others began here is not the demo's to throw away. A partner without a kit only identity knows."""
        strangers = {kit.name for kit in self._home.partners.iterdir()} - set(PARTNERS)
        if not strangers:
            running = platform.up(self._home, say=bar.say)
            office = Office(running.operator, running.colleague, Patience(bar.say))
            strangers = office.partners() - set(PARTNERS)
        if strangers:
            raise OthersHere(folder=self._home.root, partners=_some_of(strangers))

    def _refuse_points_of_others(self, office: Office) -> None:
        """The ledger's totals are the demo's as long as only the demo's partners moved points."""
        strangers = {flow.partner for flow in office.points().partners} - set(PARTNERS)
        if strangers:
            raise TotalsOfOthers(folder=self._home.root, partners=_some_of(strangers))

    def _up(self, plan: Plan, bar: Bar) -> Platform:
        """As `coalition up` does; the first time with a clock of its own, which is set to the first day."""
        if self._notebook.read() is not None:
            return platform.up(self._home, say=bar.say)
        if self._home.inventory.exists():
            running = platform.up(self._home, say=bar.say)
            entries = Office(running.operator, running.colleague, Patience(bar.say)).entry_count()
            if entries:
                raise HomeInUse(folder=self._home.root, entries=entries)
        running = platform.up(self._home, say=bar.say, clock=opening(plan.first_day))
        clocks.set_to(self._home, opening(plan.first_day))
        return running

    def _set_stage(self, plan: Plan, running: Platform, office: Office, pool: Executor, bar: Bar) -> Notes:
        """Partners, stores, terms and members. The notes come last, so that an interrupted set-up is done again."""
        bar.say(f"admitting {len(PARTNERS)} partners and {len(plan.households):,} members")
        for partner in PARTNERS:
            admit(running, partner, requests.DISPLAY_NAMES[partner])
            office.agree(partner, opening(plan.first_day))
        office.open_stores(plan.stores, pool)
        office.enrol(plan.households)
        notes = Notes(str(self._slice), office.open_window(), Step(plan.first_day))
        self._notebook.write(notes)
        return notes

    def _run(
        self, plan: Plan, running: Platform, office: Office, patience: Patience, notes: Notes, pool: Executor, bar: Bar
    ) -> Notes:
        if notes.next_step is None:
            return notes
        bar.begin("purchases", plan.purchases_before(notes.next_step.day), plan.purchase_count)
        seeds = office.enrol(plan.wishing_households)  # enrolled before: a repeat answers with the seed again
        driver = Driver(
            plan,
            office=office,
            tills={
                partner: Till(partner, calls_of(running, admit(running, partner)), patience) for partner in PARTNERS
            },
            apps={household: pyotp.TOTP(seed) for household, seed in seeds.items()},
            clock=SandboxClock(self._home.clock),
            notebook=self._notebook,
            pool=pool,
            watcher=bar,
        )
        return driver.run(notes)

    @contextmanager
    def _timed(self, what: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self._seconds[what] = time.monotonic() - began


@contextmanager
def _alone(home: Home) -> Iterator[None]:
    """Two demos in one home would move each other's clock."""
    handle = os.open(home.root / "demo.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise AnotherDemoRuns(folder=home.root) from None
    finally:
        os.close(handle)


def _some_of(partners: set[str]) -> str:
    """The first of them by name, and how many there are beside."""
    named, more = sorted(partners)[:_NAMED], len(partners) - _NAMED
    return ", ".join(named) + (f" and {more} more" if more > 0 else "")


def _throw_away(home: Home) -> None:
    """What `up` and the demo made in a home, and nothing else that may lie there."""
    for folder in (home.postgres, home.certificates, home.keys, home.secrets, home.partners, home.run, home.logs):
        shutil.rmtree(folder, ignore_errors=True)
    for file in (home.clock, home.ports, home.inventory, home.root / "demo.json"):
        file.unlink(missing_ok=True)
