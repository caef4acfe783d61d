"""The cases: what each of them does in one run, and how many ledger processes it wants."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from services.sandbox.services import BUCKETS
from tests.load.direct import write_path
from tests.load.driving import drive, plan
from tests.load.house import House, Ledger
from tests.load.importing import import_by_copy
from tests.load.measured import Measured
from tests.load.plan import Kind
from tests.load.reading import read_journal, replay

OPEN_SHARE = 0.6
_ROWS_PER_SECOND = 15_000
"""Rows of a file to import, for each second that a run of another case takes."""


@dataclass(frozen=True)
class Run:
    """What a run of a case may use. `unary` is the rate of single awards that this bench has measured so far."""

    house: House
    ledgers: Sequence[Ledger]
    seconds: float
    wallets: int
    unary: Callable[[], float]


@dataclass(frozen=True)
class Case:
    name: str
    what: str
    in_flight: str
    run: Callable[[Run], Measured]
    ledgers: int = 1
    once: bool = False
    """Measured in the first round only: it looks at the whole journal, which grows."""


def _load(
    run: Run, kind: Kind, in_flight: int, batch: int = 1, *, one_partner: bool = False, one_wallet: bool = False
) -> Measured:
    wanted = plan(
        run.house,
        run.ledgers,
        kind=kind,
        in_flight=in_flight,
        seconds=run.seconds,
        wallets=1 if one_wallet else run.wallets,
        batch=batch,
        one_partner=one_partner,
    )
    return drive(run.house, run.ledgers, wanted)


def _open(run: Run) -> Measured:
    wanted = plan(
        run.house,
        run.ledgers,
        kind=Kind.AWARD,
        in_flight=64,
        seconds=run.seconds,
        wallets=run.wallets,
        per_second=OPEN_SHARE * run.unary(),
    )
    return drive(run.house, run.ledgers, wanted)


def _direct(run: Run) -> Measured:
    in_advance = int(40_000 * run.seconds)
    return write_path(run.house, seconds=run.seconds, wallets=run.wallets, batch=500, in_advance=in_advance)


def _replay(run: Run) -> Measured:
    return replay(run.house, run.ledgers)


def _read(run: Run) -> Measured:
    return read_journal(run.house, run.ledgers, BUCKETS)


def _loaded(kind: Kind, in_flight: int, batch: int = 1, **hot: bool) -> Callable[[Run], Measured]:
    return lambda run: _load(run, kind, in_flight, batch, **hot)


def _import(run: Run) -> Measured:
    return import_by_copy(run.house, int(_ROWS_PER_SECOND * run.seconds), run.wallets)


CASES = (
    Case("replay", "VerifyJournal, entries", "1", _replay, once=True),
    Case("read-journal", "ReadJournal, entries", "1", _read, once=True),
    Case("award-64", "AwardPoints", "64", _loaded(Kind.AWARD, 64)),
    Case("award-256", "AwardPoints", "256", _loaded(Kind.AWARD, 256)),
    Case("award-open", f"AwardPoints, arriving at {OPEN_SHARE:.0%} of that", "open", _open),
    Case("hot-partner-64", "AwardPoints, one partner", "64", _loaded(Kind.AWARD, 64, one_partner=True)),
    Case("hot-wallet-64", "AwardPoints, one wallet", "64", _loaded(Kind.AWARD, 64, one_wallet=True)),
    Case("redeem-64", "RedeemPoints", "64", _loaded(Kind.REDEEM, 64)),
    Case("hold-capture-64", "HoldPoints, then CaptureHold: pairs", "64", _loaded(Kind.HOLD, 64)),
    Case("batch-100", "BatchAwardPoints of 100, entries", "16 x 100", _loaded(Kind.BATCH, 16, 100)),
    Case("batch-500", "BatchAwardPoints of 500, entries", "8 x 500", _loaded(Kind.BATCH, 8, 500)),
    Case("two-award-64", "AwardPoints, two processes", "64", _loaded(Kind.AWARD, 64), ledgers=2),
    Case("two-batch-500", "BatchAwardPoints of 500, two processes", "8 x 500", _loaded(Kind.BATCH, 8, 500), ledgers=2),
    Case("import", "opening lots from a file, by COPY", "1", _import, ledgers=0),
    Case("write-path", "the writer alone, batches of 500, entries", "8 x 500", _direct, ledgers=0),
)
