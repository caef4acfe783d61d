"""What the posting transaction writes. Arrays go in as packed columns; what is common goes without the rest."""

from __future__ import annotations


def _rows(columns: str) -> str:
    """Arrays side by side as rows, one array for each column.

    Each is unrolled by itself as the rows are asked for. `unnest` of several in FROM stores them as tables first, which
    is a sixteenth of what PostgreSQL has to do for an award.
    """
    return "SELECT " + ", ".join(f"unnest(%b) AS {column.strip()}" for column in columns.split(","))


_ENTRY = """bucket, seq, kind, wallet_id, partner, request_id, request_hash, points, available, pending, held, debt,
    occurred_at, posted_at, original, hold_until, store, terminal, business_date, receipt_no, hash"""
_RARE_IN_ENTRY = """unit, others, counterpart_bucket, counterpart_wallet, counterpart_seq,
    reason, proposed_by, approved_by"""


def _insert_entries(columns: str) -> str:
    """The claims of the receipts are made in one order by everybody, so that no two batches wait crosswise."""
    return f"""
WITH n AS (
    {_rows(f"is_asked_for, claim_bucket, {columns}")}
), entry AS (
    INSERT INTO ledger.entries ({columns}) SELECT {columns} FROM n
), claim AS (
    INSERT INTO ledger.receipts (bucket, partner, business_date, store, terminal, receipt_no, entry_bucket, entry_seq)
    SELECT claim_bucket, partner, business_date, coalesce(store, ''), coalesce(terminal, ''), receipt_no, bucket, seq
    FROM n WHERE claim_bucket IS NOT NULL ORDER BY claim_bucket, receipt_no, partner, business_date, store, terminal
)
INSERT INTO ledger.requests (bucket, wallet_id, request_id, request_hash, seq)
SELECT bucket, wallet_id, request_id, request_hash, seq FROM n WHERE is_asked_for
"""


INSERT_ENTRIES = _insert_entries(_ENTRY)
INSERT_RARE_ENTRIES = _insert_entries(f"{_ENTRY}, {_RARE_IN_ENTRY}")

_POSTING = """bucket, seq, line, posted_at, debit, debit_party, credit, credit_party, unit, points,
    lot_seq, lot_line, issuer, expires_on"""
_RARE_IN_POSTING = """for_seq, for_line, earned_at, available_from, idle_days, campaign,
    origin_bucket, origin_seq, origin_line"""

INSERT_POSTINGS = f"""
INSERT INTO ledger.postings ({_POSTING})
{_rows(_POSTING)}
"""
INSERT_RARE_POSTINGS = f"""
INSERT INTO ledger.postings ({_POSTING}, {_RARE_IN_POSTING})
{_rows(f"{_POSTING}, {_RARE_IN_POSTING}")}
"""

_WALLET = """bucket, wallet_id, unit, available, pending, held, debt, active_at, idle_days, merged_bucket,
    merged_wallet, aliases"""
INSERT_WALLETS = f"""
INSERT INTO ledger.wallets ({_WALLET})
{_rows(_WALLET)}
"""
UPDATE_WALLETS = f"""
UPDATE ledger.wallets w SET available = n.available, pending = n.pending, held = n.held, debt = n.debt,
    active_at = coalesce(n.active_at, w.active_at)
FROM ({_rows("bucket, wallet_id, unit, available, pending, held, debt, active_at")}) AS n
WHERE w.bucket = n.bucket AND w.wallet_id = n.wallet_id AND w.unit = n.unit
"""
UPDATE_RARE_WALLETS = f"""
UPDATE ledger.wallets w SET available = n.available, pending = n.pending, held = n.held, debt = n.debt,
    active_at = coalesce(n.active_at, w.active_at), idle_days = n.idle_days,
    merged_bucket = n.merged_bucket, merged_wallet = n.merged_wallet, aliases = n.aliases
FROM ({_rows(_WALLET)}) AS n
WHERE w.bucket = n.bucket AND w.wallet_id = n.wallet_id AND w.unit = n.unit
"""

_LOT = """bucket, seq, line, wallet_id, unit, issuer, earned_at, expires_on,
    awarded, available, pending, held, undone"""
_RARE_IN_LOT = "owed, available_from, idle_days, campaign, origin_bucket, origin_seq, origin_line"

INSERT_LOTS = f"""
INSERT INTO ledger.lots ({_LOT})
{_rows(_LOT)}
"""
INSERT_RARE_LOTS = f"""
INSERT INTO ledger.lots ({_LOT}, {_RARE_IN_LOT})
{_rows(f"{_LOT}, {_RARE_IN_LOT}")}
"""
UPDATE_LOTS = f"""
UPDATE ledger.lots l SET expires_on = n.expires_on, available = n.available, pending = n.pending, held = n.held,
    undone = n.undone, owed = n.owed
FROM ({_rows("bucket, seq, line, expires_on, available, pending, held, undone, owed")}) AS n
WHERE l.bucket = n.bucket AND l.seq = n.seq AND l.line = n.line
"""

_HOLD = "bucket, seq, wallet_id, partner, points, captured, released, state, expires_at"
INSERT_HOLDS = f"""
INSERT INTO ledger.holds ({_HOLD})
{_rows(_HOLD)}
"""
UPDATE_HOLDS = f"""
UPDATE ledger.holds h SET captured = n.captured, released = n.released, state = n.state, expires_at = n.expires_at
FROM ({_rows("bucket, seq, captured, released, state, expires_at")}) AS n
WHERE h.bucket = n.bucket AND h.seq = n.seq
"""

_REDEMPTION = "bucket, seq, wallet_id, partner, points, refunded"
INSERT_REDEMPTIONS = f"""
INSERT INTO ledger.redemptions ({_REDEMPTION})
{_rows(_REDEMPTION)}
"""
UPDATE_REDEMPTIONS = f"""
UPDATE ledger.redemptions r SET refunded = n.refunded
FROM ({_rows("bucket, seq, refunded")}) AS n
WHERE r.bucket = n.bucket AND r.seq = n.seq
"""

_TRANSFER = "bucket, seq, kind, to_bucket, to_wallet"
INSERT_TRANSFERS = f"""
INSERT INTO ledger.transfers ({_TRANSFER})
{_rows(_TRANSFER)}
"""
_ALIAS = "bucket, wallet_id, from_bucket, from_wallet"
INSERT_ALIASES = f"""
INSERT INTO ledger.aliases ({_ALIAS})
{_rows(_ALIAS)}
"""

UPDATE_HEADS = f"""
UPDATE ledger.heads h SET seq = n.seq, hash = n.hash, posted_at = n.posted_at
FROM ({_rows("bucket, seq, hash, posted_at")}) AS n
WHERE h.bucket = n.bucket
"""
