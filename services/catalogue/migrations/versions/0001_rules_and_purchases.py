"""Earn rules, purchases and refunds.

A version of rules is for ever: the application may insert and read, and the next version ends it. Of a purchase and a
refund only their standing may change, and what the ledger refused is taken out again: a refusal leaves nothing behind.
"""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE catalogue.earn_rules (
    partner text NOT NULL,
    version int NOT NULL CHECK (version > 0),
    effective_from timestamptz NOT NULL,
    currency text NOT NULL,
    rules jsonb NOT NULL,
    request_id uuid NOT NULL,
    request_hash bytea NOT NULL CHECK (octet_length(request_hash) = 32),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (partner, version),
    UNIQUE (partner, request_id),
    UNIQUE (partner, effective_from)
);

CREATE TABLE catalogue.purchases (
    purchase_id uuid PRIMARY KEY,
    partner text NOT NULL,
    request_id uuid NOT NULL,
    request_hash bytea NOT NULL CHECK (octet_length(request_hash) = 32),
    wallet_id uuid NOT NULL,
    segments text[] NOT NULL,
    business_date date NOT NULL,
    store text NOT NULL,
    terminal text NOT NULL,
    receipt_no text NOT NULL,
    lines jsonb NOT NULL,
    occurred_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    rules_version int NOT NULL,
    points bigint NOT NULL CHECK (points >= 0),
    parts jsonb NOT NULL,
    clawed_back bigint NOT NULL DEFAULT 0 CHECK (clawed_back BETWEEN 0 AND points),
    standing smallint NOT NULL CHECK (standing IN (1, 2)),
    entry_bucket int,
    entry_seq bigint,
    UNIQUE (partner, business_date, store, terminal, receipt_no),
    CHECK ((entry_bucket IS NULL) = (entry_seq IS NULL)),
    CHECK ((entry_seq IS NOT NULL) = (standing = 2 AND points > 0))
);
CREATE INDEX purchases_to_post ON catalogue.purchases (created_at, purchase_id) WHERE standing = 1;

CREATE TABLE catalogue.refunds (
    refund_id uuid PRIMARY KEY,
    partner text NOT NULL,
    request_id uuid NOT NULL,
    request_hash bytea NOT NULL CHECK (octet_length(request_hash) = 32),
    purchase_id uuid NOT NULL REFERENCES catalogue.purchases,
    occurred_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    amounts jsonb NOT NULL,
    parts jsonb NOT NULL,
    points bigint NOT NULL CHECK (points >= 0),
    remaining bigint NOT NULL CHECK (remaining >= 0),
    recovered bigint NOT NULL DEFAULT 0 CHECK (recovered >= 0),
    written_off bigint NOT NULL DEFAULT 0 CHECK (written_off >= 0),
    standing smallint NOT NULL CHECK (standing IN (1, 2)),
    entry_bucket int,
    entry_seq bigint,
    CHECK ((entry_bucket IS NULL) = (entry_seq IS NULL)),
    CHECK ((entry_seq IS NOT NULL) = (standing = 2 AND points > 0)),
    CHECK (recovered + written_off <= points)
);
CREATE INDEX refunds_of_purchase ON catalogue.refunds (purchase_id);
CREATE UNIQUE INDEX one_refund_at_a_time ON catalogue.refunds (purchase_id) WHERE standing = 1;
"""

GRANTS = """
GRANT USAGE ON SCHEMA catalogue TO catalogue_app, catalogue_ro;
GRANT SELECT, INSERT ON catalogue.earn_rules TO catalogue_app;
GRANT SELECT, INSERT, DELETE ON catalogue.purchases, catalogue.refunds TO catalogue_app;
GRANT UPDATE (standing, entry_bucket, entry_seq, clawed_back) ON catalogue.purchases TO catalogue_app;
GRANT UPDATE (standing, entry_bucket, entry_seq, recovered, written_off) ON catalogue.refunds TO catalogue_app;
GRANT SELECT ON ALL TABLES IN SCHEMA catalogue TO catalogue_ro;
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(GRANTS)


def downgrade() -> None:
    for table in ("refunds", "purchases", "earn_rules"):
        op.execute(f"DROP TABLE catalogue.{table}")
