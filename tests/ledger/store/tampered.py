"""One value of one row changed, and put back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from psycopg import sql

from tests.ledger.store.tables import KEYS
from tests.ledger.store.vault import Vault
from tests.support.tampering import nearly, put_instead

INVENTIONS: dict[str, object] = {
    "active_at": datetime(2026, 1, 1, tzinfo=UTC),
    "approved_by": "x",
    "arrived_seq": 1,
    "available_from": datetime(2026, 1, 1, tzinfo=UTC),
    "business_date": date(2026, 1, 1),
    "campaign": "x",
    "counterpart_bucket": 1,
    "counterpart_seq": 1,
    "counterpart_wallet": UUID(int=1),
    "earned_at": datetime(2026, 1, 1, tzinfo=UTC),
    "expires_on": date(2026, 1, 1),
    "for_line": 1,
    "for_seq": 1,
    "hold_until": datetime(2026, 1, 1, tzinfo=UTC),
    "idle_days": 5,
    "merged_bucket": 1,
    "merged_wallet": UUID(int=1),
    "origin_bucket": 1,
    "origin_line": 1,
    "origin_seq": 1,
    "original": 1,
    "others": '{"STAMPS":{"available":1,"debt":0,"held":0,"pending":0}}',
    "proposed_by": "x",
    "reason": "x",
    "receipt_no": "x",
    "store": "x",
    "terminal": "x",
}
"""What stands where there was nothing."""


@contextmanager
def tampered(vault: Vault, table: str, column: str, *, present: bool) -> Iterator[tuple[Any, ...]]:
    """One value changed (or, when not `present`, NULL where there was something and the reverse), then put back."""
    name, field = sql.Identifier("ledger", table), sql.Identifier(column)
    keys = sql.SQL(", ").join(map(sql.Identifier, KEYS[table]))
    with vault.tampering() as connection:
        pick = sql.SQL("SELECT ctid::text, {}, {} FROM {} ORDER BY {} IS NULL, 3, {} LIMIT 1")
        row = connection.execute(pick.format(field, keys, name, field, keys)).fetchone()
        if not present:
            empty = sql.SQL("SELECT ctid::text, {}, {} FROM {} WHERE {} IS NULL ORDER BY {} LIMIT 1")
            row = connection.execute(empty.format(field, keys, name, field, keys)).fetchone() or row
        assert row is not None
        place, value, *key = row
        other = None if value is not None and not present else _other(value, column)
        if column.endswith("bucket") and value is not None and present:
            other = value + 1000 if table == "heads" else value ^ 4
        with put_instead(connection, name, column, place, value, other):
            yield tuple(key)


def _other(value: Any, column: str) -> Any:  # noqa: ANN401  # whatever the column holds
    """Nearly the same, or what is no such thing; something where there was nothing."""
    if value is None:
        return INVENTIONS[column]
    is_kind = isinstance(value, int) and column in ("kind", "debit", "credit", "unit", "state")
    return 99 if is_kind else nearly(value)
