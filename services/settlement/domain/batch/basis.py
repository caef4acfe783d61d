"""All that a batch is calculated from. Nothing else may have a say in it: no clock, no live row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from services.settlement.domain.netting import Model

FX = "@fx"
"""The account that takes the other side of every conversion; treasury makes its deal. No partner has such a name."""


class Slice(NamedTuple):
    """One currency of one window, settled by exactly one batch. An empty window has one slice, without a currency."""

    window: int
    currency: str


class Due(NamedTuple):
    """What the books of a window say that one owes another. `kind` is the leg, FEE, TAX or ADJUSTMENT; negative minor
    units are given back.
    """

    window: int
    debtor: str
    creditor: str
    currency: str
    kind: str
    minor: int


class Opening(NamedTuple):
    """What an earlier batch left open: + the partner still gets it, - it still owes it. `why` is as carried."""

    name: str
    partner: str
    currency: str
    minor: int
    why: str


@dataclass(frozen=True, slots=True)
class PaymentTerms:
    """What a contract says about being paid: in which currency, and from which sum on; smaller credits are carried.

    Without a currency each net is settled in its own.
    """

    currency: str = ""
    minimum_minor: int = 0


@dataclass(frozen=True, slots=True)
class Basis:
    """`quotes` are units of each currency for one of the FX set's base, whose name is `fx_set`; `held` are suspended
    partners.
    """

    number: int
    revision: int
    model: Model
    slices: tuple[Slice, ...]
    dues: tuple[Due, ...]
    openings: tuple[Opening, ...] = ()
    terms: Mapping[str, PaymentTerms] = field(default_factory=dict)
    held: frozenset[str] = frozenset()
    fx_set: str = ""
    quotes: Mapping[str, Decimal] = field(default_factory=dict)

    def terms_of(self, partner: str) -> PaymentTerms:
        """A participant's terms; who has none is settled as it comes."""
        return self.terms.get(partner, PaymentTerms())
