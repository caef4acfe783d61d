"""Every projection of a bucket, row by row in the order of its wallets, as facts to compare."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg

from services.ledger.store.rows import Row
from services.ledger.store.verifier.look import streamed
from shared.instants import micros

_BETWEEN = "WHERE t.bucket = %s AND t.wallet_id BETWEEN %s AND %s ORDER BY t.wallet_id"

STATEMENTS = {
    "wallet": f"""
        SELECT t.wallet_id, t.unit, t.available, t.pending, t.held, t.debt, t.active_at, t.idle_days,
            t.merged_bucket, t.merged_wallet, t.aliases
        FROM ledger.wallets t {_BETWEEN}, t.unit""",
    "lot": f"""
        SELECT t.wallet_id, t.seq, t.line, t.unit, t.issuer, t.earned_at, t.expires_on, t.awarded,
            t.available, t.pending, t.held, t.undone, t.owed, t.available_from, t.idle_days, t.campaign,
            t.origin_bucket, t.origin_seq, t.origin_line
        FROM ledger.lots t {_BETWEEN}, t.seq, t.line""",
    "hold": f"""
        SELECT t.wallet_id, t.seq, t.partner, t.points, t.captured, t.released, t.state, t.expires_at
        FROM ledger.holds t {_BETWEEN}, t.seq""",
    "redemption": f"""
        SELECT t.wallet_id, t.seq, t.partner, t.points, t.refunded FROM ledger.redemptions t {_BETWEEN}, t.seq""",
    "request": f"""
        SELECT t.wallet_id, t.seq, t.request_id, t.request_hash FROM ledger.requests t {_BETWEEN}, t.seq""",
    "alias": f"""
        SELECT t.wallet_id, t.from_bucket, t.from_wallet FROM ledger.aliases t {_BETWEEN}""",
}
"""By the subject of a difference. The wallet comes first in every row."""

_INSTANTS = {"wallet": (6,), "lot": (5, 13), "hold": (7,)}
"""Where in a row they stand."""


class Stored:
    """The rows of one table, in the order of their wallets."""

    def __init__(self, cursor: psycopg.Cursor[Row], subject: str, range_: list[object]) -> None:
        self.subject = subject
        self._rows = streamed(cursor, f"{subject}_rows", STATEMENTS[subject], range_)
        self._next = next(self._rows, None)

    def upto(self, wallet: UUID) -> list[Row]:
        """The wallet's rows; before them, those of wallets that the journal does not know."""
        return list(self._upto(wallet))

    def rest(self) -> list[Row]:
        """A row behind the last wallet, if there is one: one is enough to differ."""
        return [] if self._next is None else [self._next]

    def close(self) -> None:
        self._rows.close()

    def _upto(self, wallet: UUID) -> Iterator[Row]:
        while self._next is not None and self._next[0] <= wallet:
            yield self._next
            self._next = next(self._rows, None)


def plain(subject: str, row: Row) -> list[Any]:
    """A row with its instants in microseconds, as the journal says them."""
    facts = list(row)
    for place in _INSTANTS.get(subject, ()):
        if facts[place] is not None:
            facts[place] = micros(facts[place])
    return facts
