"""A large day at the bank comes in by upload, over gRPC, as `coalition settle bank import` sends it: all of it matched.

`BANK_LINES=50000 pytest -s tests/settlement/reconciling/test_large_statement.py` is the size of the design, and says
how long it took. As it stands the file is larger than a message, and quickly read.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from coalition.settlement.v1.reconciliation_pb2_grpc import (
    ReconciliationServiceStub,
    add_ReconciliationServiceServicer_to_server,
)

from services.cli.settle.uploads import uploaded
from services.settlement.access import ACCESS
from services.settlement.api.reconciliation import ReconciliationServicer
from services.settlement.api.rehearsal import rehearsing
from services.settlement.main import LIMITS
from shared.rpc.channel import open_channel
from shared.rpc.server import build_server
from tests.settlement.accounts import clearing
from tests.settlement.cashier import Cashier
from tests.settlement.reconciling.papers import Said, statement
from tests.shared.home import StillClock, TestHome
from tests.support.databases import Databases

LINES = int(os.environ.get("BANK_LINES", "600"))
MESSAGE_BYTES = 4 * 1024 * 1024
SERVICE = "coalition.settlement.v1.ReconciliationService"


@pytest.fixture
def cashier(databases: Databases, tmp_path: Path) -> Iterator[Cashier]:
    """Batch 1 collects one payment for each line."""
    one = Cashier(databases, tmp_path)
    one.has(clearing())
    one.approved(1, {f"partner-{number}": -(100 + number) for number in range(LINES)})
    one.release(1)
    yield one
    one.leave()


@pytest.fixture
def bank(cashier: Cashier, tmp_path: Path) -> Iterator[ReconciliationServiceStub]:
    """The real service over the cashier's rows, as the operator calls it."""
    home = TestHome(tmp_path / "home")
    servicer = ReconciliationServicer(cashier.sessions, cashier.clock, bytes(32), cashier.follow, 0)
    server, port = build_server(
        name="settlement",
        settings=home.settings(listen="127.0.0.1:0"),
        clock=StillClock(),
        access={method: roles for method, roles in ACCESS.items() if f"/{SERVICE}/" in method},
        register=lambda server: add_ReconciliationServiceServicer_to_server(servicer, server),
        service_names=[SERVICE],
        limits=LIMITS,
        inside=rehearsing(cashier.sessions),
    )
    server.start()
    leaf = home.authority.operator("carol")
    with open_channel(f"127.0.0.1:{port}", leaf.ca_file, leaf.certificate_file, leaf.key_file) as channel:
        yield ReconciliationServiceStub(channel)
    server.stop(0).wait()


@pytest.mark.timeout(180 + LINES // 50)
def test_every_line_of_a_large_statement_is_matched_by_upload(
    cashier: Cashier, bank: ReconciliationServiceStub, capsys: pytest.CaptureFixture[str]
) -> None:
    paid = list(cashier.instructions(1).values())
    entries = [
        Said(one.amount_minor, reference=one.reference)
        if number % 2
        else Said(one.amount_minor, end_to_end_id=one.end_to_end_id)
        for number, one in enumerate(paid)
    ]
    content = statement(clearing().iban, cashier.clock.now().date(), entries)
    content += b"<!--" + b"x" * max(0, MESSAGE_BYTES - len(content)) + b"-->"
    began = time.perf_counter()
    taken = uploaded(bank, "day.xml", content)
    took = time.perf_counter() - began
    assert len(content) > MESSAGE_BYTES
    assert (taken.matched_count, taken.proposed_count, taken.broken_count) == (LINES, 0, 0)
    assert set(cashier.states(1).values()) == {"BOOKED"}
    assert f"{len(content):,} of {len(content):,} bytes, done" in capsys.readouterr().err
    with capsys.disabled():
        print(f" {LINES:,} lines, {len(content) / 2**20:.1f} MiB by upload in {took:.1f} s", end="")
