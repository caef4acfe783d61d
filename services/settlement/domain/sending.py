"""Sending a file: what a way to the bank can answer. Whoever implements it knows nothing of batches or databases."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple, Protocol

from shared.refusal import Kind, Refusal


class Outcome(Enum):
    """What is known after a send: the bank has it; the bank certainly does not have it; nobody can tell."""

    TAKEN = "TAKEN"
    REFUSED = "REFUSED"
    UNCLEAR = "UNCLEAR"


class Receipt(NamedTuple):
    """What a transport answers. `detail` is for people and names no account."""

    outcome: Outcome
    detail: str


class Transport(Protocol):
    """A way to the bank."""

    @property
    def name(self) -> str:
        """Such as `http` or `folder`: written down beside each send."""
        ...

    @property
    def checks_duplicates(self) -> bool:
        """Whether the bank at its end refuses a MsgId that it knows (lock 4). Without that nothing is sent twice."""
        ...

    def send(self, message_id: str, content: bytes) -> Receipt:
        """Hand the bytes over, once. Never raises for what happens on the way: that is an outcome."""
        ...


class SendUnclear(Refusal):
    """Tried again with the same bytes: the bank knows its MsgIds."""

    kind = Kind.DOWN
    message = "Nobody can tell whether the file arrived: {detail}."
    remedy = "Nothing: the same bytes are sent again."
