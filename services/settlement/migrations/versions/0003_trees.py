"""A checkpoint's tree over all entries, beside the root over its heads. Edges from before never get one."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "ALTER TABLE settlement.windows ADD to_tree_root bytea, ADD to_tree_signature bytea,"
        " ADD CHECK (num_nulls(to_tree_root, to_tree_signature) IN (0, 2))"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE settlement.windows DROP to_tree_root, DROP to_tree_signature")
