"""Four eyes: what one person proposes takes effect when another approves exactly that.

A proposal is a canonical document of kind, subject and content; what is approved is its SHA-256. It is never edited:
a change is a new proposal, which voids the one that was open for the same subject.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from hashlib import sha256
from typing import NamedTuple

from shared.canonical import Canonical, canonical
from shared.refusal import Kind as RefusalKind
from shared.refusal import Refusal


class Kind(Enum):
    """What two people decide together."""

    CONTRACT_VERSION = "CONTRACT_VERSION"
    BANK_ACCOUNT = "BANK_ACCOUNT"
    CAP = "CAP"
    FX_SET = "FX_SET"
    CALENDAR = "CALENDAR"
    MODEL = "MODEL"
    EARLY_CLOSE = "EARLY_CLOSE"
    WAIVER = "WAIVER"
    OVERRIDE = "OVERRIDE"
    SUPERSEDE = "SUPERSEDE"
    CARRY_OVER = "CARRY_OVER"
    RESOLVE_UNKNOWN = "RESOLVE_UNKNOWN"
    ADJUSTMENT = "ADJUSTMENT"
    WRITE_OFF = "WRITE_OFF"
    DEFAULT = "DEFAULT"
    QUARANTINE = "QUARANTINE"
    PREFUNDING = "PREFUNDING"


class OwnProposal(Refusal):
    """Four eyes are those of two persons."""

    kind = RefusalKind.NOT_ALLOWED
    message = "{by} had a hand in {name}: another person decides it."
    remedy = "Have another person decide it."


class ContentChanged(Refusal):
    """What the caller has read is not what would be decided."""

    kind = RefusalKind.CHANGED
    message = "{name} has another content than the one with the SHA-256 that was sent."
    remedy = "Read it again, and approve what it says now."


class ProposalNotFound(Refusal):
    """Nothing was proposed under that name."""

    kind = RefusalKind.NOT_THERE
    message = "There is no {name}."
    remedy = "List the proposals."


@dataclass(frozen=True, slots=True)
class Proposal:
    """One proposal as it stands. `document` is canonical JSON of kind, subject and content."""

    name: str
    kind: Kind
    subject: str
    document: bytes
    sha256: bytes
    state: str
    etag: int
    proposed_by: str
    proposed_at: datetime
    barred: frozenset[str] = frozenset()
    decided_by: str = ""
    decided_at: datetime | None = None
    why: str = ""

    @property
    def content(self) -> Canonical:
        """What was proposed, as it was given."""
        content: Canonical = json.loads(self.document)["content"]
        return content

    def check(self, by: str, sha256: bytes) -> None:
        """Raises OwnProposal and ContentChanged."""
        if by == self.proposed_by or by in self.barred:
            raise OwnProposal(by=by, name=self.name)
        if sha256 != self.sha256:
            raise ContentChanged(name=self.name)


def document(kind: Kind, subject: str, content: Canonical) -> bytes:
    """The bytes that are approved."""
    return canonical({"kind": kind.value, "subject": subject, "content": content})


def sha256_of(kind: Kind, subject: str, content: Canonical) -> bytes:
    """What an approver sends back."""
    return sha256(document(kind, subject, content)).digest()


class Change(NamedTuple):
    """One place in which two contents differ; empty where there is nothing."""

    path: str
    before: str
    after: str


def difference(before: Canonical, after: Canonical) -> list[Change]:
    """What a content changes of the one that it replaces, place by place in order."""
    old, new = dict(_leaves(before, "")), dict(_leaves(after, ""))
    paths = sorted(old.keys() | new.keys())
    found = [Change(path, old.get(path, ""), new.get(path, "")) for path in paths]
    return [one for one in found if one.before != one.after]


def _leaves(value: Canonical, path: str) -> list[tuple[str, str]]:
    if isinstance(value, str | int):
        return [(path, str(value))]
    named = value.items() if isinstance(value, Mapping) else ((str(index), one) for index, one in enumerate(value))
    return [leaf for key, one in named for leaf in _leaves(one, f"{path}.{key}" if path else str(key))]
