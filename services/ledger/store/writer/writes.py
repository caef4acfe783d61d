"""What the posting transaction writes. Arrays go in as packed columns; what is common goes without the rest."""

from __future__ import annotations

_ENTRY = """bucket, seq, kind, wallet_id, partner, request_id, request_hash, points, available, pending, held, debt,
    occurred_at, posted_at, original, hold_until, store, terminal, business_date, receipt_no, hash"""
_RARE_IN_ENTRY = """unit, others, counterpart_bucket, counterpart_wallet, counterpart_seq,
    reason, proposed_by, approved_by"""
_ENTRY_ARRAYS = ", ".join(["%b"] * 21)
_RARE_IN_ENTRY_ARRAYS = ", ".join(["%b"] * 8)


def _insert_entries(columns: str, arrays: str) -> str:
    """The claims of the receipts are made in one order by everybody, so that no two batches wait crosswise."""
    return f"""
WITH n AS (
    SELECT * FROM unnest(%b, %b, {arrays}) AS n (is_asked_for, claim_bucket, {columns})
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


INSERT_ENTRIES = _insert_entries(_ENTRY, _ENTRY_ARRAYS)
INSERT_RARE_ENTRIES = _insert_entries(f"{_ENTRY}, {_RARE_IN_ENTRY}", f"{_ENTRY_ARRAYS}, {_RARE_IN_ENTRY_ARRAYS}")

_POSTING = """bucket, seq, line, posted_at, debit, debit_party, credit, credit_party, unit, points,
    lot_seq, lot_line, issuer, expires_on"""
_RARE_IN_POSTING = """for_seq, for_line, earned_at, available_from, idle_days, campaign,
    origin_bucket, origin_seq, origin_line"""

INSERT_POSTINGS = f"""
INSERT INTO ledger.postings ({_POSTING})
SELECT * FROM unnest({", ".join(["%b"] * 14)})
"""
INSERT_RARE_POSTINGS = f"""
INSERT INTO ledger.postings ({_POSTING}, {_RARE_IN_POSTING})
SELECT * FROM unnest({", ".join(["%b"] * 23)})
"""

INSERT_WALLETS = """
INSERT INTO ledger.wallets (bucket, wallet_id, unit, available, pending, held, debt,
    active_at, idle_days, merged_bucket, merged_wallet, aliases)
SELECT * FROM unnest(%b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b)
"""
UPDATE_WALLETS = """
UPDATE ledger.wallets w SET available = n.available, pending = n.pending, held = n.held, debt = n.debt,
    active_at = coalesce(n.active_at, w.active_at)
FROM unnest(%b, %b, %b, %b, %b, %b, %b, %b) AS n (bucket, wallet_id, unit, available, pending, held, debt, active_at)
WHERE w.bucket = n.bucket AND w.wallet_id = n.wallet_id AND w.unit = n.unit
"""
UPDATE_RARE_WALLETS = """
UPDATE ledger.wallets w SET available = n.available, pending = n.pending, held = n.held, debt = n.debt,
    active_at = coalesce(n.active_at, w.active_at), idle_days = n.idle_days,
    merged_bucket = n.merged_bucket, merged_wallet = n.merged_wallet, aliases = n.aliases
FROM unnest(%b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b) AS n (bucket, wallet_id, unit, available, pending, held,
    debt, active_at, idle_days, merged_bucket, merged_wallet, aliases)
WHERE w.bucket = n.bucket AND w.wallet_id = n.wallet_id AND w.unit = n.unit
"""

_LOT = """bucket, seq, line, wallet_id, unit, issuer, earned_at, expires_on,
    awarded, available, pending, held, undone"""
_RARE_IN_LOT = "owed, available_from, idle_days, campaign, origin_bucket, origin_seq, origin_line"

INSERT_LOTS = f"""
INSERT INTO ledger.lots ({_LOT})
SELECT * FROM unnest({", ".join(["%b"] * 13)})
"""
INSERT_RARE_LOTS = f"""
INSERT INTO ledger.lots ({_LOT}, {_RARE_IN_LOT})
SELECT * FROM unnest({", ".join(["%b"] * 20)})
"""
UPDATE_LOTS = """
UPDATE ledger.lots l SET expires_on = n.expires_on, available = n.available, pending = n.pending, held = n.held,
    undone = n.undone, owed = n.owed
FROM unnest(%b, %b, %b, %b, %b, %b, %b, %b, %b) AS n (bucket, seq, line, expires_on, available, pending, held,
    undone, owed)
WHERE l.bucket = n.bucket AND l.seq = n.seq AND l.line = n.line
"""

INSERT_HOLDS = """
INSERT INTO ledger.holds (bucket, seq, wallet_id, partner, points, captured, released, state, expires_at)
SELECT * FROM unnest(%b, %b, %b, %b, %b, %b, %b, %b, %b)
"""
UPDATE_HOLDS = """
UPDATE ledger.holds h SET captured = n.captured, released = n.released, state = n.state, expires_at = n.expires_at
FROM unnest(%b, %b, %b, %b, %b, %b) AS n (bucket, seq, captured, released, state, expires_at)
WHERE h.bucket = n.bucket AND h.seq = n.seq
"""

INSERT_REDEMPTIONS = """
INSERT INTO ledger.redemptions (bucket, seq, wallet_id, partner, points, refunded)
SELECT * FROM unnest(%b, %b, %b, %b, %b, %b)
"""
UPDATE_REDEMPTIONS = """
UPDATE ledger.redemptions r SET refunded = n.refunded
FROM unnest(%b, %b, %b) AS n (bucket, seq, refunded)
WHERE r.bucket = n.bucket AND r.seq = n.seq
"""

INSERT_TRANSFERS = """
INSERT INTO ledger.transfers (bucket, seq, kind, to_bucket, to_wallet)
SELECT * FROM unnest(%b, %b, %b, %b, %b)
"""
INSERT_ALIASES = """
INSERT INTO ledger.aliases (bucket, wallet_id, from_bucket, from_wallet)
SELECT * FROM unnest(%b, %b, %b, %b)
"""

UPDATE_HEADS = """
UPDATE ledger.heads h SET seq = n.seq, hash = n.hash, posted_at = n.posted_at
FROM unnest(%b, %b, %b, %b) AS n (bucket, seq, hash, posted_at)
WHERE h.bucket = n.bucket
"""
