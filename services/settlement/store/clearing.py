"""What the bank's own statements say of the clearing accounts: one that is overdrawn stops pay files (F06)."""

from __future__ import annotations

from sqlalchemy import Connection, text

_OVERDRAWN = text("""
SELECT currency, sum(-closing_minor)::bigint AS minor FROM (
    SELECT DISTINCT ON (account) currency, closing_minor FROM settlement.bank_statements ORDER BY account, place DESC
) AS newest WHERE closing_minor < 0 GROUP BY currency
""")


def overdrawn(connection: Connection) -> dict[str, int]:
    """By currency, how far the newest statements are below zero, in minor units. No balance is set to anything else."""
    return {row.currency: row.minor for row in connection.execute(_OVERDRAWN)}
