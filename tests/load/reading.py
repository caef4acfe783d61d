"""How fast the journal is read: page by page, as settlement does, and replayed as a whole, as the verifier does."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from coalition.ledger.v1 import ledger_pb2 as pb
from coalition.ledger.v1.ledger_pb2_grpc import LedgerServiceStub

from shared.rpc.channel import open_channel
from tests.load.house import House, Ledger
from tests.load.measured import Measured
from tests.load.processor import own_seconds, used_by, used_by_family

_PAGE = 10_000
_SECONDS = 3600.0


def read_journal(house: House, ledgers: Sequence[Ledger], buckets: int) -> Measured:
    """From the first entry to the last, once."""
    return _timed(house, ledgers, lambda ledger: _read(ledger, buckets))


def replay(house: House, ledgers: Sequence[Ledger]) -> Measured:
    """VerifyJournal, once: chains, checkpoints and every projection, from the first entry on."""
    return _timed(house, ledgers, _verified)


def _read(ledger: LedgerServiceStub, buckets: int) -> int:
    cursor = [pb.BucketPosition(bucket=bucket) for bucket in range(buckets)]
    count, more = 0, True
    while more:
        request = pb.ReadJournalRequest(cursor=cursor, page_size=_PAGE)
        page = ledger.ReadJournal(request, timeout=_SECONDS)
        cursor, more = list(page.cursor), page.more
        count += len(page.entries)
    return count


def _verified(ledger: LedgerServiceStub) -> int:
    for event in ledger.VerifyJournal(pb.VerifyJournalRequest(), timeout=_SECONDS):
        if event.HasField("summary"):
            return event.summary.entries
        if event.HasField("difference"):
            raise RuntimeError(f"the journal does not verify: {event.difference}")
    raise RuntimeError("the verification ended without a result")


def _timed(house: House, ledgers: Sequence[Ledger], work: Callable[[LedgerServiceStub], int]) -> Measured:
    leaf = house.operator
    servers = [ledger.pid for ledger in ledgers]
    with open_channel(ledgers[0].target, leaf.ca_file, leaf.certificate_file, leaf.key_file) as channel:
        served, stored, used = used_by(servers), used_by_family(house.postmaster), own_seconds()
        started = time.perf_counter()
        count = work(LedgerServiceStub(channel))
        took = time.perf_counter() - started
    return Measured(
        count / took,
        client_seconds=own_seconds() - used,
        server_seconds=used_by(servers) - served,
        database_seconds=used_by_family(house.postmaster) - stored,
        seconds=took,
    )
