"""What a verb is given beside the wallet and the wish: when, by which rules, and at which place."""

from __future__ import annotations

from typing import NamedTuple

from services.ledger.domain.entry import Entry
from services.ledger.domain.moment import Moment
from services.ledger.domain.programme import Programme
from services.ledger.domain.terms import NO_TERMS, Terms


class Case(NamedTuple):
    """`seq` is the place that the entry will get; `original` the entry that an EntryWish names."""

    now: Moment
    programme: Programme
    seq: int
    terms: Terms = NO_TERMS
    original: Entry | None = None
