"""Conservation: what came into wallets and did not leave them is what they hold, for each unit and issuer (E23)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import psycopg

from services.ledger.domain.entry import AccountKind, Unit
from services.ledger.store.rows import Row
from shared.verifying import Differs

_FLOWS = """
SELECT unit, issuer, debit, debit_party, credit, credit_party, sum(points) FROM ledger.postings
WHERE bucket BETWEEN %s AND %s GROUP BY unit, issuer, debit, debit_party, credit, credit_party
"""
_HELD = """
SELECT unit, issuer, sum(available::numeric + pending + held - owed) FROM ledger.lots
WHERE bucket BETWEEN %s AND %s GROUP BY unit, issuer
"""
_BALANCES = """
SELECT unit, sum(available::numeric + pending + held - debt) FROM ledger.wallets
WHERE bucket BETWEEN %s AND %s GROUP BY unit
"""


class Source(NamedTuple):
    """Whose points, and of which unit."""

    unit: Unit
    issuer: str


Sums = Mapping[tuple[Source, AccountKind], int]


def compare_flows(cursor: psycopg.Cursor[Row], first: int, last: int, where: str = "") -> dict[Source, int]:
    """Compare the postings of these buckets with their lots and wallets; answers what is in transit from them.

    One snapshot, please: what is posted between two of these questions would look like a difference.
    """
    into, out_of = _crossing(cursor.execute(_FLOWS, [first, last]))
    held = {Source(Unit(unit), issuer): int(points) for unit, issuer, points in cursor.execute(_HELD, [first, last])}
    for source in sorted({*held, *(of for of, _ in (*into, *out_of))}):
        left = sum(_of(source, into).values()) - sum(_of(source, out_of).values())
        if left != held.get(source, 0):
            detail = f"{_told(source, into, out_of)} leave {left}, the lots hold {held.get(source, 0)}"
            raise Differs("conservation", f"{where}{source.unit.name}:{source.issuer}", detail)
    balances = {Unit(unit): int(points) for unit, points in cursor.execute(_BALANCES, [first, last])}
    for unit in Unit:
        lots = sum(points for source, points in held.items() if source.unit is unit)
        if lots != balances.get(unit, 0):
            detail = f"the lots hold {lots} points less debts, the wallets {balances.get(unit, 0)}"
            raise Differs("conservation", f"{where}{unit.name}", detail)
    return _in_transit(into, out_of)


def transit_of(rows: Iterable[Row]) -> dict[Source, int]:
    """What these sums of postings carry away from wallets."""
    return _in_transit(*_crossing(rows))


def _crossing(rows: Iterable[Row]) -> tuple[Sums, Sums]:
    """What came into wallets and what left them. A debt is the issuer's whom the wallet owes, a lot its own issuer's.

    Points that repay another issuer's debt leave the one and come to the other without leaving the wallet.
    """
    into: Counter[tuple[Source, AccountKind]] = Counter()
    out_of: Counter[tuple[Source, AccountKind]] = Counter()
    for unit, issuer, debit, debited, credit, credited, points in rows:
        if AccountKind(debit).is_inside:
            out_of[Source(Unit(unit), debited or issuer), AccountKind(credit)] += int(points)
        if AccountKind(credit).is_inside:
            into[Source(Unit(unit), credited or issuer), AccountKind(debit)] += int(points)
    return into, out_of


def _in_transit(into: Sums, out_of: Sums) -> dict[Source, int]:
    """What left a wallet and has reached no other yet; below zero where a debt travels."""
    transit: Counter[Source] = Counter()
    for (source, account), points in out_of.items():
        transit[source] += points * (account is AccountKind.IN_TRANSIT)
    for (source, account), points in into.items():
        transit[source] -= points * (account is AccountKind.IN_TRANSIT)
    return {source: points for source, points in transit.items() if points}


def _told(source: Source, into: Sums, out_of: Sums) -> str:
    """The flows of one source for people: `+100 ISSUED -30 REDEEMED`."""
    parts = [f"+{points} {account.name}" for account, points in sorted(_of(source, into).items())]
    parts += [f"-{points} {account.name}" for account, points in sorted(_of(source, out_of).items())]
    return " ".join(part for part in parts if not part.endswith(("AVAILABLE", "PENDING", "HELD"))) or "nothing"


def _of(source: Source, sums: Sums) -> dict[AccountKind, int]:
    return {account: points for (of, account), points in sums.items() if of == source}
