"""The chain of a resource: all that happened to it, each row with the hash of the row before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

from sqlalchemy import Connection, text

from shared.canonical import canonical
from shared.instants import micros

BEGINNING = bytes(32)
"""What the first row of a chain holds as the hash before."""

_CHAIN = text("SELECT * FROM settlement.transitions WHERE name = :name ORDER BY step")


class Row(NamedTuple):
    """One transition as it stands in the chain. `frm` is empty at the beginning; `evidence` a SHA-256 or nothing."""

    name: str
    step: int
    resource: str
    frm: str
    state: str
    act: str
    by: str
    why: str
    evidence: bytes
    at: datetime
    prev: bytes
    hash: bytes

    def hashed(self) -> bytes:
        """What `hash` must be."""
        facts: dict[str, str | int] = {
            "name": self.name, "step": self.step, "resource": self.resource, "from": self.frm, "to": self.state,
            "act": self.act, "by": self.by, "why": self.why, "evidence": self.evidence.hex(), "at": micros(self.at),
        }  # fmt: skip
        return sha256(self.prev + canonical(facts)).digest()


def chain(connection: Connection, name: str) -> list[Row]:
    """All that happened to a resource, in order."""
    rows = connection.execute(_CHAIN, {"name": name}).mappings()
    return [Row(**{**row, "prev": bytes(row["prev"]), "hash": bytes(row["hash"])}) for row in rows]


def broken(rows: Sequence[Row], state: str) -> str:
    """What is wrong with a chain whose resource is in `state`; empty when nothing is."""
    prev = BEGINNING
    for step, row in enumerate(rows, start=1):
        if row.step != step:
            return f"step {step} is missing"
        if row.prev != prev or row.hashed() != row.hash:
            return f"step {step} was changed"
        prev = row.hash
    if not rows or rows[-1].state != state:
        return f"the newest step leads to {rows[-1].state if rows else 'nothing'}, the row says {state}"
    return ""
