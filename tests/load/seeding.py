"""What the ledger begins with: an allowance for each partner, some lots in every wallet, tables that are analysed."""

from __future__ import annotations

from collections.abc import Sequence

from coalition.ledger.v1 import ledger_pb2 as pb
from coalition.ledger.v1.ledger_pb2_grpc import LedgerServiceStub

from shared.rpc.channel import open_channel
from tests.load.driving import drive, plan
from tests.load.house import House, Ledger
from tests.load.plan import Kind

_BATCH = 500
_ALLOWANCE = 10**15
"""Out of reach: what is measured is that it is counted."""


def seed(house: House, wallets: int, lots: int) -> None:
    """A VACUUM ANALYZE at the end does what autovacuum would have done by and by."""
    with house.ledgers(1) as ledgers:
        _allow(house, ledgers)
        wanted = plan(
            house,
            ledgers,
            kind=Kind.BATCH,
            in_flight=8,
            seconds=600,
            wallets=wallets,
            batch=min(_BATCH, wallets),
            once=lots * wallets,
        )
        drive(house, ledgers, wanted)
    house.sql("VACUUM ANALYZE")


def _allow(house: House, ledgers: Sequence[Ledger]) -> None:
    leaf = house.operator
    with open_channel(ledgers[0].target, leaf.ca_file, leaf.certificate_file, leaf.key_file) as channel:
        ledger = LedgerServiceStub(channel)
        for partner in house.partners:
            request = pb.SetAwardAllowanceRequest(partner=partner, revision=1, limit_points=_ALLOWANCE)
            ledger.SetAwardAllowance(request, timeout=30)
