"""Adjustments and disputes."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE TABLE settlement.adjustments (
    name text PRIMARY KEY,
    number bigint NOT NULL UNIQUE CHECK (number > 0),
    state text NOT NULL CHECK (state IN ('PROPOSED', 'APPROVED', 'DECLINED', 'POSTED')),
    etag bigint NOT NULL DEFAULT 1,
    partner text NOT NULL,
    window_number bigint NOT NULL,
    line int NOT NULL CHECK (line > 0),
    quantity bigint NOT NULL CHECK (quantity <> 0),
    in_money boolean NOT NULL,
    reason text NOT NULL CHECK (reason <> ''),
    dispute text NOT NULL DEFAULT '',
    proposal text NOT NULL,
    proposed_by text NOT NULL,
    proposed_at timestamptz NOT NULL,
    posted_window bigint,
    posted_seq bigint UNIQUE,
    CHECK (state <> 'POSTED' OR num_nulls(posted_window, posted_seq) = 0)
);
CREATE INDEX adjustments_of_line ON settlement.adjustments (window_number, partner, line);

CREATE TABLE settlement.disputes (
    name text PRIMARY KEY,
    number bigint NOT NULL UNIQUE CHECK (number > 0),
    state text NOT NULL CHECK (state IN ('OPEN', 'ESCALATED', 'ACCEPTED', 'REJECTED', 'CLOSED')),
    etag bigint NOT NULL DEFAULT 1,
    partner text NOT NULL,
    window_number bigint NOT NULL,
    line int NOT NULL CHECK (line > 0),
    reason text NOT NULL,
    points bigint NOT NULL CHECK (points <> 0),
    statement text NOT NULL,
    opened_by text NOT NULL,
    opened_at timestamptz NOT NULL,
    answer_due_at timestamptz NOT NULL,
    answer text NOT NULL DEFAULT '',
    answered_by text NOT NULL DEFAULT '',
    upheld bigint NOT NULL DEFAULT 0,
    adjustment text NOT NULL DEFAULT ''
);
CREATE INDEX disputes_of_partner ON settlement.disputes (partner, number);
CREATE INDEX disputes_waiting ON settlement.disputes (answer_due_at) WHERE state = 'OPEN';

GRANT SELECT, INSERT, UPDATE (state, etag, posted_window, posted_seq) ON settlement.adjustments TO settlement_app;
GRANT SELECT, INSERT, UPDATE (state, etag, answer, answered_by, upheld, adjustment) ON settlement.disputes
    TO settlement_app;
GRANT SELECT ON settlement.adjustments, settlement.disputes TO settlement_ro
"""
DOWNGRADE = """
DROP TABLE settlement.disputes;
DROP TABLE settlement.adjustments
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
