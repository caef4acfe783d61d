"""Bases of batches for tests: in few words, or drawn at random."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from random import Random

from services.settlement.domain.batch import FX, Basis, Calculation, Due, Opening, PaymentTerms, Slice, calculated
from services.settlement.domain.legs import OPERATOR
from services.settlement.domain.netting import Model, Pairs, SetOff
from services.settlement.formats.solver import largest_set_off

QUOTES = {"EUR": Decimal(1), "USD": Decimal("1.0837"), "JPY": Decimal("161.55"), "KWD": Decimal("0.3333")}


def solver(currency: str, pairs: Pairs) -> SetOff:
    return largest_set_off(pairs)


def basis(
    dues: Iterable[tuple[str, str, int]] = (),
    *,
    number: int = 1,
    model: Model = Model.MULTILATERAL,
    openings: Mapping[str, int] | None = None,
    terms: Mapping[str, PaymentTerms] | None = None,
    held: Iterable[str] = (),
) -> Basis:
    """One window in euro; dues are (debtor, creditor, minor)."""
    return Basis(
        number,
        1,
        model,
        (Slice(1, "EUR"),),
        tuple(Due(1, debtor, creditor, "EUR", "REDEMPTION", minor) for debtor, creditor, minor in dues),
        tuple(Opening(f"openings/{name}", name, "EUR", minor, "MINIMUM") for name, minor in (openings or {}).items()),
        terms or {},
        frozenset(held),
    )


def made(of: Basis) -> Calculation:
    return calculated(of, solver)


def drawn(number: int) -> Basis:
    """A basis with all there is: operator, several currencies, fees, taxes, openings, minima, suspended partners."""
    chance = Random(number)
    names = [OPERATOR, *(f"partner-{letter}" for letter in "abcdef"[: chance.randint(0, 6)])]
    most = chance.choice([3, 100, 100_000, 2**53 + 1])
    currencies = chance.sample(sorted(QUOTES), chance.randint(1, 4))
    kinds = ["ISSUANCE", "REIMBURSEMENT", "REDEMPTION", "FEE", "TAX"]
    slices = tuple(Slice(window, currency) for window in (1, 2) for currency in sorted(currencies))
    dues = tuple(
        Due(
            chance.choice([1, 2]),
            chance.choice(names),
            chance.choice(names),
            chance.choice(currencies),
            chance.choice(kinds),
            chance.randint(-most, most),
        )
        for _ in range(chance.randint(0, 4 * len(names)))
    )
    # What is carried sums to what the clearing account holds, so it may be anything; conversions only move it.
    openings = tuple(
        Opening(
            f"openings/{n}", chance.choice([*names, FX]), chance.choice(currencies), chance.randint(-most, most), ""
        )
        for n in range(chance.randint(0, 3))
    )
    terms = {
        name: PaymentTerms(chance.choice(["", *currencies]), chance.choice([0, 0, 500]))
        for name in names
        if chance.random() < 0.7
    }
    held = frozenset(name for name in names[1:] if chance.random() < 0.1)
    return Basis(number, 1, chance.choice(list(Model)), slices, dues, openings, terms, held, f"fxSets/{number}", QUOTES)
