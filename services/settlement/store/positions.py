"""Positions from rows: what is counted and not closed, what is closed and not settled, what was carried."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from sqlalchemy import Connection, text

from services.settlement.domain.contract import PriceBook
from services.settlement.domain.lines import line_of
from services.settlement.domain.position import PLACES, Position
from services.settlement.domain.refusals import ContractNotFound
from services.settlement.domain.terms import Cover
from services.settlement.store import books, exposures
from services.settlement.store.batches.defaults import covers_left
from services.settlement.store.contracts import price_book, versions_known
from shared.instants import micros
from shared.money import exponent_of

# Debtor first: what the partner owes is positive. A line's sides follow from its leg, as domain.legs has them.
_UNSETTLED = text("""
SELECT sum(CASE WHEN (l.partner = :partner) = (l.leg IN ('ISSUANCE', 'REDEMPTION', 'PREPAID', 'FEE'))
    THEN l.booked_minor + l.tax_minor ELSE -(l.booked_minor + l.tax_minor) END)::text AS minor
FROM settlement.lines l JOIN settlement.windows w ON w.number = l.window_number
WHERE w.state = 'CLOSED' AND l.currency = :currency AND (l.partner = :partner OR l.counterparty = :partner)
    AND l.partner <> l.counterparty
    AND NOT EXISTS (
        SELECT 1 FROM settlement.batch_slices s JOIN settlement.batches b ON b.number = s.batch
        WHERE s.window_number = l.window_number AND s.currency = l.currency AND s.freed_at IS NULL
            AND b.state = 'SETTLED'
    )
""")
# What a batch that is not settled yet has moved already, and what settled ones left open.
_MOVED = text("""
SELECT sum(CASE WHEN i.kind = 'COLLECT' THEN -i.amount_minor ELSE i.amount_minor END)::text AS minor
FROM settlement.instructions i JOIN settlement.batches b ON b.number = i.batch
WHERE i.partner = :partner AND i.currency = :currency AND i.state IN ('BOOKED', 'FINAL') AND b.state <> 'SETTLED'
""")
_CARRIED = text("""
SELECT sum(-o.minor)::text AS minor FROM settlement.openings o JOIN settlement.batches b ON b.number = o.batch
    LEFT JOIN settlement.batches t ON t.number = o.taken_by
WHERE o.partner = :partner AND o.currency = :currency AND b.state = 'SETTLED' AND t.state IS DISTINCT FROM 'SETTLED'
""")


NO_WEIGHT = Decimal(0)
"""Points outstanding do not count: there is no cap that says so."""


def position(connection: Connection, partner: str, at: datetime, weight: Decimal = NO_WEIGHT) -> Position:
    """What a partner owes in the currency of its contract. Raises ContractNotFound."""
    book = price_book(connection, versions_known(connection))
    version = book.in_force(partner, micros(at)) or book.pricing(partner, 0)
    if version is None:
        raise ContractNotFound(partner=partner)
    terms = book.terms(version)
    wanted = {"partner": partner, "currency": terms.currency}
    minor = sum(int(connection.execute(one, wanted).scalar_one() or 0) for one in (_UNSETTLED, _MOVED, _CARRIED))
    exact = minor * int(10 ** (PLACES - exponent_of(terms.currency)))
    exact += _open(connection, partner, terms.currency, book)
    found = exposures.of(connection, partner)
    billionths = terms.rate_at_redemption.billionths * 10**9
    held = max(0, found.held) * billionths
    outstanding = Fraction(weight) * max(0, found.outstanding - found.held) * billionths
    return Position(partner, terms.currency, exact, held, -int(-outstanding // 1))


def has_cover(connection: Connection, partner: str, at: datetime) -> bool:
    """Whether of the collateral that its contract asks for something is left. True where it asks for none."""
    book = price_book(connection, versions_known(connection))
    version = book.in_force(partner, micros(at)) or book.pricing(partner, 0)
    if version is None:
        return True
    terms = book.terms(version)
    return terms.collateral_minor == 0 or covers_left(connection, partner, terms.paid_in, terms)[Cover.COLLATERAL] > 0


def _open(connection: Connection, partner: str, currency: str, book: PriceBook) -> int:
    owed = 0
    for rollup in books.open_rollups(connection, partner):
        key = line_of(rollup, book)
        if key.currency == currency and key.debtor != key.creditor:
            owed += key.exactly(rollup.points) * (1 if key.debtor == partner else -1)
    return owed
