"""Batches, the slices they settle, what was calculated of them and what they left open; caps, allowances, suspensions.

What was calculated is for ever: the application may insert contents and proofs and read them.
"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE TABLE settlement.batches (
    number bigint PRIMARY KEY CHECK (number > 0),
    name text GENERATED ALWAYS AS ('batches/' || number) STORED UNIQUE,
    state text NOT NULL,
    etag bigint NOT NULL DEFAULT 1,
    revision int NOT NULL DEFAULT 1 CHECK (revision > 0),
    model text NOT NULL CHECK (model IN ('MULTILATERAL', 'BILATERAL', 'CYCLES_ONLY')),
    named_model text NOT NULL,
    due_on date NOT NULL,
    fx_set text NOT NULL DEFAULT '',
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    edited_by text NOT NULL,
    revised_at timestamptz NOT NULL,
    take int NOT NULL DEFAULT 0 CHECK (take >= 0),
    content_sha256 bytea CHECK (octet_length(content_sha256) = 32),
    decided_by text,
    why text NOT NULL DEFAULT '',
    default_of bigint REFERENCES settlement.batches,
    CHECK (state IN ('DRAFT', 'CANCELLED', 'REJECTED') OR content_sha256 IS NOT NULL),
    CHECK (state NOT IN ('APPROVED', 'RELEASING', 'IN_PAYMENT', 'PARTIALLY_SETTLED', 'SETTLED')
        OR (decided_by IS NOT NULL AND decided_by <> created_by AND decided_by <> edited_by))
);
CREATE INDEX batches_live ON settlement.batches (number) WHERE state NOT IN ('SETTLED', 'CANCELLED');

CREATE TABLE settlement.batch_slices (
    window_number bigint NOT NULL,
    currency text NOT NULL CHECK (currency ~ '^([A-Z]{3})?$'),
    batch bigint NOT NULL REFERENCES settlement.batches,
    freed_at timestamptz,
    PRIMARY KEY (batch, window_number, currency)
);
CREATE UNIQUE INDEX batch_slices_only_one ON settlement.batch_slices (window_number, currency) WHERE freed_at IS NULL;

CREATE TABLE settlement.batch_contents (
    batch bigint NOT NULL REFERENCES settlement.batches,
    take int NOT NULL CHECK (take > 0),
    revision int NOT NULL CHECK (revision > 0),
    content bytea NOT NULL,
    content_sha256 bytea NOT NULL CHECK (octet_length(content_sha256) = 32),
    engine text NOT NULL,
    made_by text NOT NULL,
    made_at timestamptz NOT NULL,
    PRIMARY KEY (batch, take)
);
CREATE TABLE settlement.batch_proofs (
    batch bigint NOT NULL,
    take int NOT NULL,
    proof text NOT NULL,
    says text NOT NULL,
    PRIMARY KEY (batch, take, proof),
    FOREIGN KEY (batch, take) REFERENCES settlement.batch_contents
);

CREATE TABLE settlement.batch_overrides (
    batch bigint NOT NULL REFERENCES settlement.batches,
    content_sha256 bytea NOT NULL CHECK (octet_length(content_sha256) = 32),
    condition text NOT NULL,
    proposal text NOT NULL,
    overridden_at timestamptz NOT NULL,
    PRIMARY KEY (batch, content_sha256, condition)
);

CREATE TABLE settlement.openings (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text GENERATED ALWAYS AS ('openings/' || number) STORED UNIQUE,
    batch bigint NOT NULL REFERENCES settlement.batches,
    partner text NOT NULL,
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    minor numeric(50) NOT NULL CHECK (minor <> 0),
    why text NOT NULL,
    instruction text NOT NULL DEFAULT '',
    carried_at timestamptz NOT NULL,
    taken_by bigint REFERENCES settlement.batches
);
CREATE UNIQUE INDEX openings_of_a_batch ON settlement.openings (batch, partner, currency) WHERE instruction = '';
CREATE UNIQUE INDEX openings_of_an_instruction ON settlement.openings (instruction) WHERE instruction <> '';
CREATE INDEX openings_free ON settlement.openings (partner) WHERE taken_by IS NULL;
CREATE INDEX openings_taken ON settlement.openings (taken_by) WHERE taken_by IS NOT NULL;

CREATE TABLE settlement.caps (
    partner text NOT NULL,
    version int NOT NULL CHECK (version > 0),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    net_debit_cap_minor numeric(50) NOT NULL CHECK (net_debit_cap_minor >= 0),
    alert_minor numeric(50) NOT NULL CHECK (alert_minor >= 0),
    outstanding_weight numeric(18, 9) NOT NULL CHECK (outstanding_weight BETWEEN 0 AND 1),
    proposal text NOT NULL UNIQUE,
    set_at timestamptz NOT NULL,
    PRIMARY KEY (partner, version)
);
CREATE TABLE settlement.exposures (
    partner text NOT NULL,
    lane smallint NOT NULL,
    awarded numeric(30) NOT NULL,
    outstanding numeric(30) NOT NULL,
    held numeric(30) NOT NULL,
    PRIMARY KEY (partner, lane)
);
INSERT INTO settlement.exposures (partner, lane, awarded, outstanding, held)
SELECT partner, 0, sum(points) FILTER (WHERE leg = 'ISSUANCE' AND points > 0),
    sum(CASE WHEN leg = 'ISSUANCE' THEN points ELSE 0 END), 0
FROM settlement.obligations GROUP BY partner HAVING bool_or(leg = 'ISSUANCE' AND points > 0);
CREATE TABLE settlement.allowances (
    partner text PRIMARY KEY,
    revision bigint NOT NULL CHECK (revision > 0),
    limit_points bigint NOT NULL CHECK (limit_points >= 0),
    told_revision bigint NOT NULL DEFAULT 0 CHECK (told_revision <= revision),
    changed_at timestamptz NOT NULL,
    told_at timestamptz
);
CREATE TABLE settlement.suspensions (
    partner text NOT NULL,
    step int NOT NULL CHECK (step > 0),
    suspended boolean NOT NULL,
    why text NOT NULL,
    by text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (partner, step)
);

CREATE TABLE settlement.defaults (
    batch bigint NOT NULL REFERENCES settlement.batches,
    partner text NOT NULL,
    currency text NOT NULL,
    proposal text NOT NULL UNIQUE,
    unpaid_minor numeric(50) NOT NULL CHECK (unpaid_minor > 0),
    document bytea NOT NULL,
    successor bigint REFERENCES settlement.batches,
    declared_at timestamptz NOT NULL,
    PRIMARY KEY (batch, partner, currency)
);

GRANT SELECT, INSERT ON settlement.batches, settlement.batch_slices, settlement.batch_contents,
    settlement.batch_proofs, settlement.batch_overrides, settlement.openings, settlement.caps, settlement.suspensions,
    settlement.defaults TO settlement_app;
GRANT UPDATE (state, etag, revision, fx_set, due_on, edited_by, revised_at, take, content_sha256, decided_by,
    why) ON settlement.batches TO settlement_app;
GRANT UPDATE (freed_at) ON settlement.batch_slices TO settlement_app;
GRANT UPDATE (taken_by) ON settlement.openings TO settlement_app;
GRANT UPDATE (successor) ON settlement.defaults TO settlement_app;
GRANT SELECT, INSERT, UPDATE ON settlement.exposures, settlement.allowances TO settlement_app;
GRANT SELECT ON ALL TABLES IN SCHEMA settlement TO settlement_ro
"""
DOWNGRADE = """
DROP TABLE settlement.defaults, settlement.suspensions, settlement.allowances, settlement.exposures, settlement.caps,
    settlement.openings, settlement.batch_overrides, settlement.batch_proofs, settlement.batch_contents,
    settlement.batch_slices, settlement.batches
"""


def upgrade() -> None:
    """One statement at a time: psycopg prepares them."""
    for statement in UPGRADE.split(";"):
        if statement.strip():
            op.execute(statement)


def downgrade() -> None:
    for statement in DOWNGRADE.split(";"):
        if statement.strip():
            op.execute(statement)
