"""One entry may make several obligations of one leg and partner: an award that repays an older debt of its issuer.

So an obligation is named by its line within the entry. Older rows keep the order they were always read in.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE settlement.obligations ADD COLUMN line smallint NOT NULL DEFAULT 0;
UPDATE settlement.obligations o SET line = n.line FROM (
    SELECT bucket, seq, leg, partner, row_number() OVER (PARTITION BY bucket, seq ORDER BY leg, partner) - 1 AS line
    FROM settlement.obligations
) AS n WHERE n.line > 0 AND (o.bucket, o.seq, o.leg, o.partner) = (n.bucket, n.seq, n.leg, n.partner);
ALTER TABLE settlement.obligations DROP CONSTRAINT obligations_pkey;
ALTER TABLE settlement.obligations ADD PRIMARY KEY (bucket, seq, line)
"""
DOWNGRADE = """
ALTER TABLE settlement.obligations DROP CONSTRAINT obligations_pkey;
ALTER TABLE settlement.obligations ADD PRIMARY KEY (bucket, seq, leg, partner);
ALTER TABLE settlement.obligations DROP COLUMN line
"""


def upgrade() -> None:
    for statement in UPGRADE.split(";"):
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWNGRADE.split(";"):
        op.execute(statement)
