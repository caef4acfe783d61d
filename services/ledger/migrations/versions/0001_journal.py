"""The journal, its projections and its evidence.

Every table that a posting touches begins with `bucket`, and so does every key: a posting is one shard's business.
Entries and postings are for ever: the application may insert and read them, nothing else.
"""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE ledger.deployment (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    bucket_count int NOT NULL CHECK (bucket_count BETWEEN 1 AND 4096)
);

CREATE TABLE ledger.heads (
    bucket int PRIMARY KEY,
    seq bigint NOT NULL CHECK (seq >= 0),
    hash bytea NOT NULL CHECK (octet_length(hash) = 32)
) WITH (fillfactor = 50);

CREATE TABLE ledger.entries (
    bucket int NOT NULL,
    seq bigint NOT NULL CHECK (seq > 0),
    kind smallint NOT NULL CHECK (kind BETWEEN 1 AND 8),
    wallet_id uuid NOT NULL,
    partner text NOT NULL,
    request_id uuid NOT NULL,
    request_hash bytea NOT NULL CHECK (octet_length(request_hash) = 32),
    points bigint NOT NULL CHECK (points > 0),
    available bigint NOT NULL CHECK (available >= 0),
    pending bigint NOT NULL CHECK (pending >= 0),
    held bigint NOT NULL CHECK (held >= 0),
    debt bigint NOT NULL CHECK (debt >= 0),
    occurred_at timestamptz NOT NULL,
    posted_at timestamptz NOT NULL,
    original bigint CHECK (original > 0 AND original < seq),
    hold_until timestamptz,
    store text,
    terminal text,
    business_date date,
    receipt_no text,
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    PRIMARY KEY (bucket, seq)
);
CREATE INDEX entries_of_partner ON ledger.entries (bucket, partner, seq);
CREATE INDEX entries_of_wallet ON ledger.entries (bucket, wallet_id, seq);

CREATE TABLE ledger.postings (
    bucket int NOT NULL,
    seq bigint NOT NULL,
    line smallint NOT NULL,
    debit smallint NOT NULL,
    debit_party text NOT NULL,
    credit smallint NOT NULL,
    credit_party text NOT NULL,
    unit smallint NOT NULL CHECK (unit = 1),
    points bigint NOT NULL CHECK (points > 0),
    lot_seq bigint NOT NULL,
    lot_line smallint NOT NULL,
    issuer text NOT NULL,
    expires_on date,
    PRIMARY KEY (bucket, seq, line),
    CHECK ((debit, debit_party) <> (credit, credit_party))
);

CREATE TABLE ledger.requests (
    bucket int NOT NULL,
    wallet_id uuid NOT NULL,
    request_id uuid NOT NULL,
    request_hash bytea NOT NULL,
    seq bigint NOT NULL,
    PRIMARY KEY (bucket, wallet_id, request_id)
);

CREATE TABLE ledger.receipts (
    bucket int NOT NULL,
    partner text NOT NULL,
    business_date date NOT NULL,
    store text NOT NULL,
    terminal text NOT NULL,
    receipt_no text NOT NULL,
    entry_bucket int NOT NULL,
    entry_seq bigint NOT NULL,
    PRIMARY KEY (bucket, partner, business_date, store, terminal, receipt_no)
);

CREATE TABLE ledger.wallets (
    bucket int NOT NULL,
    wallet_id uuid NOT NULL,
    unit smallint NOT NULL CHECK (unit = 1),
    available bigint NOT NULL CHECK (available >= 0),
    pending bigint NOT NULL CHECK (pending >= 0),
    held bigint NOT NULL CHECK (held >= 0),
    debt bigint NOT NULL CHECK (debt >= 0),
    PRIMARY KEY (bucket, wallet_id, unit)
) WITH (fillfactor = 70);

CREATE TABLE ledger.lots (
    bucket int NOT NULL,
    seq bigint NOT NULL,
    line smallint NOT NULL,
    wallet_id uuid NOT NULL,
    unit smallint NOT NULL CHECK (unit = 1),
    issuer text NOT NULL,
    earned_at timestamptz NOT NULL,
    expires_on date,
    awarded bigint NOT NULL CHECK (awarded > 0),
    available bigint NOT NULL CHECK (available >= 0),
    pending bigint NOT NULL CHECK (pending >= 0),
    held bigint NOT NULL CHECK (held >= 0),
    undone bigint NOT NULL CHECK (undone BETWEEN 0 AND awarded),
    PRIMARY KEY (bucket, seq, line),
    CHECK (available + pending + held <= awarded)
);
CREATE INDEX lots_to_spend ON ledger.lots (bucket, wallet_id, expires_on, earned_at, seq, line) WHERE available > 0;
CREATE INDEX lots_to_expire ON ledger.lots (bucket, expires_on) WHERE available > 0;

CREATE TABLE ledger.holds (
    bucket int NOT NULL,
    seq bigint NOT NULL,
    wallet_id uuid NOT NULL,
    partner text NOT NULL,
    points bigint NOT NULL CHECK (points > 0),
    captured bigint NOT NULL CHECK (captured BETWEEN 0 AND points),
    state smallint NOT NULL CHECK (state BETWEEN 1 AND 3),
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (bucket, seq)
);
CREATE INDEX holds_to_expire ON ledger.holds (bucket, expires_at) WHERE state = 1;
CREATE INDEX holds_of_wallet ON ledger.holds (bucket, wallet_id) WHERE state = 1;

CREATE TABLE ledger.redemptions (
    bucket int NOT NULL,
    seq bigint NOT NULL,
    wallet_id uuid NOT NULL,
    partner text NOT NULL,
    points bigint NOT NULL CHECK (points > 0),
    refunded bigint NOT NULL CHECK (refunded BETWEEN 0 AND points),
    PRIMARY KEY (bucket, seq)
);

CREATE TABLE ledger.checkpoints (
    number bigint PRIMARY KEY CHECK (number > 0),
    request_id uuid NOT NULL UNIQUE,
    seqs bigint[] NOT NULL,
    hashes bytea[] NOT NULL,
    root bytea NOT NULL,
    entry_count bigint NOT NULL CHECK (entry_count >= 0),
    created_at timestamptz NOT NULL,
    signature bytea NOT NULL,
    key_id text NOT NULL
);
"""

# What may be changed is written out; entries, postings, requests, receipts and checkpoints may not.
GRANTS = """
GRANT USAGE ON SCHEMA ledger TO ledger_app, ledger_ro;
GRANT SELECT, INSERT ON ledger.deployment TO ledger_app;
GRANT SELECT, INSERT, UPDATE ON ledger.heads TO ledger_app;
GRANT SELECT, INSERT ON ledger.entries, ledger.postings, ledger.requests, ledger.receipts TO ledger_app;
GRANT SELECT, INSERT, UPDATE ON ledger.wallets, ledger.lots, ledger.holds, ledger.redemptions TO ledger_app;
GRANT SELECT, INSERT ON ledger.checkpoints TO ledger_app;
GRANT SELECT ON ALL TABLES IN SCHEMA ledger TO ledger_ro;
"""


def upgrade() -> None:
    """One statement at a time: psycopg prepares them."""
    for statement in f"{TABLES};{GRANTS}".split(";"):
        if statement.strip():
            op.execute(statement)


def downgrade() -> None:
    for table in [
        "checkpoints",
        "redemptions",
        "holds",
        "lots",
        "wallets",
        "receipts",
        "requests",
        "postings",
        "entries",
        "heads",
        "deployment",
    ]:
        op.execute(f"DROP TABLE ledger.{table}")
