"""Tax: once per document line, half-up. It follows the document; netting is of cash only."""

from __future__ import annotations

from services.settlement.domain.terms import Treatment
from shared.money import Rate, half_up


def tax_on(tax_class: str, booked_minor: int) -> int:
    """The tax on a booked line in minor units; none without a class, and on what is no taxable service."""
    treatment, _, rest = tax_class.partition(":")
    if treatment != Treatment.TAXABLE_SERVICE.value:
        return 0
    return half_up(Rate.of(rest.rpartition(":")[2]).times(booked_minor), 0)
