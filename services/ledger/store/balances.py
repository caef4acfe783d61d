"""What a wallet holds: now, at any moment that was recorded, and when it ends. Each a few index lookups."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

import psycopg
from sqlalchemy import Engine

from services.ledger.domain.entry import Balance, Unit
from services.ledger.domain.moment import Moment
from services.ledger.domain.wallet import Wallet
from services.ledger.store.rows import Row, lot_of
from services.ledger.store.session import reading
from services.ledger.store.writer.statements import LOT_COLUMNS
from shared.instants import instant, micros

_NOW = """
SELECT unit, available, pending, held, debt FROM ledger.wallets WHERE bucket = %s AND wallet_id = %s ORDER BY unit
"""
_AS_OF = """
SELECT posted_at, seq, available, pending, held, debt FROM ledger.entries
WHERE bucket = %s AND wallet_id = %s AND unit = %s AND posted_at <= %s ORDER BY posted_at DESC, seq DESC LIMIT 1
"""
# An entry of several units names the first of them; the others stand in `others`.
_BESIDE_AS_OF = """
SELECT posted_at, seq, others FROM ledger.entries
WHERE bucket = %s AND wallet_id = %s AND others IS NOT NULL AND others LIKE %s AND posted_at <= %s
ORDER BY posted_at DESC, seq DESC LIMIT 1
"""
_ACTIVE = "SELECT active_at FROM ledger.wallets WHERE bucket = %s AND wallet_id = %s AND unit = 1"
_LIVE_LOTS = f"""
SELECT {LOT_COLUMNS} FROM ledger.lots l
WHERE l.bucket = %s AND l.wallet_id = %s AND l.available + l.pending + l.held > 0
"""

ExpiryDates = dict[tuple[Unit, date | None], Balance]
"""Points by unit and last day of use; None: they never end."""


class Balances:
    """Questions about one wallet."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def now(self, bucket: int, wallet: UUID) -> Mapping[Unit, Balance]:
        """By unit; a unit that has never been used is not there."""
        with reading(self._engine) as cursor:
            rows = cursor.execute(_NOW, [bucket, wallet]).fetchall()
        return {Unit(unit): Balance(*balance) for unit, *balance in rows}

    def as_of(self, bucket: int, wallet: UUID, at: int) -> Mapping[Unit, Balance]:
        """As the last entries until then left it."""
        with reading(self._engine) as cursor:
            found = {unit: _at(cursor, bucket, wallet, unit, instant(at)) for unit in Unit}
        return {unit: balance for unit, balance in found.items() if balance is not None}

    def expiry_dates(self, bucket: int, wallet: UUID, now: Moment) -> ExpiryDates:
        """Every date on which points end if nothing happens until then."""
        known = Wallet(bucket, wallet)
        with reading(self._engine) as cursor:
            row = cursor.execute(_ACTIVE, [bucket, wallet]).fetchone()
            lots = [lot_of(row) for row in cursor.execute(_LIVE_LOTS, [bucket, wallet])]
        known.active_at = micros(row[0]) if row and row[0] else None
        dates: ExpiryDates = {}
        for lot in lots:
            key = (lot.unit, known.last_day(lot, now))
            sum_ = dates.get(key, Balance())
            dates[key] = Balance(sum_.available + lot.available, sum_.pending + lot.pending, sum_.held + lot.held)
        return dict(sorted(dates.items(), key=lambda item: (item[0][0], item[0][1] or date.max)))


def _at(cursor: psycopg.Cursor[Row], bucket: int, wallet: UUID, unit: Unit, at: datetime) -> Balance | None:
    """The later of the last entry that the unit led and the last one that it stood beside."""
    lead = cursor.execute(_AS_OF, [bucket, wallet, unit, at]).fetchone()
    beside = None
    if unit is not Unit.POINTS:
        beside = cursor.execute(_BESIDE_AS_OF, [bucket, wallet, f'%"{unit.name}"%', at]).fetchone()
    if beside is not None and (lead is None or beside[1] > lead[1]):
        balance = json.loads(beside[2])[unit.name]
        return Balance(balance["available"], balance["pending"], balance["held"], balance["debt"])
    return None if lead is None else Balance(*lead[2:])
