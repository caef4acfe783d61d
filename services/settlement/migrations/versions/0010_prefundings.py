"""Which proposal a prefunding comes from: two people decide that money of the operator's own may be paid out."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE settlement.prefundings ADD COLUMN proposal text NOT NULL DEFAULT ''")
    op.execute("CREATE INDEX prefundings_in_order ON settlement.prefundings (created_at, name)")


def downgrade() -> None:
    op.execute("DROP INDEX settlement.prefundings_in_order")
    op.execute("ALTER TABLE settlement.prefundings DROP COLUMN proposal")
