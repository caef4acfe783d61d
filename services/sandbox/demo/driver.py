"""Plays the plan: moves the clock, lets tills and the operator act, and notes each finished step."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Executor, Future, wait
from datetime import date, datetime, timedelta
from functools import partial
from typing import Final, Protocol, TypeVar

import pyotp

from services.sandbox.demo import hours
from services.sandbox.demo.data import Purchase, Wish
from services.sandbox.demo.notes import Notebook, Notes, Step
from services.sandbox.demo.office import Office
from services.sandbox.demo.plan import Day, Plan, comes_back
from services.sandbox.demo.refusals import CodesExhausted
from services.sandbox.demo.till import BATCH, Till, Wished
from shared.clock import SandboxClock

T = TypeVar("T")

_CODE_STEP: Final = timedelta(seconds=30)
_MOST_CODE_STEPS: Final = 20


class Watcher(Protocol):
    """Whoever shows how far it is."""

    def advance(self, at: datetime, purchases: int) -> None:
        """So many more purchases are in the ledger."""


class Driver:
    """Two runs of the same plan, or one that was interrupted and resumed, ask the services for the same things.

    A step waits until all of it is done before the next one begins. Inside a step the order does not matter: awards add
    up in any order, a household's returns come one after the other, and in a turn each household wishes once.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        office: Office,
        tills: Mapping[str, Till],
        apps: Mapping[int, pyotp.TOTP],
        clock: SandboxClock,
        notebook: Notebook,
        pool: Executor,
        watcher: Watcher,
    ) -> None:
        self._plan = plan
        self._office = office
        self._tills = tills
        self._apps = apps
        self._clock = clock
        self._notebook = notebook
        self._pool = pool
        self._watcher = watcher
        self._names: dict[str, str] = {}  # of yesterday's purchases that come back today

    def run(self, notes: Notes) -> Notes:
        """From the step that the notes name to the end."""
        begin = notes.next_step
        if begin is None:
            return notes
        doubtful = True  # the first step may be half-done by an earlier run
        for day in self._plan.days(since=begin.day):
            done = begin.finished if day.on == begin.day else 0
            for number, (at, act) in enumerate(self._steps(day, notes)):
                if number < done:
                    continue
                self._reach(at)
                act(doubtful)
                doubtful = False
                self._notebook.write(Notes(notes.plan, notes.first_window, Step(day.on, number + 1)))
        finished = Notes(notes.plan, notes.first_window, None)
        self._notebook.write(finished)
        return finished

    def _steps(self, day: Day, notes: Notes) -> Iterator[tuple[datetime, Callable[[bool], None]]]:
        """What happens on a day, in order. The plan alone decides, so a step has the same number in every run."""
        if day.returns:
            yield hours.returns_at(day.on), partial(self._take_back, day.returns)
        if day.uploads:
            yield hours.uploads_at(day.on), partial(self._upload, day.uploads)
        for turn, wishes in enumerate(day.turns):
            yield hours.wishes_at(day.on, turn), partial(self._redeem, wishes)
        if day.closes_window:
            window = notes.first_window + months_between(self._plan.first_day, day.on)
            yield hours.closing_at(day.on), partial(self._close, window)

    def _close(self, window: int, _: bool) -> None:
        self._office.close(window)

    def _take_back(self, returned: Sequence[Purchase], _: bool) -> None:
        """One return of a household after the other: where points are short, the order says who gets them back."""
        by_household: defaultdict[int, list[Purchase]] = defaultdict(list)
        for purchase in returned:
            by_household[purchase.household].append(purchase)
        self._all(partial(self._return, purchases) for purchases in by_household.values())
        self._names.clear()

    def _return(self, purchases: Sequence[Purchase]) -> None:
        """What a till has forgotten over an interruption it asks again: a repeat answers with the name."""
        for purchase in purchases:
            till = self._tills[purchase.partner]
            name = self._names.get(purchase.key) or till.record([purchase])[purchase.key]
            till.take_back(purchase, name)

    def _redeem(self, wishes: Sequence[Wish], doubtful: bool) -> None:
        """One wish for each household. A code that an interrupted run used up makes all wait for the next one."""
        for _ in range(_MOST_CODE_STEPS):
            now = self._clock.now()
            became = self._all(partial(self._wish, wish, now, doubtful) for wish in wishes)
            wishes = [wish for wish, what in zip(wishes, became, strict=True) if what is Wished.CODE_USED]
            if not wishes:
                return
            self._clock.set(now + _CODE_STEP)
        raise CodesExhausted(household=wishes[0].household)

    def _wish(self, wish: Wish, now: datetime, doubtful: bool) -> Wished:
        till = self._tills[wish.partner]
        if doubtful and till.finished(wish):
            return Wished.GRANTED
        return till.pay_with_points(wish, self._apps[wish.household].at(now))

    def _upload(self, uploads: Mapping[str, Sequence[Purchase]], _: bool) -> None:
        """Each till sends its day as one backlog, the longest first, in batches."""
        longest = sorted(uploads.values(), key=len, reverse=True)
        batches = [sold[start : start + BATCH] for sold in longest for start in range(0, len(sold), BATCH)]
        self._all(partial(self._send, batch) for batch in batches)

    def _send(self, batch: Sequence[Purchase]) -> None:
        names = self._tills[batch[0].partner].record(batch)
        self._names.update((sold.key, names[sold.key]) for sold in batch if comes_back(sold))
        self._watcher.advance(self._clock.now(), len(batch))

    def _reach(self, at: datetime) -> None:
        """The clock only goes forward; after an interruption it may stand a few code steps ahead."""
        if self._clock.now() < at:
            self._clock.set(at)

    def _all(self, acts: Iterable[Callable[[], T]]) -> list[T]:
        """Side by side; the first failure ends the others that have not begun."""
        futures: list[Future[T]] = [self._pool.submit(act) for act in acts]
        try:
            done, _ = wait(futures, return_when=FIRST_EXCEPTION)
            for failed in done:
                failed.result()
            return [future.result() for future in futures]
        finally:
            for future in futures:
                future.cancel()


def months_between(first: date, later: date) -> int:
    """How many month ends lie between two days."""
    return (later.year - first.year) * 12 + later.month - first.month
