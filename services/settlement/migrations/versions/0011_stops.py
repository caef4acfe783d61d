"""What a break that stops releases expected and found, and on which account; and how such things are found quickly."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE settlement.breaks ADD COLUMN account text NOT NULL DEFAULT '',
    ADD COLUMN expected_minor bigint NOT NULL DEFAULT 0, ADD COLUMN found_minor bigint NOT NULL DEFAULT 0;
CREATE INDEX breaks_of_instruction ON settlement.breaks (instruction) WHERE instruction <> '';
CREATE INDEX breaks_of_account ON settlement.breaks (account) WHERE account <> '';
CREATE INDEX instructions_unstated ON settlement.instructions (clearing_account)
    WHERE state = 'BOOKED' AND stated_on IS NULL;
CREATE INDEX evidence_of_returns ON settlement.evidence (instruction) WHERE verdict = 'RETURNED'
"""
DOWNGRADE = """
DROP INDEX settlement.evidence_of_returns;
DROP INDEX settlement.instructions_unstated;
DROP INDEX settlement.breaks_of_account;
DROP INDEX settlement.breaks_of_instruction;
ALTER TABLE settlement.breaks DROP COLUMN account, DROP COLUMN expected_minor, DROP COLUMN found_minor
"""


def upgrade() -> None:
    """One statement at a time: psycopg prepares them."""
    for statement in UPGRADE.split(";"):
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWNGRADE.split(";"):
        op.execute(statement)
