"""Entries and postings by month, and what the other verbs, several processes and the evidence need.

A posting of 0001 does not say when it was posted, so code of before this step cannot post after it, and every row of
`postings` is written anew: this one step is taken with the ledger stopped. From here on steps lock nothing for long.

What is there becomes the first partition, up to the end of its last month. Further months are made ahead by
`ledger.make_partitions`, the only thing that the application may have done in the owner's name. Nobody has a grant on
a partition: whoever reads or adds does it through `entries` and `postings`.
"""

from __future__ import annotations

from collections.abc import Iterable

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

COLUMNS = """
ALTER TABLE ledger.heads
    ADD posted_at timestamptz NOT NULL DEFAULT 'epoch',
    ADD epoch bigint NOT NULL DEFAULT 0,
    ADD frozen boolean NOT NULL DEFAULT false;

ALTER TABLE ledger.entries
    DROP CONSTRAINT entries_kind_check,
    DROP CONSTRAINT entries_points_check,
    ADD CONSTRAINT entries_kind_check CHECK (kind BETWEEN 1 AND 15),
    ADD CONSTRAINT entries_points_check CHECK (points > 0 OR (points = 0 AND kind IN (12, 13))),
    ADD unit smallint NOT NULL DEFAULT 1 CHECK (unit BETWEEN 1 AND 4),
    ADD others text,
    ADD counterpart_bucket int,
    ADD counterpart_wallet uuid,
    ADD counterpart_seq bigint,
    ADD reason text,
    ADD proposed_by text,
    ADD approved_by text;

ALTER TABLE ledger.postings
    DROP CONSTRAINT postings_unit_check,
    ADD CONSTRAINT postings_unit_check CHECK (unit BETWEEN 1 AND 4),
    ADD posted_at timestamptz,
    ADD for_seq bigint,
    ADD for_line smallint,
    ADD earned_at timestamptz,
    ADD available_from timestamptz,
    ADD idle_days int,
    ADD campaign text,
    ADD origin_bucket int,
    ADD origin_seq bigint,
    ADD origin_line smallint;

ALTER TABLE ledger.wallets
    DROP CONSTRAINT wallets_unit_check,
    ADD CONSTRAINT wallets_unit_check CHECK (unit BETWEEN 1 AND 4),
    ADD active_at timestamptz,
    ADD idle_days int,
    ADD merged_bucket int,
    ADD merged_wallet uuid,
    ADD aliases int NOT NULL DEFAULT 0;

ALTER TABLE ledger.lots
    DROP CONSTRAINT lots_unit_check,
    ADD CONSTRAINT lots_unit_check CHECK (unit BETWEEN 1 AND 4),
    ADD available_from timestamptz,
    ADD owed bigint NOT NULL DEFAULT 0 CONSTRAINT lots_owed_check CHECK (owed BETWEEN 0 AND awarded),
    ADD idle_days int,
    ADD campaign text,
    ADD origin_bucket int,
    ADD origin_seq bigint,
    ADD origin_line smallint;
DROP INDEX ledger.lots_to_spend;
CREATE INDEX lots_to_spend ON ledger.lots (bucket, wallet_id, expires_on, earned_at, seq, line)
    WHERE available + pending + held > 0;
CREATE INDEX lots_to_clear ON ledger.lots (bucket, available_from) WHERE pending > 0;
CREATE INDEX lots_of_debt ON ledger.lots (bucket, wallet_id) WHERE owed > 0;
CREATE INDEX lots_idle ON ledger.lots (bucket, wallet_id) WHERE idle_days IS NOT NULL AND available > 0;

ALTER TABLE ledger.holds
    ADD released bigint NOT NULL DEFAULT 0 CHECK (released >= 0),
    ADD CONSTRAINT holds_parts_check CHECK (captured + released <= points);

ALTER TABLE ledger.checkpoints
    ADD tree_roots bytea[],
    ADD tree_root bytea,
    ADD tree_signature bytea,
    ADD CHECK (num_nulls(tree_roots, tree_root, tree_signature) IN (0, 3));
"""

# Not what 0001 kept in them, but what the entries that are there already say about the new columns.
BACKFILL = """
UPDATE ledger.postings p SET posted_at = e.posted_at
FROM ledger.entries e WHERE e.bucket = p.bucket AND e.seq = p.seq;
UPDATE ledger.heads h SET posted_at = e.posted_at
FROM ledger.entries e WHERE e.bucket = h.bucket AND e.seq = h.seq;
UPDATE ledger.holds SET released = points - captured WHERE state <> 1;
UPDATE ledger.wallets w SET active_at = a.posted_at FROM (
    SELECT DISTINCT ON (bucket, wallet_id) bucket, wallet_id, posted_at FROM ledger.entries
    WHERE kind IN (1, 3, 5) ORDER BY bucket, wallet_id, seq DESC
) a WHERE a.bucket = w.bucket AND a.wallet_id = w.wallet_id;
"""

TABLES = """
CREATE TABLE ledger.aliases (
    bucket int NOT NULL,
    wallet_id uuid NOT NULL,
    from_bucket int NOT NULL,
    from_wallet uuid NOT NULL,
    PRIMARY KEY (bucket, wallet_id, from_bucket, from_wallet)
);

CREATE TABLE ledger.transfers (
    bucket int NOT NULL,
    seq bigint NOT NULL,
    kind smallint NOT NULL CHECK (kind IN (10, 12)),
    to_bucket int NOT NULL,
    to_wallet uuid NOT NULL,
    arrived_seq bigint,
    PRIMARY KEY (bucket, seq)
);
CREATE INDEX transfers_open ON ledger.transfers (bucket, seq) WHERE arrived_seq IS NULL;

CREATE TABLE ledger.adjustments (
    bucket int NOT NULL,
    id uuid NOT NULL,
    wallet_id uuid NOT NULL,
    unit smallint NOT NULL CHECK (unit BETWEEN 1 AND 4),
    issuer text NOT NULL,
    points bigint NOT NULL CHECK (points > 0),
    taking boolean NOT NULL,
    reason text NOT NULL,
    expires_on date,
    proposed_by text NOT NULL,
    proposed_at timestamptz NOT NULL,
    state smallint NOT NULL CHECK (state BETWEEN 1 AND 3),
    decided_by text,
    decided_at timestamptz,
    entry_seq bigint,
    PRIMARY KEY (bucket, id),
    CHECK (state <> 2 OR decided_by <> proposed_by),
    CHECK ((state = 1) = (decided_by IS NULL)),
    CHECK (entry_seq IS NULL OR state = 2)
);
CREATE INDEX adjustments_open ON ledger.adjustments (bucket, proposed_at) WHERE state = 1;

CREATE TABLE ledger.leases (
    bucket int PRIMARY KEY,
    holder text NOT NULL,
    address text NOT NULL,
    epoch bigint NOT NULL CHECK (epoch >= 0),
    expires_at timestamptz NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE ledger.processes (
    name text PRIMARY KEY,
    address text NOT NULL,
    seen_at timestamptz NOT NULL
);

CREATE TABLE ledger.slices (
    bucket int NOT NULL,
    partner text NOT NULL,
    awarded bigint NOT NULL CHECK (awarded >= 0),
    remaining bigint CHECK (remaining >= 0),
    PRIMARY KEY (bucket, partner)
) WITH (fillfactor = 50);
INSERT INTO ledger.slices (bucket, partner, awarded)
SELECT p.bucket % least(16, d.bucket_count), p.debit_party, sum(p.points)
FROM ledger.deployment d, ledger.postings p JOIN ledger.entries e ON e.bucket = p.bucket AND e.seq = p.seq
WHERE e.kind = 1 AND p.debit = 11 GROUP BY 1, 2;

CREATE TABLE ledger.allowances (
    partner text PRIMARY KEY,
    revision bigint NOT NULL,
    limit_points bigint NOT NULL CHECK (limit_points >= 0),
    pool bigint NOT NULL CHECK (pool >= 0),
    updated_at timestamptz NOT NULL
);

CREATE TABLE ledger.policies (
    partner text PRIMARY KEY,
    revision bigint NOT NULL,
    pending_days int NOT NULL CHECK (pending_days >= 0),
    negative_balance smallint NOT NULL CHECK (negative_balance BETWEEN 1 AND 3),
    redemption_step bigint NOT NULL CHECK (redemption_step > 0),
    redemption_minimum bigint NOT NULL CHECK (redemption_minimum >= 0),
    redemption_share_bp int NOT NULL CHECK (redemption_share_bp BETWEEN 0 AND 10000),
    updated_at timestamptz NOT NULL
);

CREATE TABLE ledger.tree_nodes (
    bucket int NOT NULL,
    level smallint NOT NULL CHECK (level >= 0),
    position bigint NOT NULL CHECK (position >= 0),
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    PRIMARY KEY (bucket, level, position)
);

CREATE TABLE ledger.landmarks (
    bucket int NOT NULL,
    seq bigint NOT NULL,
    posted_at timestamptz NOT NULL,
    PRIMARY KEY (bucket, seq)
);

CREATE TABLE ledger.freezes (
    bucket int PRIMARY KEY,
    frozen_at timestamptz NOT NULL,
    subject text NOT NULL,
    name text NOT NULL,
    detail text NOT NULL
);
"""

# The flat tables become the first partition of tables of the same name; ATTACH builds the indexes that they lack.
MONTHS = """
DROP INDEX ledger.entries_of_wallet;
ALTER INDEX ledger.entries_of_partner RENAME TO entries_before_of_partner;
ALTER TABLE ledger.entries DROP CONSTRAINT entries_pkey;
ALTER TABLE ledger.postings DROP CONSTRAINT postings_pkey, ALTER posted_at SET NOT NULL;
ALTER TABLE ledger.entries RENAME TO entries_before;
ALTER TABLE ledger.postings RENAME TO postings_before;
CREATE TABLE ledger.entries (
    LIKE ledger.entries_before INCLUDING DEFAULTS INCLUDING CONSTRAINTS, PRIMARY KEY (bucket, seq, posted_at)
) PARTITION BY RANGE (posted_at);
CREATE TABLE ledger.postings (
    LIKE ledger.postings_before INCLUDING DEFAULTS INCLUDING CONSTRAINTS, PRIMARY KEY (bucket, seq, line, posted_at)
) PARTITION BY RANGE (posted_at);
CREATE INDEX entries_of_partner ON ledger.entries (bucket, partner, seq);
CREATE INDEX entries_of_wallet ON ledger.entries (bucket, wallet_id, unit, posted_at, seq);
CREATE INDEX entries_of_units ON ledger.entries (bucket, wallet_id, posted_at, seq) WHERE others IS NOT NULL;
"""
ATTACH = """
DO $$
DECLARE
    month_end timestamptz;
BEGIN
    SELECT coalesce(date_trunc('month', max(posted_at), 'UTC') + interval '1 month', '2026-01-01 00:00:00+00')
    INTO month_end FROM ledger.entries_before;
    EXECUTE format('ALTER TABLE ledger.entries ATTACH PARTITION ledger.entries_before
        FOR VALUES FROM (MINVALUE) TO (%L)', month_end);
    EXECUTE format('ALTER TABLE ledger.postings ATTACH PARTITION ledger.postings_before
        FOR VALUES FROM (MINVALUE) TO (%L)', month_end);
END
$$
"""

# The months follow each other without a gap. When time has jumped, or nobody has posted for long, what lies more than
# a year back is one wide partition. CREATE, then ATTACH, waits for nobody who posts, and nobody waits for it.
MAKE_PARTITIONS = r"""
CREATE FUNCTION ledger.make_partitions(until date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    enough constant timestamptz := date_trunc('month', until::timestamptz) + interval '1 month';
    alone boolean := false;
    month timestamptz;
    month_end timestamptz;
    parent text;
    made text;
BEGIN
    IF NOT coalesce(isfinite(until), false) THEN
        RAISE invalid_parameter_value USING MESSAGE = 'until must be a day';
    END IF;
    LOOP
        SELECT max(substring(pg_get_expr(c.relpartbound, c.oid) FROM $to$TO \('(.+)'\)$to$)::timestamptz) INTO month
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'ledger.entries'::regclass;
        EXIT WHEN month >= enough;
        IF NOT alone THEN
            LOCK TABLE ONLY ledger.entries IN SHARE UPDATE EXCLUSIVE MODE;
            alone := true;
            CONTINUE;  -- somebody else may have been quicker
        END IF;
        month_end := greatest(month + interval '1 month', enough - interval '12 months');
        FOREACH parent IN ARRAY ARRAY['entries', 'postings'] LOOP
            made := parent || to_char(month, '_YYYY_MM');
            EXECUTE format('CREATE TABLE ledger.%I (LIKE ledger.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)',
                made, parent);
            EXECUTE format('ALTER TABLE ledger.%I ATTACH PARTITION ledger.%I FOR VALUES FROM (%L) TO (%L)',
                parent, made, month, month_end);
        END LOOP;
    END LOOP;
END
$$
"""

# Grants on reference tables apart from the others': a cluster wants it so. What may be changed is written out.
GRANTS = """
REVOKE ALL ON ledger.entries_before, ledger.postings_before FROM ledger_app, ledger_ro;
GRANT SELECT, INSERT ON ledger.entries, ledger.postings, ledger.aliases, ledger.tree_nodes, ledger.landmarks
    TO ledger_app;
GRANT SELECT, INSERT, UPDATE ON ledger.transfers, ledger.adjustments, ledger.leases, ledger.slices TO ledger_app;
GRANT SELECT, INSERT, DELETE ON ledger.freezes TO ledger_app;
GRANT SELECT, INSERT, UPDATE ON ledger.allowances, ledger.policies TO ledger_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ledger.processes TO ledger_app;
GRANT SELECT ON ledger.entries, ledger.postings, ledger.aliases, ledger.tree_nodes, ledger.transfers,
    ledger.adjustments, ledger.leases, ledger.slices, ledger.landmarks, ledger.freezes TO ledger_ro;
GRANT SELECT ON ledger.allowances, ledger.policies, ledger.processes TO ledger_ro;
REVOKE ALL ON FUNCTION ledger.make_partitions(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.make_partitions(date) TO ledger_app;
"""

BACK = """
DROP FUNCTION ledger.make_partitions(date);
ALTER TABLE ledger.entries RENAME TO entries_by_month;
ALTER TABLE ledger.postings RENAME TO postings_by_month;
DROP INDEX ledger.entries_of_wallet, ledger.entries_of_partner, ledger.entries_of_units;
CREATE TABLE ledger.entries (LIKE ledger.entries_by_month INCLUDING CONSTRAINTS);
CREATE TABLE ledger.postings (LIKE ledger.postings_by_month INCLUDING CONSTRAINTS);
INSERT INTO ledger.entries SELECT * FROM ledger.entries_by_month;
INSERT INTO ledger.postings SELECT * FROM ledger.postings_by_month;
DROP TABLE ledger.entries_by_month, ledger.postings_by_month;
ALTER TABLE ledger.entries
    DROP unit, DROP others, DROP counterpart_bucket, DROP counterpart_wallet, DROP counterpart_seq, DROP reason,
    DROP proposed_by, DROP approved_by,
    DROP CONSTRAINT entries_kind_check, ADD CONSTRAINT entries_kind_check CHECK (kind BETWEEN 1 AND 8),
    DROP CONSTRAINT entries_points_check, ADD CONSTRAINT entries_points_check CHECK (points > 0),
    ADD CONSTRAINT entries_pkey PRIMARY KEY (bucket, seq);
ALTER TABLE ledger.postings
    DROP posted_at, DROP for_seq, DROP for_line, DROP earned_at, DROP available_from, DROP idle_days, DROP campaign,
    DROP origin_bucket, DROP origin_seq, DROP origin_line,
    DROP CONSTRAINT postings_unit_check, ADD CONSTRAINT postings_unit_check CHECK (unit = 1),
    ADD CONSTRAINT postings_pkey PRIMARY KEY (bucket, seq, line);
CREATE INDEX entries_of_partner ON ledger.entries (bucket, partner, seq);
CREATE INDEX entries_of_wallet ON ledger.entries (bucket, wallet_id, seq);
GRANT SELECT, INSERT ON ledger.entries, ledger.postings TO ledger_app;
GRANT SELECT ON ledger.entries, ledger.postings TO ledger_ro;
ALTER TABLE ledger.heads DROP posted_at, DROP epoch, DROP frozen;
ALTER TABLE ledger.wallets
    DROP active_at, DROP idle_days, DROP merged_bucket, DROP merged_wallet, DROP aliases,
    DROP CONSTRAINT wallets_unit_check, ADD CONSTRAINT wallets_unit_check CHECK (unit = 1);
DROP INDEX ledger.lots_to_spend, ledger.lots_to_clear, ledger.lots_of_debt, ledger.lots_idle;
CREATE INDEX lots_to_spend ON ledger.lots (bucket, wallet_id, expires_on, earned_at, seq, line) WHERE available > 0;
ALTER TABLE ledger.lots
    DROP available_from, DROP owed, DROP idle_days, DROP campaign, DROP origin_bucket, DROP origin_seq,
    DROP origin_line, DROP CONSTRAINT lots_unit_check, ADD CONSTRAINT lots_unit_check CHECK (unit = 1);
ALTER TABLE ledger.holds DROP released;
ALTER TABLE ledger.checkpoints DROP tree_roots, DROP tree_root, DROP tree_signature;
DROP TABLE ledger.freezes, ledger.landmarks, ledger.tree_nodes, ledger.policies, ledger.allowances, ledger.slices,
    ledger.processes, ledger.leases, ledger.adjustments, ledger.transfers, ledger.aliases;
"""


def upgrade() -> None:
    _run(f"{COLUMNS};{BACKFILL};{TABLES};{MONTHS}".split(";"))
    _run([ATTACH, MAKE_PARTITIONS, *GRANTS.split(";")])


def downgrade() -> None:
    """Possible while the journal says nothing that 0001 has no words for."""
    _run(BACK.split(";"))


def _run(statements: Iterable[str]) -> None:
    """One statement at a time: psycopg prepares them."""
    for statement in statements:
        if statement.strip():
            op.execute(statement)
