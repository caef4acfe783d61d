"""Which business a department of the real store becomes."""

from __future__ import annotations

from collections.abc import Mapping

ELSE = "greenfield-market"
"""The partner of all other departments, and of products that the catalogue of products does not know."""

PARTNER_OF: Mapping[str, str] = {
    "FUEL": "harbor-fuel",
    "DRUG GM": "wellspring-drug",
    "COSMETICS": "wellspring-drug",
    "PRODUCE": "orchard-produce",
    "FLORAL": "orchard-produce",
    "SALAD BAR": "orchard-produce",
    "MEAT": "block-and-cleaver",
    "MEAT-PCKGD": "block-and-cleaver",
    "SEAFOOD": "block-and-cleaver",
    "SEAFOOD-PCKGD": "block-and-cleaver",
    "DELI": "block-and-cleaver",
    "PASTRY": "daily-crumb",
    "SPIRITS": "cellar-door",
}

PARTNERS: tuple[str, ...] = tuple(sorted({*PARTNER_OF.values(), ELSE}))


def partner_of(department: str | None) -> str:
    """The business that sells what this department sold; None stands for a product without a department."""
    return PARTNER_OF.get(department, ELSE) if department else ELSE
