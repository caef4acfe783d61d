"""Proposals and their approval, transitions, requests, steps of long work, calendars, rates of exchange, models.

What was decided, moved or published is for ever: the application may insert and read it. Only what has a state, and the
rows that count attempts, may change.
"""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE TABLE settlement.transitions (
    name text NOT NULL,
    step int NOT NULL CHECK (step > 0),
    resource text NOT NULL,
    frm text NOT NULL,
    state text NOT NULL CHECK (state <> ''),
    act text NOT NULL CHECK (act <> ''),
    by text NOT NULL CHECK (by <> ''),
    why text NOT NULL,
    evidence bytea NOT NULL CHECK (octet_length(evidence) IN (0, 32)),
    at timestamptz NOT NULL,
    prev bytea NOT NULL CHECK (octet_length(prev) = 32),
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    PRIMARY KEY (name, step),
    CHECK (frm <> '' OR step = 1)
);

CREATE TABLE settlement.requests (
    request_id uuid PRIMARY KEY,
    method text NOT NULL,
    body_sha256 bytea NOT NULL CHECK (octet_length(body_sha256) = 32),
    name text NOT NULL,
    at timestamptz NOT NULL
);

CREATE TABLE settlement.proposals (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text GENERATED ALWAYS AS ('proposals/' || number) STORED UNIQUE,
    kind text NOT NULL,
    subject text NOT NULL,
    document bytea NOT NULL,
    sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
    state text NOT NULL CHECK (state IN ('PROPOSED', 'APPROVED', 'DECLINED', 'VOIDED')),
    etag bigint NOT NULL DEFAULT 1,
    proposed_by text NOT NULL,
    proposed_at timestamptz NOT NULL,
    barred text[] NOT NULL DEFAULT '{}',
    request_id uuid,
    decided_by text,
    decided_at timestamptz,
    why text NOT NULL DEFAULT '',
    CHECK (decided_by <> proposed_by AND NOT decided_by = ANY (barred)),
    CHECK (state NOT IN ('APPROVED', 'DECLINED') OR decided_by IS NOT NULL),
    CHECK (state = 'PROPOSED' OR decided_at IS NOT NULL)
);
CREATE UNIQUE INDEX proposals_only_one_open ON settlement.proposals (kind, subject) WHERE state = 'PROPOSED';
CREATE INDEX proposals_approved ON settlement.proposals (kind, subject, number) WHERE state = 'APPROVED';

CREATE TABLE settlement.steps (
    kind text NOT NULL,
    subject text NOT NULL,
    state text NOT NULL CHECK (state IN ('DUE', 'DONE', 'BLOCKED')),
    due_at timestamptz NOT NULL,
    retry_at timestamptz NOT NULL DEFAULT 'epoch',
    lease_until timestamptz NOT NULL DEFAULT 'epoch',
    fence bigint NOT NULL DEFAULT 0,
    attempts int NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    blocked_because text NOT NULL DEFAULT '',
    finished bigint NOT NULL DEFAULT 0,
    total bigint NOT NULL DEFAULT 0,
    asked_at timestamptz NOT NULL,
    done_at timestamptz,
    PRIMARY KEY (kind, subject),
    CHECK ((state = 'DONE') = (done_at IS NOT NULL)),
    CHECK (state <> 'BLOCKED' OR blocked_because <> '')
);
CREATE INDEX steps_due ON settlement.steps (due_at) WHERE state = 'DUE';

CREATE TABLE settlement.quarantines (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    why text NOT NULL,
    since timestamptz NOT NULL,
    lifted_at timestamptz,
    lifted_by text,
    CHECK ((lifted_at IS NULL) = (lifted_by IS NULL))
);
CREATE UNIQUE INDEX quarantines_only_one ON settlement.quarantines ((true)) WHERE lifted_at IS NULL;

CREATE TABLE settlement.calendars (
    calendar text NOT NULL,
    version int NOT NULL CHECK (version > 0),
    from_day date NOT NULL,
    until_day date NOT NULL CHECK (until_day > from_day),
    zone text NOT NULL,
    source text NOT NULL,
    sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
    proposal text NOT NULL UNIQUE,
    published_at timestamptz NOT NULL,
    PRIMARY KEY (calendar, version)
);
CREATE TABLE settlement.calendar_days (
    calendar text NOT NULL,
    version int NOT NULL,
    day date NOT NULL,
    business boolean NOT NULL,
    closed text NOT NULL CHECK ((closed = '') = business),
    cut_off_at timestamptz NOT NULL,
    PRIMARY KEY (calendar, version, day),
    FOREIGN KEY (calendar, version) REFERENCES settlement.calendars
);

CREATE TABLE settlement.fx_sets (
    fx_set text PRIMARY KEY,
    day date NOT NULL,
    base text NOT NULL,
    source text NOT NULL,
    sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
    proposal text NOT NULL UNIQUE,
    loaded_at timestamptz NOT NULL
);
CREATE INDEX fx_sets_by_day ON settlement.fx_sets (day, fx_set);
CREATE TABLE settlement.fx_quotes (
    fx_set text NOT NULL REFERENCES settlement.fx_sets,
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    quote numeric NOT NULL CHECK (quote > 0),
    PRIMARY KEY (fx_set, currency)
);

CREATE TABLE settlement.models (
    model text NOT NULL,
    version int NOT NULL CHECK (version > 0),
    content bytea NOT NULL,
    sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
    proposal text NOT NULL UNIQUE,
    published_at timestamptz NOT NULL,
    PRIMARY KEY (model, version)
);

ALTER TABLE settlement.windows ADD COLUMN currency_edition text NOT NULL DEFAULT '2026-01-01';

GRANT SELECT, INSERT ON settlement.transitions, settlement.requests TO settlement_app;
GRANT SELECT, INSERT ON settlement.calendars, settlement.calendar_days TO settlement_app;
GRANT SELECT, INSERT ON settlement.fx_sets, settlement.fx_quotes, settlement.models TO settlement_app;
GRANT SELECT, INSERT, UPDATE ON settlement.steps TO settlement_app;
GRANT SELECT, INSERT ON settlement.proposals, settlement.quarantines TO settlement_app;
GRANT UPDATE (state, etag, decided_by, decided_at, why) ON settlement.proposals TO settlement_app;
GRANT UPDATE (lifted_at, lifted_by) ON settlement.quarantines TO settlement_app;
GRANT SELECT ON ALL TABLES IN SCHEMA settlement TO settlement_ro
"""
DOWNGRADE = """
ALTER TABLE settlement.windows DROP COLUMN currency_edition;
DROP TABLE settlement.models, settlement.fx_quotes, settlement.fx_sets, settlement.calendar_days, settlement.calendars,
    settlement.quarantines, settlement.steps,
    settlement.proposals, settlement.requests, settlement.transitions
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
