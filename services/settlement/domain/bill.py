"""A window's bill: the lines of its obligations, of packs and of fees, from rollups and terms alone."""

from __future__ import annotations

from collections.abc import Sequence

from services.settlement.domain.contract import PriceBook
from services.settlement.domain.fees import fees_on, monthly_fees
from services.settlement.domain.lines import Line, Rollup, booked, counted, lines_of
from services.settlement.domain.prepaid import Span, prepaid_lines


def bill(rollups: Sequence[Rollup], before: Sequence[Rollup], span: Span, book: PriceBook) -> list[Line]:
    """All lines of a window in their order. `before` are the rollups of all earlier windows, in any grouping."""
    earlier = counted(before, book)
    lines = lines_of(rollups, earlier, book)
    more = [
        *prepaid_lines(rollups, before, span, book),
        *fees_on(lines, earlier),
        *monthly_fees(rollups, before, span, book),
    ]
    return sorted([*lines, *booked(more)], key=lambda line: line.key.order)
