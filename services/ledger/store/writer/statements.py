"""What the posting transaction asks. Set-based: one statement for a batch, whatever its size; the bucket comes first.

Arrays go in as packed columns and are joined by position. `n` is the position of what was asked for, from 1 on: a
number is cheaper to read than the wallet it stands for.
"""

from __future__ import annotations

from functools import cache

NEXT = 4
"""Lots that are read of a wallet at first: most spend from one or two, and each costs as much as the spending."""


@cache
def lock_heads(count: int) -> str:
    """Lock so many heads, in the order in which they are named: each by its own bucket, as a cluster wants it."""
    columns = "bucket, seq, hash, posted_at, epoch, frozen"
    heads = [
        f"h{n} AS MATERIALIZED (SELECT {columns} FROM ledger.heads WHERE bucket = %s FOR UPDATE)"
        for n in range(1, count + 1)
    ]
    rows = " UNION ALL ".join(f"SELECT * FROM h{n}" for n in range(1, count + 1))
    return f"WITH {', '.join(heads)} {rows}"


ENTRY_COLUMNS = """e.bucket, e.seq, e.kind, e.wallet_id, e.partner, e.request_id, e.request_hash, e.points,
    e.available, e.pending, e.held, e.debt, e.occurred_at, e.posted_at, e.original, e.hold_until,
    e.store, e.terminal, e.business_date, e.receipt_no, e.hash,
    e.unit, e.others, e.counterpart_bucket, e.counterpart_wallet, e.counterpart_seq,
    e.reason, e.proposed_by, e.approved_by"""

POSTING_COLUMNS = """p.bucket, p.seq, p.debit, p.debit_party, p.credit, p.credit_party, p.unit, p.points,
    p.lot_seq, p.lot_line, p.issuer, p.expires_on, p.for_seq, p.for_line,
    p.earned_at, p.available_from, p.idle_days, p.campaign, p.origin_bucket, p.origin_seq, p.origin_line"""

REQUESTS_KNOWN = """
SELECT r.bucket, r.wallet_id, r.request_id, r.seq
FROM unnest(%b, %b, %b) AS asked (bucket, wallet_id, request_id)
JOIN ledger.requests r
    ON r.bucket = asked.bucket AND r.wallet_id = asked.wallet_id AND r.request_id = asked.request_id
"""

RECEIPTS_KNOWN = """
SELECT r.partner, r.business_date, r.store, r.terminal, r.receipt_no, r.entry_bucket, r.entry_seq
FROM unnest(%b, %b, %b, %b, %b, %b)
    AS asked (bucket, partner, business_date, store, terminal, receipt_no)
JOIN ledger.receipts r
    ON r.bucket = asked.bucket AND r.partner = asked.partner AND r.business_date = asked.business_date
    AND r.store = asked.store AND r.terminal = asked.terminal AND r.receipt_no = asked.receipt_no
"""

_WALLETS_ASKED = "unnest(%b, %b) WITH ORDINALITY AS asked (bucket, wallet_id, n)"

# The last column tells whether a date has ended one of its lots. Mostly nothing is there in the whole bucket: one look
# into each bucket spares one for each wallet.
WALLETS = f"""
SELECT asked.n, w.unit, w.available, w.pending, w.held, w.debt,
    w.active_at, w.idle_days, w.merged_bucket, w.merged_wallet, w.aliases,
    w.unit = 1 AND w.bucket IN (
        SELECT due.bucket FROM unnest(%b) AS due (bucket) WHERE EXISTS (
            SELECT FROM ledger.lots l WHERE l.bucket = due.bucket AND l.available > 0 AND l.expires_on < %s
        )
    ) AND EXISTS (
        SELECT FROM ledger.lots l WHERE l.bucket = w.bucket AND l.wallet_id = w.wallet_id
            AND l.available + l.pending + l.held > 0 AND l.available > 0 AND l.expires_on < %s
    )
FROM {_WALLETS_ASKED}
JOIN ledger.wallets w ON w.bucket = asked.bucket AND w.wallet_id = asked.wallet_id
"""

LOT_COLUMNS = """l.seq, l.line, l.unit, l.issuer, l.earned_at, l.expires_on, l.awarded,
    l.available, l.pending, l.held, l.undone, l.owed, l.available_from, l.idle_days, l.campaign,
    l.origin_bucket, l.origin_seq, l.origin_line"""

NEXT_LOTS = f"""
SELECT asked.n, {LOT_COLUMNS}
FROM unnest(%b, %b, %b) WITH ORDINALITY AS asked (bucket, wallet_id, unit, n)
CROSS JOIN LATERAL (
    SELECT * FROM ledger.lots
    WHERE bucket = asked.bucket AND wallet_id = asked.wallet_id AND available + pending + held > 0
        AND available > 0 AND unit = asked.unit
    ORDER BY expires_on, earned_at, seq, line LIMIT {NEXT}
) AS l
"""

LIVE_LOTS = f"""
SELECT asked.n, {LOT_COLUMNS}
FROM {_WALLETS_ASKED}
JOIN ledger.lots l
    ON l.bucket = asked.bucket AND l.wallet_id = asked.wallet_id AND l.available + l.pending + l.held > 0
"""

LOTS_IN_DEBT = f"""
SELECT asked.n, {LOT_COLUMNS}
FROM {_WALLETS_ASKED}
JOIN ledger.lots l ON l.bucket = asked.bucket AND l.wallet_id = asked.wallet_id AND l.owed > 0
"""

LOTS_OF_AWARDS = f"""
SELECT l.bucket, l.wallet_id, {LOT_COLUMNS}
FROM unnest(%b, %b) AS asked (bucket, seq)
JOIN ledger.lots l ON l.bucket = asked.bucket AND l.seq = asked.seq
"""

HOLD_COLUMNS = "h.bucket, h.wallet_id, h.seq, h.partner, h.points, h.captured, h.released, h.state, h.expires_at"

HOLDS_AT = f"""
SELECT {HOLD_COLUMNS}
FROM unnest(%b, %b) AS asked (bucket, seq)
JOIN ledger.holds h ON h.bucket = asked.bucket AND h.seq = asked.seq
"""

HOLDS_DUE = f"""
SELECT {HOLD_COLUMNS}
FROM {_WALLETS_ASKED}
JOIN ledger.holds h ON h.bucket = asked.bucket AND h.wallet_id = asked.wallet_id AND h.state = 1
    AND h.expires_at <= %s
"""

REDEMPTIONS_AT = """
SELECT r.bucket, r.wallet_id, r.seq, r.partner, r.points, r.refunded
FROM unnest(%b, %b) AS asked (bucket, seq)
JOIN ledger.redemptions r ON r.bucket = asked.bucket AND r.seq = asked.seq
"""

ALIASES = f"""
SELECT asked.n, a.from_bucket, a.from_wallet
FROM {_WALLETS_ASKED}
JOIN ledger.aliases a ON a.bucket = asked.bucket AND a.wallet_id = asked.wallet_id
"""

SENT = f"""
SELECT asked.n, sum(e.points)::bigint
FROM {_WALLETS_ASKED}
JOIN ledger.entries e ON e.bucket = asked.bucket AND e.wallet_id = asked.wallet_id
    AND e.kind = 10 AND e.posted_at >= %s
GROUP BY asked.n
"""

PENDING_DUE = f"""
SELECT asked.n, {LOT_COLUMNS}
FROM {_WALLETS_ASKED}
JOIN ledger.lots l ON l.bucket = asked.bucket AND l.wallet_id = asked.wallet_id
    AND l.available + l.pending + l.held > 0 AND l.pending > 0 AND l.available_from <= %s
"""
