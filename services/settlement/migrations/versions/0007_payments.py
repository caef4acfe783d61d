"""Bank accounts, payment instructions, payment files, what was sent."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE TABLE settlement.bank_accounts (
    name text PRIMARY KEY,
    owner text NOT NULL,
    number int NOT NULL CHECK (number > 0),
    clearing boolean NOT NULL,
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    holder text NOT NULL CHECK (holder <> ''),
    iban text NOT NULL CHECK (iban ~ '^[A-Z]{2}[0-9]{2}[A-Z0-9]{8,30}$'),
    bic text NOT NULL CHECK (bic ~ '^[A-Z0-9]{8}([A-Z0-9]{3})?$'),
    mandate_id text NOT NULL DEFAULT '',
    mandate_signed_on date,
    creditor_id text NOT NULL DEFAULT '',
    sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
    proposal text,
    entered_by text NOT NULL,
    entered_at timestamptz NOT NULL,
    verified_by text,
    verified_at timestamptz,
    channel text,
    channel_note text NOT NULL DEFAULT '',
    usable_from timestamptz,
    state text NOT NULL,
    etag bigint NOT NULL DEFAULT 1,
    UNIQUE (owner, number),
    CHECK (NOT clearing OR owner = 'operator'),
    CHECK ((mandate_id = '') = (mandate_signed_on IS NULL)),
    CHECK (verified_by IS NULL OR verified_by <> entered_by),
    CHECK (state <> 'VERIFIED' OR num_nulls(verified_by, verified_at, channel, usable_from) = 0)
);
CREATE INDEX bank_accounts_usable ON settlement.bank_accounts (owner, clearing, currency, usable_from);

CREATE TABLE settlement.instructions (
    name text PRIMARY KEY,
    end_to_end_id text NOT NULL UNIQUE CHECK (length(end_to_end_id) <= 35),
    batch bigint NOT NULL,
    revision int NOT NULL,
    partner text NOT NULL,
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    attempt int NOT NULL CHECK (attempt > 0),
    kind text NOT NULL CHECK (kind IN ('PAY', 'COLLECT')),
    method text NOT NULL CHECK (method IN ('CREDIT_TRANSFER', 'PAY_IN', 'DIRECT_DEBIT')),
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    reference text NOT NULL DEFAULT '',
    due_on date NOT NULL,
    account text NOT NULL DEFAULT '',
    bank_account text REFERENCES settlement.bank_accounts,
    clearing_account text REFERENCES settlement.bank_accounts,
    supersedes text UNIQUE REFERENCES settlement.instructions,
    msg_id text,
    stated_on date,
    created_at timestamptz NOT NULL,
    state text NOT NULL,
    etag bigint NOT NULL DEFAULT 1,
    UNIQUE (batch, partner, attempt),
    CHECK ((kind = 'PAY') = (method = 'CREDIT_TRANSFER')),
    CHECK ((method = 'PAY_IN') = (reference <> '')),
    CHECK (state IN ('PENDING', 'CANCELLED') OR method = 'PAY_IN' OR num_nulls(bank_account, clearing_account) = 0)
);
CREATE UNIQUE INDEX instructions_one_live ON settlement.instructions (batch, partner, currency)
    WHERE state NOT IN ('CANCELLED', 'SUPERSEDED', 'CARRIED');
CREATE UNIQUE INDEX instructions_of_reference ON settlement.instructions (reference) WHERE reference <> '';
CREATE INDEX instructions_of_file ON settlement.instructions (msg_id) WHERE msg_id IS NOT NULL;
CREATE INDEX instructions_of_partner ON settlement.instructions (partner, currency, state);

CREATE TABLE settlement.payment_files (
    msg_id text PRIMARY KEY CHECK (length(msg_id) <= 35),
    name text NOT NULL UNIQUE,
    batch bigint NOT NULL,
    revision int NOT NULL,
    number int NOT NULL CHECK (number > 0),
    kind text NOT NULL CHECK (kind IN ('PAY', 'COLLECT')),
    format text NOT NULL,
    currency text NOT NULL,
    clearing_account text NOT NULL,
    on_day date NOT NULL,
    payments int NOT NULL CHECK (payments > 0),
    control_sum_minor bigint NOT NULL CHECK (control_sum_minor > 0),
    content bytea NOT NULL,
    sha256 bytea NOT NULL,
    replaces text REFERENCES settlement.payment_files,
    created_at timestamptz NOT NULL,
    state text NOT NULL,
    etag bigint NOT NULL DEFAULT 1,
    UNIQUE (batch, revision, number),
    CHECK (sha256 = pg_catalog.sha256(content))
);

CREATE TABLE settlement.file_payments (
    msg_id text NOT NULL REFERENCES settlement.payment_files,
    line int NOT NULL CHECK (line > 0),
    instruction text NOT NULL REFERENCES settlement.instructions,
    PRIMARY KEY (msg_id, line),
    UNIQUE (msg_id, instruction)
);
CREATE INDEX file_payments_of_instruction ON settlement.file_payments (instruction);

CREATE TABLE settlement.sendings (
    msg_id text NOT NULL REFERENCES settlement.payment_files,
    number int NOT NULL CHECK (number > 0),
    fence bigint NOT NULL,
    transport text NOT NULL,
    sha256 bytea NOT NULL,
    begun_at timestamptz NOT NULL,
    ended_at timestamptz,
    outcome text NOT NULL DEFAULT '',
    detail text NOT NULL DEFAULT '',
    PRIMARY KEY (msg_id, number),
    CHECK ((outcome = '') = (ended_at IS NULL))
);
CREATE UNIQUE INDEX sendings_one_at_a_time ON settlement.sendings (msg_id) WHERE outcome = '';

CREATE TABLE settlement.documents (
    sha256 bytea PRIMARY KEY,
    content bytea NOT NULL,
    title text NOT NULL,
    brought_by text NOT NULL,
    brought_at timestamptz NOT NULL,
    CHECK (sha256 = pg_catalog.sha256(content))
);

CREATE TABLE settlement.prefundings (
    name text PRIMARY KEY,
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    amount_minor bigint NOT NULL CHECK (amount_minor <> 0),
    source text NOT NULL,
    created_at timestamptz NOT NULL
);

GRANT SELECT, INSERT ON settlement.bank_accounts, settlement.instructions, settlement.payment_files,
    settlement.file_payments, settlement.sendings, settlement.documents, settlement.prefundings TO settlement_app;
GRANT UPDATE (state, etag, proposal, verified_by, verified_at, channel, channel_note, usable_from)
    ON settlement.bank_accounts TO settlement_app;
GRANT UPDATE (state, etag, msg_id, stated_on) ON settlement.instructions TO settlement_app;
GRANT UPDATE (state, etag) ON settlement.payment_files TO settlement_app;
GRANT UPDATE (ended_at, outcome, detail) ON settlement.sendings TO settlement_app;
GRANT SELECT (name, owner, number, clearing, currency, sha256, proposal, entered_by, entered_at, verified_by,
    verified_at, channel, usable_from, state, etag) ON settlement.bank_accounts TO settlement_ro;
GRANT SELECT (name, end_to_end_id, batch, revision, partner, currency, attempt, kind, method, amount_minor, reference,
    due_on, bank_account, clearing_account, supersedes, msg_id, stated_on, created_at, state, etag)
    ON settlement.instructions TO settlement_ro;
GRANT SELECT (msg_id, name, batch, revision, number, kind, format, currency, on_day, payments, control_sum_minor,
    sha256, replaces, created_at, state, etag) ON settlement.payment_files TO settlement_ro;
GRANT SELECT (sha256, title, brought_by, brought_at) ON settlement.documents TO settlement_ro;
GRANT SELECT ON settlement.file_payments, settlement.sendings, settlement.prefundings TO settlement_ro
"""
DOWNGRADE = """
DROP TABLE settlement.prefundings;
DROP TABLE settlement.documents;
DROP TABLE settlement.sendings;
DROP TABLE settlement.file_payments;
DROP TABLE settlement.payment_files;
DROP TABLE settlement.instructions;
DROP TABLE settlement.bank_accounts
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
