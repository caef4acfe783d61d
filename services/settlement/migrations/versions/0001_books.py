"""Terms, windows, what was read of the journal, and the books made of it.

What is booked is for ever: the application may insert and read versions, obligations, lines, nets and statements,
nothing else.
"""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE settlement.contract_versions (
    partner text NOT NULL,
    number int NOT NULL CHECK (number > 0),
    effective_from timestamptz NOT NULL,
    timing text NOT NULL CHECK (timing = 'AT_ISSUANCE'),
    rate_at_issuance numeric(18, 9) NOT NULL CHECK (rate_at_issuance >= 0),
    reimbursement_rate numeric(18, 9) NOT NULL CHECK (reimbursement_rate >= 0),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    rounding text NOT NULL CHECK (rounding IN ('CUMULATIVE_HALF_EVEN', 'CUMULATIVE_HALF_UP')),
    sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
    request_id uuid NOT NULL UNIQUE,
    request_hash bytea NOT NULL,
    created_at timestamptz NOT NULL,
    ordinal bigint NOT NULL UNIQUE,
    PRIMARY KEY (partner, number),
    UNIQUE (partner, effective_from)
);

CREATE TABLE settlement.windows (
    number bigint PRIMARY KEY CHECK (number > 0),
    state text NOT NULL CHECK (state IN ('OPEN', 'CLOSING', 'CLOSED')),
    opened_at timestamptz NOT NULL,
    close_request_id uuid UNIQUE,
    from_checkpoint bigint,
    to_checkpoint bigint,
    from_seqs bigint[] NOT NULL,
    to_seqs bigint[],
    to_hashes bytea[],
    to_root bytea,
    to_created_at timestamptz,
    to_signature bytea,
    to_key_id text,
    closed_at timestamptz,
    statements_root bytea,
    versions_known bigint,
    CHECK (state = 'OPEN' OR (close_request_id IS NOT NULL AND to_seqs IS NOT NULL AND to_checkpoint IS NOT NULL)),
    CHECK (state <> 'CLOSED' OR (num_nulls(closed_at, statements_root, versions_known) = 0))
);
CREATE UNIQUE INDEX windows_only_one_open ON settlement.windows ((true)) WHERE state = 'OPEN';
CREATE UNIQUE INDEX windows_only_one_closing ON settlement.windows ((true)) WHERE state = 'CLOSING';

CREATE TABLE settlement.buckets (
    bucket int PRIMARY KEY CHECK (bucket >= 0),
    seq bigint NOT NULL CHECK (seq >= 0),
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    stopped_because text NOT NULL DEFAULT ''
);

CREATE TABLE settlement.obligations (
    bucket int NOT NULL,
    seq bigint NOT NULL,
    leg text NOT NULL CHECK (leg IN ('ISSUANCE', 'REIMBURSEMENT')),
    partner text NOT NULL,
    version int NOT NULL,
    points bigint NOT NULL CHECK (points <> 0),
    original bigint,
    window_number bigint NOT NULL,
    late boolean NOT NULL,
    occurred_at timestamptz NOT NULL,
    entry_hash bytea NOT NULL,
    PRIMARY KEY (bucket, seq, leg, partner)
);
CREATE INDEX obligations_of_window ON settlement.obligations (window_number, partner, leg, version, bucket, seq);
CREATE INDEX obligations_of_original ON settlement.obligations (bucket, original) WHERE original IS NOT NULL;

CREATE TABLE settlement.rollups (
    window_number bigint NOT NULL,
    leg text NOT NULL,
    partner text NOT NULL,
    version int NOT NULL,
    points numeric(30) NOT NULL,
    items bigint NOT NULL CHECK (items > 0),
    late_items bigint NOT NULL CHECK (late_items BETWEEN 0 AND items),
    latest_at timestamptz NOT NULL,
    PRIMARY KEY (window_number, leg, partner, version)
);

CREATE TABLE settlement.window_counts (
    window_number bigint NOT NULL,
    bucket int NOT NULL,
    entries bigint NOT NULL CHECK (entries >= 0),
    late_entries bigint NOT NULL CHECK (late_entries BETWEEN 0 AND entries),
    PRIMARY KEY (window_number, bucket)
);

CREATE TABLE settlement.suspense (
    bucket int NOT NULL,
    seq bigint NOT NULL,
    window_number bigint NOT NULL,
    reason text NOT NULL,
    detail text NOT NULL,
    late boolean NOT NULL,
    entry_hash bytea NOT NULL,
    canonical bytea NOT NULL,
    PRIMARY KEY (bucket, seq)
);

CREATE TABLE settlement.lines (
    window_number bigint NOT NULL,
    partner text NOT NULL,
    leg text NOT NULL,
    currency text NOT NULL,
    rate numeric(18, 9) NOT NULL,
    rounding text NOT NULL,
    points numeric(30) NOT NULL,
    items bigint NOT NULL,
    late_items bigint NOT NULL,
    points_before numeric(30) NOT NULL,
    booked_minor numeric(50) NOT NULL,
    entries_root bytea NOT NULL,
    PRIMARY KEY (window_number, partner, leg, currency, rate, rounding)
);

CREATE TABLE settlement.nets (
    window_number bigint NOT NULL,
    partner text NOT NULL,
    currency text NOT NULL,
    billed_minor numeric(50) NOT NULL,
    reimbursed_minor numeric(50) NOT NULL,
    net_minor numeric(50) NOT NULL,
    PRIMARY KEY (window_number, partner, currency)
);

CREATE TABLE settlement.statements (
    window_number bigint NOT NULL,
    partner text NOT NULL,
    document bytea NOT NULL,
    sha256 bytea NOT NULL,
    currency text NOT NULL,
    net_minor numeric(50) NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (window_number, partner)
);
CREATE INDEX statements_of_partner ON settlement.statements (partner, window_number);
"""

# What may be changed is written out. Suspense may be emptied: an entry leaves it when it has a price.
GRANTS = """
GRANT USAGE ON SCHEMA settlement TO settlement_app, settlement_ro;
GRANT SELECT, INSERT ON settlement.contract_versions, settlement.obligations TO settlement_app;
GRANT SELECT, INSERT ON settlement.lines, settlement.nets, settlement.statements TO settlement_app;
GRANT SELECT, INSERT, UPDATE ON settlement.windows, settlement.buckets TO settlement_app;
GRANT SELECT, INSERT, UPDATE ON settlement.rollups, settlement.window_counts TO settlement_app;
GRANT SELECT, INSERT, DELETE ON settlement.suspense TO settlement_app;
GRANT SELECT ON ALL TABLES IN SCHEMA settlement TO settlement_ro;
"""


def upgrade() -> None:
    """One statement at a time: psycopg prepares them."""
    for statement in f"{TABLES};{GRANTS}".split(";"):
        if statement.strip():
            op.execute(statement)


def downgrade() -> None:
    tables = "statements nets lines suspense window_counts rollups obligations buckets windows contract_versions"
    for table in tables.split():
        op.execute(f"DROP TABLE settlement.{table}")
