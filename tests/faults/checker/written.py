"""An entry of the journal as anybody can parse it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.faults.record import Balance, Place


@dataclass(frozen=True, slots=True)
class Written:
    """An entry as anybody can parse it."""

    place: Place
    hash: str
    body: dict[str, Any]

    @property
    def kind(self) -> str:
        return str(self.body["kind"])

    @property
    def wallet(self) -> str:
        return str(self.body["wallet"])

    @property
    def partner(self) -> str:
        return str(self.body["partner"])

    @property
    def unit(self) -> str:
        return str(self.body.get("unit", "POINTS"))

    @property
    def original(self) -> Place | None:
        seq = self.body.get("original")
        return None if seq is None else Place(self.place.bucket, seq)

    @property
    def counterpart(self) -> str | None:
        """The other wallet of a transfer or merge."""
        found = self.body.get("counterpart")
        return found and str(found["wallet"])

    def balances(self) -> Iterator[tuple[str, Balance]]:
        """What it says the wallet held afterwards, by unit."""
        yield self.unit, Balance(**self.body["balance"])
        for unit, balance in self.body.get("others", {}).items():
            yield unit, Balance(**balance)

    def receipt(self) -> str | None:
        """Equal for equal receipts of one partner."""
        found = self.body.get("receipt")
        return json.dumps(found, sort_keys=True) if found else None
