"""Partners, members and what finds them.

Personal data stands in `sealed_...` columns alone, under a key per member; those keys are a table of their own, so that
erasing a member is deleting one row. The application may add and, where named, change columns; it deletes nothing.
"""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

PARTNERS = """
CREATE TABLE identity.partners (
    partner_id text PRIMARY KEY CHECK (partner_id ~ '^[a-z][a-z0-9-]{1,62}$' AND partner_id <> 'operator'),
    display_name text NOT NULL CHECK (char_length(display_name) BETWEEN 1 AND 200),
    created_at timestamptz NOT NULL
);

CREATE TABLE identity.stores (
    partner_id text NOT NULL REFERENCES identity.partners,
    store_id text NOT NULL CHECK (store_id ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$'),
    display_name text NOT NULL CHECK (char_length(display_name) <= 200),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (partner_id, store_id)
);

CREATE TABLE identity.credentials (
    credential_id uuid PRIMARY KEY,
    partner_id text NOT NULL REFERENCES identity.partners,
    display_name text NOT NULL CHECK (char_length(display_name) <= 200),
    secret_hash text NOT NULL CHECK (secret_hash LIKE '$argon2id$%'),
    created_at timestamptz NOT NULL,
    revoked_at timestamptz
);
CREATE INDEX ix_identity_credentials_partner_id ON identity.credentials (partner_id);
"""

MEMBERS = """
CREATE TABLE identity.members (
    member_id uuid PRIMARY KEY,
    wallet_id uuid NOT NULL UNIQUE CHECK (wallet_id <> member_id),
    state text NOT NULL CHECK (state IN ('ACTIVE', 'BLOCKED')),
    terms_version text NOT NULL CHECK (char_length(terms_version) BETWEEN 1 AND 32),
    segments text[] NOT NULL CHECK (cardinality(segments) <= 16),
    enrolled_by text NOT NULL,
    request_id uuid NOT NULL,
    request_hash bytea NOT NULL CHECK (octet_length(request_hash) = 32),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    UNIQUE (enrolled_by, request_id)
);

CREATE TABLE identity.member_keys (
    member_id uuid PRIMARY KEY REFERENCES identity.members,
    wrapped_key bytea NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE TABLE identity.profiles (
    member_id uuid PRIMARY KEY REFERENCES identity.members,
    sealed_profile bytea NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE identity.identifiers (
    lookup bytea PRIMARY KEY CHECK (octet_length(lookup) = 32),
    member_id uuid NOT NULL REFERENCES identity.members,
    type text NOT NULL CHECK (type IN ('CARD', 'PHONE', 'EMAIL', 'MEMBER_NUMBER')),
    sealed_value bytea NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX ix_identity_identifiers_member_id ON identity.identifiers (member_id);
CREATE UNIQUE INDEX identifiers_one_number ON identity.identifiers (member_id) WHERE type = 'MEMBER_NUMBER';

CREATE TABLE identity.codes (
    member_id uuid PRIMARY KEY REFERENCES identity.members,
    sealed_seed bytea NOT NULL,
    last_step bigint NOT NULL CHECK (last_step >= -1)
) WITH (fillfactor = 80);

CREATE TABLE identity.changes (
    change_id uuid PRIMARY KEY,
    member_id uuid NOT NULL REFERENCES identity.members,
    change text NOT NULL CHECK (change IN ('ACTIVE', 'BLOCKED', 'IDENTIFIER_ADDED', 'SEGMENTS_SET')),
    sealed_reason bytea CHECK (sealed_reason IS NOT NULL OR change NOT IN ('ACTIVE', 'BLOCKED')),
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL
);
CREATE INDEX ix_identity_changes_member_id ON identity.changes (member_id);
"""

# The reader sees neither keys nor what they open, nor the hashes by which somebody could be found.
GRANTS = """
GRANT SELECT, INSERT ON identity.partners, identity.stores, identity.credentials TO identity_app;
GRANT UPDATE (revoked_at) ON identity.credentials TO identity_app;
GRANT SELECT, INSERT ON identity.members, identity.member_keys, identity.profiles, identity.identifiers TO identity_app;
GRANT UPDATE (state, segments, updated_at) ON identity.members TO identity_app;
GRANT SELECT, INSERT ON identity.codes, identity.changes TO identity_app;
GRANT UPDATE (last_step) ON identity.codes TO identity_app;

GRANT SELECT ON identity.partners, identity.stores TO identity_ro;
GRANT SELECT (credential_id, partner_id, display_name, created_at, revoked_at) ON identity.credentials TO identity_ro;
GRANT SELECT (member_id, state, terms_version, segments, enrolled_by, created_at, updated_at)
    ON identity.members TO identity_ro;
GRANT SELECT (change_id, member_id, change, changed_by, changed_at) ON identity.changes TO identity_ro;
"""


def upgrade() -> None:
    op.execute(PARTNERS)
    op.execute(MEMBERS)
    op.execute(GRANTS)


def downgrade() -> None:
    op.execute(
        "DROP TABLE identity.changes, identity.codes, identity.identifiers, identity.profiles, identity.member_keys,"
        " identity.members, identity.credentials, identity.stores, identity.partners"
    )
