"""One payment between two participants."""

from __future__ import annotations

from typing import NamedTuple


class Payment(NamedTuple):
    """`amount_minor` is positive."""

    payer: str
    payee: str
    amount_minor: int
