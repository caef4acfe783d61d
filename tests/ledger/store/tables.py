"""The tables that are derived from the journal: their columns, keys and the verifier's names for their rows."""

from __future__ import annotations

from typing import Any

KEYS = {
    "heads": ("bucket",),
    "entries": ("bucket", "seq"),
    "postings": ("bucket", "seq", "line"),
    "requests": ("bucket", "wallet_id", "request_id"),
    "receipts": ("bucket", "receipt_no"),
    "wallets": ("bucket", "wallet_id", "unit"),
    "lots": ("bucket", "seq", "line"),
    "holds": ("bucket", "seq"),
    "redemptions": ("bucket", "seq"),
    "checkpoints": ("number",),
    "aliases": ("bucket", "wallet_id", "from_bucket", "from_wallet"),
    "transfers": ("bucket", "seq"),
    "slices": ("bucket", "partner"),
    "landmarks": ("bucket", "seq"),
}

SUBJECTS = {
    "heads": "head",
    "entries": "entry",
    "postings": "entry",
    "requests": "request",
    "receipts": "receipt",
    "wallets": "wallet",
    "lots": "lot",
    "holds": "hold",
    "redemptions": "redemption",
    "checkpoints": "checkpoint",
    "aliases": "alias",
    "transfers": "transfer",
    "slices": "slice",
    "landmarks": "landmark",
}

SHAPES = {
    "heads": "bucket seq hash posted_at epoch frozen",
    "entries": (
        "bucket seq kind wallet_id partner request_id request_hash points available pending held debt occurred_at"
        " posted_at original hold_until store terminal business_date receipt_no hash unit others counterpart_bucket"
        " counterpart_wallet counterpart_seq reason proposed_by approved_by"
    ),
    "postings": (
        "bucket seq line debit debit_party credit credit_party unit points lot_seq lot_line issuer expires_on posted_at"
        " for_seq for_line earned_at available_from idle_days campaign origin_bucket origin_seq origin_line"
    ),
    "requests": "bucket wallet_id request_id request_hash seq",
    "receipts": "bucket partner business_date store terminal receipt_no entry_bucket entry_seq",
    "wallets": (
        "bucket wallet_id unit available pending held debt active_at idle_days merged_bucket merged_wallet aliases"
    ),
    "lots": (
        "bucket seq line wallet_id unit issuer earned_at expires_on awarded available pending held undone"
        " available_from owed idle_days campaign origin_bucket origin_seq origin_line"
    ),
    "holds": "bucket seq wallet_id partner points captured released state expires_at",
    "redemptions": "bucket seq wallet_id partner points refunded",
    "checkpoints": (
        "number request_id seqs hashes root entry_count created_at signature key_id tree_roots tree_root tree_signature"
    ),
    "aliases": "bucket wallet_id from_bucket from_wallet",
    "transfers": "bucket seq kind to_bucket to_wallet arrived_seq",
    "slices": "bucket partner awarded remaining",
    "landmarks": "bucket seq posted_at",
}

NULLABLE = {
    (table, column)
    for table, columns in {
        "entries": (
            "original hold_until store terminal business_date receipt_no others counterpart_bucket counterpart_wallet"
            " counterpart_seq reason proposed_by approved_by"
        ),
        "postings": (
            "expires_on for_seq for_line earned_at available_from idle_days campaign origin_bucket origin_seq"
            " origin_line"
        ),
        "wallets": "active_at idle_days merged_bucket merged_wallet",
        "lots": "expires_on available_from idle_days campaign origin_bucket origin_seq origin_line",
        "checkpoints": "tree_roots tree_root tree_signature",
        "transfers": "arrived_seq",
        "slices": "remaining",
    }.items()
    for column in columns.split()
}

UNSAID = {("checkpoints", "request_id"), ("heads", "epoch"), ("slices", "remaining")}
"""What the journal does not say: who asked for a checkpoint, who posts, how an allowance was dealt out."""

ASIDE = {"alembic_version", "deployment", "adjustments", "allowances", "freezes", "leases", "policies", "processes"}
"""What was decided, not derived. (Trees have a page of their own: test_evidence.)"""


def columns() -> list[tuple[str, str]]:
    """Every column of every table, so that a column that is added later is asked for, too."""
    return [(table, column) for table, columns in SHAPES.items() for column in columns.split()]


def name_of(table: str, key: tuple[Any, ...]) -> str:
    """How the verifier names a row."""
    match table:
        case "heads":
            return str(key[0])
        case "wallets":
            return f"{key[0]}/{key[1]}"
        case "lots":
            return f"{key[0]}-{key[1]}.{key[2]}"
        case "checkpoints":
            return f"checkpoints/{key[0]}"
        case "requests" | "receipts":
            return ""
        case "slices" | "aliases":
            return f"{key[0]}/"
        case _:
            return f"{key[0]}-{key[1]}"
