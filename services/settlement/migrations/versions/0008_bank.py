"""What the bank said, statement lines, evidence, breaks. What was said is for ever; only what we think of it moves."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE TABLE settlement.bank_messages (
    sha256 bytea PRIMARY KEY CHECK (octet_length(sha256) = 32),
    paper text NOT NULL,
    file_name text NOT NULL,
    content bytea NOT NULL,
    imported_by text NOT NULL,
    imported_at timestamptz NOT NULL
);

CREATE TABLE settlement.bank_statements (
    sha256 bytea NOT NULL REFERENCES settlement.bank_messages,
    part int NOT NULL,
    account text NOT NULL,
    statement_id text NOT NULL,
    sequence int,
    currency text NOT NULL,
    opening_minor bigint NOT NULL,
    closing_minor bigint NOT NULL,
    closes_on date NOT NULL,
    place bigint NOT NULL CHECK (place > 0),
    PRIMARY KEY (sha256, part),
    UNIQUE (account, place)
);

CREATE TABLE settlement.bank_lines (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sha256 bytea NOT NULL REFERENCES settlement.bank_messages,
    part int NOT NULL,
    number int NOT NULL,
    stated boolean NOT NULL,
    account text NOT NULL,
    currency text NOT NULL,
    is_credit boolean NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    booked_on date NOT NULL,
    end_to_end_id text NOT NULL,
    message_id text NOT NULL,
    reference text NOT NULL,
    counterparty_account text NOT NULL,
    counterparty_name text NOT NULL,
    bank_reference text NOT NULL,
    return_code text NOT NULL,
    said_at timestamptz NOT NULL,
    outcome text NOT NULL DEFAULT 'NEW' CHECK (outcome IN ('NEW', 'MATCHED', 'PROPOSED', 'BROKEN', 'NOTED')),
    UNIQUE (sha256, part, number)
);
CREATE INDEX bank_lines_to_match ON settlement.bank_lines (id) WHERE outcome IN ('NEW', 'PROPOSED');

CREATE TABLE settlement.bank_matches (
    line bigint NOT NULL REFERENCES settlement.bank_lines,
    instruction text NOT NULL,
    verdict text NOT NULL CHECK (verdict IN ('BOOKED', 'RETURNED')),
    stated boolean NOT NULL,
    by text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (line, instruction),
    UNIQUE (instruction, verdict, stated)
);

CREATE TABLE settlement.evidence (
    instruction text NOT NULL,
    rank smallint NOT NULL CHECK (rank BETWEEN 1 AND 6),
    verdict text NOT NULL CHECK (verdict IN ('SENT', 'ACCEPTED', 'REJECTED', 'BOOKED', 'RETURNED')),
    said_at timestamptz NOT NULL,
    source text NOT NULL,
    code text NOT NULL,
    decided boolean NOT NULL,
    about text NOT NULL DEFAULT '',
    recorded_by text NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (instruction, rank, verdict, source)
);

CREATE TABLE settlement.breaks (
    name text PRIMARY KEY,
    number bigint NOT NULL UNIQUE CHECK (number > 0),
    reason text NOT NULL,
    subject text NOT NULL,
    state text NOT NULL CHECK (state IN ('OPEN', 'EXPLAINED', 'RESOLVED', 'WRITTEN_OFF')),
    etag bigint NOT NULL DEFAULT 1,
    batch bigint,
    instruction text NOT NULL DEFAULT '',
    currency text NOT NULL DEFAULT '',
    amount_minor bigint NOT NULL DEFAULT 0,
    detail text NOT NULL,
    explanation text NOT NULL DEFAULT '',
    found_by text NOT NULL,
    found_at timestamptz NOT NULL,
    UNIQUE (reason, subject)
);
CREATE INDEX breaks_not_over ON settlement.breaks (number) WHERE state IN ('OPEN', 'EXPLAINED');

GRANT SELECT, INSERT ON settlement.bank_messages, settlement.bank_statements, settlement.evidence TO settlement_app;
GRANT SELECT, INSERT, UPDATE (outcome) ON settlement.bank_lines TO settlement_app;
GRANT SELECT, INSERT, DELETE ON settlement.bank_matches TO settlement_app;
GRANT SELECT, INSERT, UPDATE (state, etag, explanation) ON settlement.breaks TO settlement_app;
GRANT SELECT ON settlement.bank_messages, settlement.bank_statements, settlement.bank_lines, settlement.bank_matches,
    settlement.evidence, settlement.breaks TO settlement_ro
"""
DOWNGRADE = """
DROP TABLE settlement.breaks;
DROP TABLE settlement.evidence;
DROP TABLE settlement.bank_matches;
DROP TABLE settlement.bank_lines;
DROP TABLE settlement.bank_statements;
DROP TABLE settlement.bank_messages
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
