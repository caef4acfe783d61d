"""The ledger's journal as settlement reads it: chain first, then the few facts that money depends on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

START = bytes(32)
"""The hash before the first entry of a bucket."""

POINTS = "POINTS"
"""The only unit that carries money."""


class FeedEntry(NamedTuple):
    """An entry as the feed gives it: its place, its hash and the bytes that were hashed."""

    bucket: int
    seq: int
    hash: bytes
    canonical: bytes


class Position(NamedTuple):
    """How far one bucket has been read: the last entry's seq and hash."""

    seq: int = 0
    hash: bytes = START


class BrokenFeed(Exception):
    """The feed cannot be believed from here on: a hole, a disorder, or a hash that does not follow."""


class Account(NamedTuple):
    """Where points stand: `ISSUED:grocer` is ISSUED of grocer, `AVAILABLE` is the wallet's own."""

    kind: str
    partner: str = ""


class Posting(NamedTuple):
    """Points of a lot of `issuer` from one account to another.

    `line` is the line of the award that made the lot, where it matters: of an award with a campaign, of what takes an
    award back and of what repays a debt. `award` is the seq of the award whose debt a repayment repays; 0 for anything
    else. Where that award lies in another bucket, because the debt came with a merge, `earned_at` is when it occurred,
    and `award` is 0.
    """

    debit: Account
    credit: Account
    points: int
    issuer: str = ""
    award: int = 0
    earned_at: int | None = None
    line: int | None = None
    campaign: str = ""


@dataclass(slots=True)  # not frozen: that triples the price of making one
class Entry:
    """One thing that happened to one wallet, as far as money is concerned. Only postings of POINTS are kept."""

    bucket: int
    seq: int
    kind: str
    occurred_at: int
    original: int | None
    postings: tuple[Posting, ...]


def followed(position: Position, page: Sequence[FeedEntry]) -> Position:
    """Where a bucket stands after a page of it, every hash recomputed. Raises BrokenFeed."""
    seq, previous = position
    for entry in page:
        if entry.seq != seq + 1:
            raise BrokenFeed(f"after entry {entry.bucket}-{seq} came {entry.bucket}-{entry.seq}")
        if sha256(previous + entry.canonical).digest() != entry.hash:
            raise BrokenFeed(f"the hash of entry {entry.bucket}-{entry.seq} does not follow from the one before")
        seq, previous = entry.seq, entry.hash
    return Position(seq, previous)
