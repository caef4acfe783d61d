"""One run of a driver process against ledger processes, with the processor time of everybody who took part."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from tests.load.house import House, Ledger
from tests.load.measured import Measured
from tests.load.plan import Kind, Plan, Result, Till, packed, result_of
from tests.load.processor import used_by, used_by_family
from tests.load.worker import worker

_IN_ADVANCE_PER_SECOND = 40_000
"""Entries of batches that are made beforehand; single calls cost so little that they are made when they are sent."""

_runs = count(1)


def plan(
    house: House,
    ledgers: Sequence[Ledger],
    *,
    kind: Kind,
    in_flight: int,
    seconds: float,
    wallets: int,
    batch: int = 1,
    one_partner: bool = False,
    per_second: float | None = None,
    once: int = 0,
) -> Plan:
    """A plan for random wallets, each with one of the partners, each partner with a connection of its own.

    With `once`, for so many entries instead, wallet after wallet.
    """
    partners = house.partners[:1] * len(house.partners) if one_partner else house.partners
    return Plan(
        run=next(_runs),
        targets=[ledger.target for ledger in ledgers],
        tills=[_till(house, partner) for partner in partners],
        grant_keys_file=str(house.keys.grants),
        kind=kind,
        in_flight=in_flight,
        seconds=seconds,
        wallets=wallets,
        batch=batch,
        per_second=per_second,
        ready=once // batch or (int(_IN_ADVANCE_PER_SECOND * seconds / batch) if kind is Kind.BATCH else 0),
        once=bool(once),
    )


def drive(house: House, ledgers: Sequence[Ledger], plan: Plan) -> Measured:
    """What the driver measured. Every entry that it was told of is in the journal, and no other."""
    before = house.entry_count()
    servers = [ledger.pid for ledger in ledgers]
    with worker("tests.load.driver", packed(plan)) as driver:
        served, stored = used_by(servers), used_by_family(house.postmaster)
        result = result_of(driver.go())
        served, stored = used_by(servers) - served, used_by_family(house.postmaster) - stored
    _check(result, house.entry_count() - before)
    return Measured(
        per_second=result.done / result.seconds,
        p50_ms=result.p50_ms,
        p99_ms=result.p99_ms,
        client_seconds=result.processor_seconds,
        server_seconds=served,
        database_seconds=stored,
        seconds=result.seconds,
    )


def _till(house: House, partner: str) -> Till:
    leaf = house.authority.partner(partner)
    return Till(partner, str(leaf.certificate_file), str(leaf.key_file), str(leaf.ca_file), house.token(partner))


def _check(result: Result, grown: int) -> None:
    if result.refused:
        raise RuntimeError(f"{result.refused} requests were refused: {result.why}")
    if grown != result.acknowledged:
        raise RuntimeError(f"{result.acknowledged} entries were acknowledged, the journal grew by {grown}")
