"""The ledger's journal as settlement reads it: chain first, then the few facts that money depends on."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

START = bytes(32)
"""The hash before the first entry of a bucket."""

POINTS = "POINTS"
"""The only unit that carries money."""

_ACCOUNT = re.compile(r"[A-Z_]{1,30}(:[a-z][a-z0-9-]{1,62})?")
_LOT = re.compile(r"[0-9]{1,19}\.[0-9]{1,5}")
_MOST = 2**63 - 1
_FIRST_INSTANT, _LAST_INSTANT = -62_135_596_800_000_000, 253_402_300_799_999_999  # the years 1 to 9999


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


class Unreadable(ValueError):
    """The entry is what was hashed, but not what the contract of the journal promises."""


class Posting(NamedTuple):
    """Points from one account to another, as the journal spells them: `ISSUED:grocer`, `AVAILABLE`.

    `award` is the seq of the award whose debt a repayment repays; 0 for anything else. Where that award lies in another
    bucket, because the debt came with a merge, `earned_at` is when it occurred, and `award` is 0.
    """

    debit: str
    credit: str
    points: int
    award: int = 0
    earned_at: int | None = None


@dataclass(frozen=True, slots=True)
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


def read(feed: FeedEntry) -> Entry:
    """The facts in an entry's canonical form, version 1."""
    try:
        form = json.loads(feed.canonical)
        if form["v"] != 1 or form["bucket"] != feed.bucket or form["seq"] != feed.seq:
            raise Unreadable("it is of another version or of another place")
        postings = tuple(
            Posting(_account(p["debit"]), _account(p["credit"]), _whole(p["points"], 1), *_repays(p))
            for p in form["postings"]
            if p["unit"] == POINTS
        )
        if sum(posting.points for posting in postings) > _MOST:
            raise Unreadable("its postings add up to more points than there can be")
        original = form.get("original")
        return Entry(
            feed.bucket,
            feed.seq,
            _kind(form["kind"]),
            _whole(form["occurred_at"], _FIRST_INSTANT, _LAST_INSTANT),
            None if original is None else _whole(original, 1),
            postings,
        )
    except Unreadable:
        raise
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise Unreadable(type(error).__name__) from None


def _account(value: object) -> str:
    if type(value) is not str or not _ACCOUNT.fullmatch(value):
        raise Unreadable(f"{value!a:.100} is not an account")
    return value


def _repays(posting: Mapping[str, object]) -> tuple[int, int | None]:
    """The seq in the lot that a repayment is for: `for_lot` where it is paid by another lot than the debt's own.

    Of a debt that came from another wallet, when its award occurred.
    """
    if not str(posting["credit"]).startswith("OWED:"):
        return 0, None
    if "origin" in posting:
        return 0, _whole(posting["earned_at"], _FIRST_INSTANT, _LAST_INSTANT)
    lot = posting.get("for_lot") or posting["lot"]
    if type(lot) is not str or not _LOT.fullmatch(lot):
        raise Unreadable(f"{lot!a:.100} is not a lot")
    return _whole(int(lot.partition(".")[0]), 1), None


def _kind(value: object) -> str:
    if type(value) is not str or not value.isascii() or not value.isprintable():
        raise Unreadable(f"{value!a:.100} is not a kind of entry")
    return value


def _whole(value: object, least: int, most: int = _MOST) -> int:
    if type(value) is not int or not least <= value <= most:
        raise Unreadable(f"{value!a:.100} is not a whole number that can stand here")
    return value
