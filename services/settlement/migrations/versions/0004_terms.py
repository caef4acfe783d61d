"""Terms with timing, routes, fees, tax; obligations with both sides; rollups by worker; the seal of a window.

Only added: whoever ran before goes on inserting what it knows, into columns with defaults and into `rollups`, which
`all_rollups` reads too. A window's entries are found by their bucket and seq, so the index by window is not needed.
"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE settlement.contract_versions
    ADD effective_until timestamptz CHECK (effective_until > effective_from),
    ADD terms bytea,
    ADD proposal text UNIQUE,
    DROP CONSTRAINT contract_versions_timing_check,
    DROP CONSTRAINT contract_versions_rounding_check,
    ADD CONSTRAINT contract_versions_one_at_a_time EXCLUDE USING gist (
        int8range(hashtextextended(partner, 0), hashtextextended(partner, 0), '[]') WITH &&,
        tstzrange(effective_from, effective_until) WITH &&
    ) WHERE (effective_until IS NOT NULL);

ALTER TABLE settlement.obligations
    ADD counterparty text NOT NULL DEFAULT 'operator',
    ADD rate_class text NOT NULL DEFAULT '',
    ADD month int NOT NULL DEFAULT 0,
    ADD lot smallint,
    DROP CONSTRAINT obligations_leg_check;
DROP INDEX settlement.obligations_of_window;

CREATE TABLE settlement.rollups_by_worker (
    window_number bigint NOT NULL,
    worker smallint NOT NULL,
    leg text NOT NULL,
    partner text NOT NULL,
    counterparty text NOT NULL,
    version int NOT NULL,
    rate_class text NOT NULL,
    month int NOT NULL,
    subject text NOT NULL,
    points numeric(40) NOT NULL,
    items bigint NOT NULL CHECK (items > 0),
    late_items bigint NOT NULL CHECK (late_items BETWEEN 0 AND items),
    latest_at timestamptz NOT NULL,
    PRIMARY KEY (window_number, worker, leg, partner, counterparty, version, rate_class, month, subject)
) WITH (fillfactor = 50);
CREATE INDEX rollups_by_worker_of_partner ON settlement.rollups_by_worker (partner);

CREATE VIEW settlement.all_rollups AS
SELECT window_number, leg, partner, counterparty, version, rate_class, month, subject, points, items, late_items,
    latest_at
FROM settlement.rollups_by_worker
UNION ALL
SELECT window_number, leg, partner, 'operator', version, '', 0, '', points, items, late_items, latest_at
FROM settlement.rollups;

CREATE TABLE settlement.own_entries (
    seq bigint PRIMARY KEY CHECK (seq > 0),
    window_number bigint NOT NULL,
    subject text NOT NULL,
    canonical bytea NOT NULL,
    prev bytea NOT NULL CHECK (octet_length(prev) = 32),
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    at timestamptz NOT NULL
);

ALTER TABLE settlement.window_counts ADD points numeric(40);

ALTER TABLE settlement.suspense ADD waived text NOT NULL DEFAULT '';

ALTER TABLE settlement.windows
    ADD name text GENERATED ALWAYS AS ('windows/' || number) STORED UNIQUE,
    ADD etag bigint NOT NULL DEFAULT 1,
    ADD asked_by text NOT NULL DEFAULT '',
    ADD own_from bigint NOT NULL DEFAULT 0,
    ADD own_to bigint,
    DROP CONSTRAINT windows_state_check,
    ADD CONSTRAINT windows_state_check CHECK (state IN ('OPEN', 'CLOSING', 'CLOSED', 'SETTLED')),
    DROP CONSTRAINT windows_check1,
    ADD CONSTRAINT windows_check1 CHECK (
        state NOT IN ('CLOSED', 'SETTLED') OR num_nulls(closed_at, versions_known) = 0
    );

ALTER TABLE settlement.lines
    ADD counterparty text NOT NULL DEFAULT 'operator',
    ADD tax text NOT NULL DEFAULT '',
    ADD subject text NOT NULL DEFAULT '',
    ADD fees text NOT NULL DEFAULT '',
    ADD tax_minor numeric(50) NOT NULL DEFAULT 0,
    ALTER entries_root DROP NOT NULL,
    DROP CONSTRAINT lines_pkey,
    ADD PRIMARY KEY (window_number, partner, leg, currency, rate, rounding, counterparty, tax, subject, fees);

ALTER TABLE settlement.nets
    ADD fees_minor numeric(50) NOT NULL DEFAULT 0,
    ADD tax_minor numeric(50) NOT NULL DEFAULT 0;

CREATE TABLE settlement.seals (
    window_number bigint PRIMARY KEY,
    document bytea NOT NULL,
    sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32)
);

GRANT UPDATE (effective_until) ON settlement.contract_versions TO settlement_app;
GRANT UPDATE (waived) ON settlement.suspense TO settlement_app;
GRANT SELECT, INSERT, UPDATE ON settlement.rollups_by_worker TO settlement_app;
GRANT SELECT, INSERT ON settlement.own_entries, settlement.seals TO settlement_app;
GRANT SELECT ON settlement.all_rollups TO settlement_app;
GRANT SELECT ON ALL TABLES IN SCHEMA settlement TO settlement_ro
"""
DOWNGRADE = """
DROP TABLE settlement.seals, settlement.own_entries;
DROP VIEW settlement.all_rollups;
DROP TABLE settlement.rollups_by_worker;
ALTER TABLE settlement.nets DROP fees_minor, DROP tax_minor;
ALTER TABLE settlement.lines DROP CONSTRAINT lines_pkey, DROP counterparty, DROP tax, DROP subject, DROP fees,
    DROP tax_minor, ADD PRIMARY KEY (window_number, partner, leg, currency, rate, rounding);
ALTER TABLE settlement.windows DROP name, DROP etag, DROP asked_by, DROP own_from, DROP own_to;
ALTER TABLE settlement.suspense DROP waived;
ALTER TABLE settlement.window_counts DROP points;
ALTER TABLE settlement.obligations DROP counterparty, DROP rate_class, DROP month, DROP lot;
CREATE INDEX obligations_of_window ON settlement.obligations (window_number, partner, leg, version, bucket, seq);
ALTER TABLE settlement.contract_versions DROP CONSTRAINT contract_versions_one_at_a_time, DROP effective_until,
    DROP terms, DROP proposal
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
