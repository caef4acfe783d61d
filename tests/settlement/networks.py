"""Random networks of who owes whom, for properties that must hold in all of them. The seed is the network's number."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from services.settlement.domain.netting import Pairs, pairs_of

NETWORKS = 20_000
_CURRENCIES = ("EUR", "USD", "JPY", "KWD")
_MOST = 2**53 + 1
"""One more than a float can hold."""


def network(number: int) -> dict[str, Pairs]:
    """The pair matrices of a network, by currency: one to nine participants, sparse or dense, small debts or huge."""
    chance = Random(number)
    names = [f"partner-{letter}" for letter in "abcdefghi"[: chance.randint(1, 9)]]
    most = chance.choice([3, 100, 100_000, _MOST])
    return {
        currency: pairs_of(
            (chance.choice(names), chance.choice(names), chance.randint(-most, most))
            for _ in range(chance.randint(0, 3 * len(names)))
        )
        for currency in chance.sample(_CURRENCIES, chance.randint(1, 4))
    }


def matrices(count: int = NETWORKS) -> Iterator[Pairs]:
    """The matrices of that many networks, one currency after the other."""
    for number in range(count):
        yield from network(number).values()
