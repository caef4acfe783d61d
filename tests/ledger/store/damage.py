"""A bucket that somebody damages, and how it comes to be whole again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.ledger.store.vault import Vault

_TABLES = ("entries", "postings", "heads", "wallets", "lots", "holds", "redemptions", "requests", "slices")


@contextmanager
def damaged(vault: Vault, bucket: int, statement: str) -> Iterator[None]:
    """What the statement does to the bucket lasts as long as the block: what was there before is kept and put back."""
    places = {**dict.fromkeys(_TABLES, "bucket"), "receipts": "entry_bucket"}
    with vault.tampering() as connection:
        for table, place in places.items():
            rows = f"SELECT * FROM ledger.{table} WHERE {place} = {bucket}"
            connection.execute(f"CREATE TEMP TABLE kept_{table} AS {rows}")
        assert connection.execute(statement).rowcount > 0
        yield
        with connection.transaction():  # at once: nobody posts to a bucket that is half repaired
            answer = connection.execute("SELECT frozen FROM ledger.heads WHERE bucket = %s", [bucket]).fetchone()
            for table, place in places.items():
                connection.execute(f"DELETE FROM ledger.{table} WHERE {place} = {bucket}")
                connection.execute(f"INSERT INTO ledger.{table} SELECT * FROM kept_{table}")
            connection.execute(
                "UPDATE ledger.heads SET frozen = %s WHERE bucket = %s", [bool(answer and answer[0]), bucket]
            )
