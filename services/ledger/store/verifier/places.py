"""What the deployment consists of: as many heads as buckets, and nothing hides in buckets that do not exist."""

from __future__ import annotations

import psycopg

from services.ledger.store.rows import Row
from shared.verifying import Differs

_DEPLOYMENT = "SELECT bucket_count FROM ledger.deployment"
_HEADS = "SELECT bucket, seq FROM ledger.heads ORDER BY bucket"
_BUCKETED = {
    "entry": "ledger.entries",
    "posting": "ledger.postings",
    "request": "ledger.requests",
    "receipt": "ledger.receipts",
    "wallet": "ledger.wallets",
    "lot": "ledger.lots",
    "hold": "ledger.holds",
    "redemption": "ledger.redemptions",
    "alias": "ledger.aliases",
    "transfer": "ledger.transfers",
    "tree": "ledger.tree_nodes",
    "landmark": "ledger.landmarks",
}
_NOWHERE = "SELECT bucket FROM {table} WHERE bucket < 0 OR bucket >= %s LIMIT 1"
_CLAIMS_NOWHERE = "SELECT entry_bucket FROM ledger.receipts WHERE entry_bucket < 0 OR entry_bucket >= %s LIMIT 1"


def compare_places(cursor: psycopg.Cursor[Row], bucket_count: int) -> int:
    """Raises Differs. Answers how many entries the heads stand for."""
    heads = cursor.execute(_HEADS).fetchall()
    if [bucket for bucket, _ in heads] != list(range(bucket_count)):
        raise Differs("head", "all", f"{len(heads)} heads for {bucket_count} buckets")
    created = cursor.execute(_DEPLOYMENT).fetchall()
    if [tuple(row) for row in created] != [(bucket_count,)]:
        raise Differs("deployment", "bucket_count", f"{created} is stored, {bucket_count} is in force")
    for subject, table in _BUCKETED.items():
        if row := cursor.execute(_NOWHERE.format(table=table), [bucket_count]).fetchone():
            raise Differs(subject, f"{row[0]}-", "there is no such bucket")
    if row := cursor.execute(_CLAIMS_NOWHERE, [bucket_count]).fetchone():
        raise Differs("receipt", f"{row[0]}-", "there is no such bucket")
    return sum(seq for _, seq in heads)
