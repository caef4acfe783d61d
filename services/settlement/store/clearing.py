"""The clearing accounts, looked at whenever the bank or a person has said something: stops begin and end here."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, text

from services.settlement.domain.breaks import STOPS, BreakReason, Found
from services.settlement.domain.clearing import Clearing, found
from services.settlement.domain.machines import BREAK
from services.settlement.store import breaks, sending, steps, transitions

# Payments that are booked and on no statement, and those that came back and no statement shows it, from the day after
# the word on: a statement has everything of its own day. Where a line names the payment and does not fit, its break is
# what persons look at. What persons resolved or wrote off is no longer expected.
_STANDING = text("""
WITH newest AS (
    SELECT DISTINCT ON (account) account, currency, closing_minor, closes_on,
        'bankFiles/' || encode(sha256, 'hex') || '/' || part AS statement
    FROM settlement.bank_statements ORDER BY account, place DESC
), said AS (
    SELECT i.name, i.batch, i.clearing_account AS account, 'BOOKED' AS verdict,
        CASE i.kind WHEN 'COLLECT' THEN i.amount_minor ELSE -i.amount_minor END AS minor
    FROM settlement.instructions i WHERE i.state = 'BOOKED' AND i.stated_on IS NULL
    UNION ALL
    SELECT i.name, i.batch, i.clearing_account, 'RETURNED',
        CASE i.kind WHEN 'COLLECT' THEN -i.amount_minor ELSE i.amount_minor END
    FROM settlement.instructions i
    WHERE i.state <> 'FINAL' AND i.stated_on IS NOT NULL
        AND EXISTS (SELECT FROM settlement.evidence e WHERE e.instruction = i.name AND e.verdict = 'RETURNED')
        AND NOT EXISTS (
            SELECT FROM settlement.bank_matches m WHERE m.instruction = i.name AND m.verdict = 'RETURNED' AND m.stated
        )
), unshown AS (
    SELECT s.account, sum(s.minor) AS minor, CASE WHEN min(s.batch) = max(s.batch) THEN min(s.batch) END AS batch
    FROM said s JOIN newest n USING (account)
    WHERE NOT EXISTS (
        SELECT FROM settlement.breaks b WHERE b.instruction = s.name AND b.subject LIKE 'bankLines/%'
    ) AND n.closes_on > coalesce(
        (SELECT min(l.booked_on) FROM settlement.bank_matches m JOIN settlement.bank_lines l ON l.id = m.line
            WHERE m.instruction = s.name AND m.verdict = s.verdict),
        (SELECT min((e.said_at AT TIME ZONE 'UTC')::date) FROM settlement.evidence e
            WHERE e.instruction = s.name AND e.verdict = s.verdict)
    )
    GROUP BY s.account
), given_up AS (
    SELECT b.account, sum(b.found_minor - b.expected_minor) AS minor FROM settlement.breaks b
    WHERE b.reason = 'CLEARING_MISMATCH' AND b.account <> '' AND (b.state = 'WRITTEN_OFF' OR (b.state = 'RESOLVED'
        AND EXISTS (SELECT FROM settlement.transitions t WHERE t.name = b.name AND t.act = 'ResolveBreak')))
    GROUP BY b.account
)
SELECT n.account, n.currency, n.statement, n.closing_minor, coalesce(u.minor, 0)::bigint AS unshown_minor,
    coalesce(g.minor, 0)::bigint AS given_up_minor, u.batch
FROM newest n LEFT JOIN unshown u USING (account) LEFT JOIN given_up g USING (account) ORDER BY n.account
""")
_PENDING = text("""
SELECT name, reason, account, subject, found_minor - expected_minor AS minor FROM settlement.breaks
WHERE account <> '' AND state IN ('OPEN', 'EXPLAINED') ORDER BY number
""")
# Batches that wait for nothing but that a break is over.
_WAITING = text("""
SELECT b.name FROM settlement.batches b
WHERE b.state IN ('IN_PAYMENT', 'PARTIALLY_SETTLED') AND (b.number = :batch OR EXISTS (
    SELECT FROM settlement.instructions i WHERE i.batch = b.number AND i.currency = :currency
)) ORDER BY b.number
""")


def look(connection: Connection, by: str, at: datetime) -> None:
    """Compare every account with what is expected of it: begin the stops that are new, end those that are over.

    A difference that is there already, explained or not, is not found a second time. One that changes before the next
    statement comes is found with that.
    """
    breaks.lock(connection)  # two who look at the same moment find it once, and end it once
    wrong = {row.account: (row.statement, found(Clearing(*row))) for row in connection.execute(_STANDING)}
    known: set[tuple[str, BreakReason]] = set()
    for row in connection.execute(_PENDING).all():
        reason = BreakReason(row.reason)
        statement, now = wrong[row.account]
        one = now.get(reason)
        if one is not None and (statement == row.subject or row.minor == one.found_minor - one.expected_minor):
            known.add((row.account, reason))
            continue
        transitions.move(connection, BREAK, breaks.TABLE, row.name, "RESOLVED", "evidence", by=by, why=statement, at=at)
        over(connection, breaks.found(connection, row.name), at)
    new: list[Found] = [
        one for account, (_, now) in wrong.items() for reason, one in now.items() if (account, reason) not in known
    ]
    breaks.open_all(connection, new, by, at)


def over(connection: Connection, one: breaks.Break, at: datetime) -> None:
    """Somebody explained or ended a break: batches that waited for nothing else are looked at again."""
    which = {"batch": one.batch, "currency": one.currency if one.reason in STOPS else ""}
    for name in connection.execute(_WAITING, which).scalars().all():
        steps.ask(connection, sending.FINAL, name, due_at=at, at=at)
