"""Awards at a steady rate while windows close: what a till notices. Runs without and with closing, in turns.

A ledger and a settlement as the sandbox starts them. Settlement reads the journal in all runs, at the same rate: what
is compared is closing, and ingest goes on whether anybody closes or not. In a closing run one window follows the other
with half a second between, so that its p99 is made of thousands of awards of which many met a closing. The two quiet
runs around it take a drift of the machine out. One p99 differs from the next by a fifth whether anybody closes or not,
and a longer run does not help: so there are many short ones, and beside the median of what they say stands between
which of them the true one lies in 19 of 20 cases. What a goal does not lie outside of was not measured.
"""

from __future__ import annotations

import argparse
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from uuid import uuid4

from coalition.settlement.v1 import approvals_pb2
from coalition.settlement.v1 import settlement_pb2 as pb
from google.type.decimal_pb2 import Decimal

from services.sandbox import processes
from services.sandbox.clients import Calls, healthy
from services.sandbox.databases import ensure_databases
from services.sandbox.platform import COLLEAGUE
from services.sandbox.ports import ports_of
from services.sandbox.services import LEDGER, SETTLEMENT, command, environment, target
from shared.clock import SystemClock
from shared.rpc.wire import timestamp
from tests.load.driving import drive, plan
from tests.load.house import House, Ledger, house_in
from tests.load.measured import Measured, median_between
from tests.load.plan import Kind
from tests.load.seeding import seed
from tests.load.settlement.figures import Figure

_WALLETS, _LOTS = 2_000, 2
_SHARE = 0.4
"""Of what single awards could come to: where a till's wait is short, and a pause of anybody shows."""
_PAUSE_SECONDS = 0.5
_PATIENCE = 60.0
_END = ((signal.SIGTERM, 20.0),)


def awards(folder: Path, options: argparse.Namespace) -> Iterator[Figure]:
    """p99 in milliseconds, medians over the rounds; each closing run is compared with the quiet ones around it."""
    with house_in(folder, options.python, lambda _: None) as house:
        house.prepare()
        seed(house, _WALLETS, _LOTS)
        with house.ledgers(1) as ledgers, _settlement(house) as calls:
            rate = _SHARE * _run(house, ledgers, options, None).per_second
            quiet, closing, closed = [_p99(house, ledgers, options, rate)], [], 0
            for _ in range(options.rounds):
                with Closing(calls) as windows:
                    closing.append(_p99(house, ledgers, options, rate))
                closed += windows.closed
                quiet.append(_p99(house, ledgers, options, rate))
    size = f"{rate:,.0f} awards/s, {closed} windows"
    yield Figure("p99 of awards", size, median(quiet), "ms")
    yield Figure("p99 of awards while windows close", size, median(closing), "ms")
    ratios = [2 * c / (before + after) for before, c, after in zip(quiet, closing, quiet[1:], strict=False)]
    yield Figure("that, of the one before", size, median(ratios), "times", 1.1)
    least, most = median_between(ratios)
    yield Figure("that, at least", f"{options.rounds} rounds", least, "times")
    yield Figure("that, at most", f"{options.rounds} rounds", most, "times")


class Closing:
    """Closes one window after the other while the block runs."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.closed = 0

    def __enter__(self) -> Closing:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        if not self.closed:
            raise RuntimeError("no window was closed")

    def _run(self) -> None:
        windows = self._calls.windows
        while not self._over.wait(_PAUSE_SECONDS):
            name = windows.GetWindow(pb.GetWindowRequest(name="windows/open"), timeout=_PATIENCE).name
            windows.CloseWindow(pb.CloseWindowRequest(name=name, request_id=str(uuid4())), timeout=_PATIENCE)
            self.closed += 1


def _p99(house: House, ledgers: list[Ledger], options: argparse.Namespace, rate: float) -> float:
    house.sql("CHECKPOINT")
    found = _run(house, ledgers, options, rate).p99_ms
    assert found is not None
    return found


def _run(house: House, ledgers: list[Ledger], options: argparse.Namespace, rate: float | None) -> Measured:
    wanted = plan(
        house,
        ledgers,
        kind=Kind.AWARD,
        in_flight=64,
        seconds=options.seconds,
        wallets=_WALLETS,
        per_second=rate,
    )
    return drive(house, ledgers, wanted)


@contextmanager
def _settlement(house: House) -> Iterator[Calls]:
    """A settlement beside the ledger, with a contract for each partner, as the operator calls it."""
    ports = ports_of(house.home, [SETTLEMENT], None)
    known = {**ports, LEDGER: ports[f"{LEDGER}-0"]}
    leaf = house.authority.service(SETTLEMENT)
    ensure_databases(house.home, house.cluster, house.keys, SETTLEMENT, leaf)
    wanted = environment(SETTLEMENT, home=house.home, keys=house.keys, leaf=leaf, server=house.cluster, ports=known)
    words = [str(house.python), *command(SETTLEMENT)[1:]]
    log = house.home.logs / f"{SETTLEMENT}.log"
    record = processes.spawn(SETTLEMENT, words, wanted, log, house.home.run)
    targets = {SETTLEMENT: target(known, SETTLEMENT)}
    anna, ben = Calls(targets, house.operator), Calls(targets, house.authority.operator(COLLEAGUE))
    try:
        give_up = time.monotonic() + _PATIENCE
        while why := healthy(targets[SETTLEMENT], house.operator, timeout=1.0):
            if not processes.running(record) or time.monotonic() > give_up:
                raise RuntimeError(f"settlement did not start: {why} {processes.last_words(log)}")
        for partner in house.partners:
            _agree(anna, ben, partner)
        yield anna
    finally:
        anna.close()
        ben.close()
        processes.stop(record, gently=_END, records=house.home.run)


def _agree(anna: Calls, ben: Calls, partner: str) -> None:
    version = pb.ContractVersion(
        effective_from=timestamp(SystemClock().now().replace(year=2020)),
        timing=pb.TIMING_AT_ISSUANCE,
        rate_at_issuance=Decimal(value="0.012"),
        reimbursement_rate=Decimal(value="0.009"),
        currency="EUR",
    )
    request = pb.PublishContractVersionRequest(
        parent=f"partners/{partner}", request_id=str(uuid4()), contract_version=version
    )
    name = anna.contracts.PublishContractVersion(request, timeout=_PATIENCE).proposal
    proposal = ben.approvals.GetProposal(approvals_pb2.GetProposalRequest(name=name), timeout=_PATIENCE)
    approval = approvals_pb2.ApproveRequest(name=name, sha256=proposal.sha256, request_id=str(uuid4()))
    ben.approvals.Approve(approval, timeout=_PATIENCE)
