"""Every statement of the posting transaction. Set-based: one round trip for a batch, whatever its size.

Arrays go in as packed columns and are joined by position; each statement names the bucket first.
"""

from __future__ import annotations

LOCK_HEADS = """
SELECT bucket, seq, hash FROM ledger.heads WHERE bucket = ANY(%b) ORDER BY bucket FOR UPDATE
"""

ENTRY_COLUMNS = """e.bucket, e.seq, e.kind, e.wallet_id, e.partner, e.request_id, e.request_hash, e.points,
    e.available, e.pending, e.held, e.debt, e.occurred_at, e.posted_at, e.original, e.hold_until,
    e.store, e.terminal, e.business_date, e.receipt_no, e.hash"""

POSTING_COLUMNS = """p.bucket, p.seq, p.debit, p.debit_party, p.credit, p.credit_party, p.unit, p.points,
    p.lot_seq, p.lot_line, p.issuer, p.expires_on"""

ENTRIES_AT = f"""
SELECT {ENTRY_COLUMNS}
FROM unnest(%b, %b) AS asked (bucket, seq)
JOIN ledger.entries e ON e.bucket = asked.bucket AND e.seq = asked.seq
"""

POSTINGS_AT = f"""
SELECT {POSTING_COLUMNS}
FROM unnest(%b, %b) AS asked (bucket, seq)
JOIN ledger.postings p ON p.bucket = asked.bucket AND p.seq = asked.seq
ORDER BY p.bucket, p.seq, p.line
"""

REQUESTS_KNOWN = """
SELECT r.bucket, r.wallet_id, r.request_id, r.request_hash, r.seq
FROM unnest(%b, %b, %b) AS asked (bucket, wallet_id, request_id)
JOIN ledger.requests r
    ON r.bucket = asked.bucket AND r.wallet_id = asked.wallet_id AND r.request_id = asked.request_id
"""

RECEIPTS_KNOWN = """
SELECT r.partner, r.business_date, r.store, r.terminal, r.receipt_no, r.entry_bucket, r.entry_seq
FROM unnest(%b, %b, %b, %b, %b, %b) AS asked (bucket, partner, business_date, store, terminal, receipt_no)
JOIN ledger.receipts r
    ON r.bucket = asked.bucket AND r.partner = asked.partner AND r.business_date = asked.business_date
    AND r.store = asked.store AND r.terminal = asked.terminal AND r.receipt_no = asked.receipt_no
"""

WALLETS = """
SELECT w.bucket, w.wallet_id, w.available, w.pending, w.held, w.debt
FROM unnest(%b, %b) AS asked (bucket, wallet_id)
JOIN ledger.wallets w ON w.bucket = asked.bucket AND w.wallet_id = asked.wallet_id AND w.unit = 1
"""

LOT_COLUMNS = """l.bucket, l.wallet_id, l.seq, l.line, l.issuer, l.earned_at, l.expires_on,
    l.awarded, l.available, l.pending, l.held, l.undone"""

LOTS_TO_SPEND = f"""
SELECT {LOT_COLUMNS}
FROM unnest(%b, %b) AS asked (bucket, wallet_id)
JOIN ledger.lots l ON l.bucket = asked.bucket AND l.wallet_id = asked.wallet_id AND l.available > 0
"""

LOTS_OF_AWARDS = f"""
SELECT {LOT_COLUMNS}
FROM unnest(%b, %b) AS asked (bucket, seq)
JOIN ledger.lots l ON l.bucket = asked.bucket AND l.seq = asked.seq
"""

HOLD_COLUMNS = "h.bucket, h.wallet_id, h.seq, h.partner, h.points, h.captured, h.state, h.expires_at"

HOLDS_AT = f"""
SELECT {HOLD_COLUMNS}
FROM unnest(%b, %b) AS asked (bucket, seq)
JOIN ledger.holds h ON h.bucket = asked.bucket AND h.seq = asked.seq
"""

HOLDS_DUE_OF_WALLETS = f"""
SELECT {HOLD_COLUMNS}
FROM unnest(%b, %b) AS asked (bucket, wallet_id)
JOIN ledger.holds h ON h.bucket = asked.bucket AND h.wallet_id = asked.wallet_id AND h.state = 1
    AND h.expires_at <= %s
"""

REDEMPTIONS_AT = """
SELECT r.bucket, r.wallet_id, r.seq, r.partner, r.points, r.refunded
FROM unnest(%b, %b) AS asked (bucket, seq)
JOIN ledger.redemptions r ON r.bucket = asked.bucket AND r.seq = asked.seq
"""

INSERT_RECEIPTS = """
INSERT INTO ledger.receipts (bucket, partner, business_date, store, terminal, receipt_no, entry_bucket, entry_seq)
SELECT * FROM unnest(%b, %b, %b, %b, %b, %b, %b, %b)
ON CONFLICT DO NOTHING
"""

INSERT_ENTRIES = """
INSERT INTO ledger.entries (bucket, seq, kind, wallet_id, partner, request_id, request_hash, points,
    available, pending, held, debt, occurred_at, posted_at, original, hold_until,
    store, terminal, business_date, receipt_no, hash)
SELECT * FROM unnest(%b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b)
"""

INSERT_POSTINGS = """
INSERT INTO ledger.postings (bucket, seq, line, debit, debit_party, credit, credit_party, unit, points,
    lot_seq, lot_line, issuer, expires_on)
SELECT * FROM unnest(%b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b)
"""

INSERT_REQUESTS = """
INSERT INTO ledger.requests (bucket, wallet_id, request_id, request_hash, seq)
SELECT * FROM unnest(%b, %b, %b, %b, %b)
"""

UPSERT_WALLETS = """
INSERT INTO ledger.wallets (bucket, wallet_id, unit, available, pending, held, debt)
SELECT bucket, wallet_id, 1, available, pending, held, debt
FROM unnest(%b, %b, %b, %b, %b, %b) AS w (bucket, wallet_id, available, pending, held, debt)
ON CONFLICT (bucket, wallet_id, unit) DO UPDATE SET
    available = EXCLUDED.available, pending = EXCLUDED.pending, held = EXCLUDED.held, debt = EXCLUDED.debt
"""

UPSERT_LOTS = """
INSERT INTO ledger.lots (bucket, seq, line, wallet_id, unit, issuer, earned_at, expires_on,
    awarded, available, pending, held, undone)
SELECT bucket, seq, line, wallet_id, 1, issuer, earned_at, expires_on, awarded, available, pending, held, undone
FROM unnest(%b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b) AS l (bucket, seq, line, wallet_id, issuer, earned_at,
    expires_on, awarded, available, pending, held, undone)
ON CONFLICT (bucket, seq, line) DO UPDATE SET
    expires_on = EXCLUDED.expires_on, available = EXCLUDED.available, pending = EXCLUDED.pending,
    held = EXCLUDED.held, undone = EXCLUDED.undone
"""

UPSERT_HOLDS = """
INSERT INTO ledger.holds (bucket, seq, wallet_id, partner, points, captured, state, expires_at)
SELECT * FROM unnest(%b, %b, %b, %b, %b, %b, %b, %b)
ON CONFLICT (bucket, seq) DO UPDATE SET captured = EXCLUDED.captured, state = EXCLUDED.state
"""

UPSERT_REDEMPTIONS = """
INSERT INTO ledger.redemptions (bucket, seq, wallet_id, partner, points, refunded)
SELECT * FROM unnest(%b, %b, %b, %b, %b, %b)
ON CONFLICT (bucket, seq) DO UPDATE SET refunded = EXCLUDED.refunded
"""

UPDATE_HEADS = """
UPDATE ledger.heads h SET seq = n.seq, hash = n.hash
FROM unnest(%b, %b, %b) AS n (bucket, seq, hash)
WHERE h.bucket = n.bucket
"""
