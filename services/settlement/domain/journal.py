"""The ledger's journal as settlement reads it: chain first, then the few facts that money depends on."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

START = bytes(32)
"""The hash before the first entry of a bucket."""

POINTS = "POINTS"
"""The only unit that carries money."""

_ACCOUNT = re.compile(r"[A-Z_]{1,30}(:[a-z][a-z0-9-]{1,62})?")
_PARTNER = re.compile(r"[a-z][a-z0-9-]{1,62}")
_LONGEST = 200
_DECODER = json.JSONDecoder()
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


def read(feed: FeedEntry) -> Entry:
    """The facts in an entry's canonical form, version 1."""
    try:
        text = str(feed.canonical, "utf-8")
        form, end = _DECODER.raw_decode(text)
        if end != len(text):
            raise Unreadable("there is something behind it")
        if form["v"] != 1 or form["bucket"] != feed.bucket or form["seq"] != feed.seq:
            raise Unreadable("it is of another version or of another place")
        postings = tuple([_posting(one) for one in form["postings"] if one["unit"] == POINTS])
        if len(postings) > 1 and sum([posting.points for posting in postings]) > _MOST:
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


def _posting(form: Mapping[str, object]) -> Posting:
    debit, credit, points = _account(form["debit"]), _account(form["credit"]), _whole(form["points"], 1)
    issuer = _partner(form.get("issuer", ""))
    if debit.kind == "ISSUED":
        campaign = form.get("campaign")
        if campaign is None:
            return Posting(debit, credit, points, issuer)
        return Posting(debit, credit, points, issuer, 0, None, _lot(form)[1], _campaign(campaign))
    if credit.kind == "ISSUED":
        line = _lot(form)[1] if "lot" in form else None
        return Posting(debit, credit, points, issuer, 0, None, line)
    if credit.kind != "OWED":
        return Posting(debit, credit, points, issuer)
    if "origin" in form:
        return Posting(debit, credit, points, issuer, 0, _whole(form["earned_at"], _FIRST_INSTANT, _LAST_INSTANT))
    award, line = _lot(form)
    return Posting(debit, credit, points, issuer, award, None, line)


@lru_cache(maxsize=65536)
def _named(value: str) -> Account:
    if not _ACCOUNT.fullmatch(value):
        raise Unreadable(f"{value!a:.100} is not an account")
    return Account(*value.split(":"))


def _account(value: object) -> Account:
    if type(value) is not str:
        raise Unreadable(f"{value!a:.100} is not an account")
    return _named(value)


@lru_cache(maxsize=65536)
def _partner(value: object) -> str:
    if type(value) is not str or (value and not _PARTNER.fullmatch(value)):
        raise Unreadable(f"{value!a:.100} is not a partner")
    return value


def _lot(form: Mapping[str, object]) -> tuple[int, int]:
    """The award line that made the lot; `for_lot` where it is taken back, or repaid, out of another lot."""
    lot = form.get("for_lot") or form["lot"]
    if type(lot) is not str or not _LOT.fullmatch(lot):
        raise Unreadable(f"{lot!a:.100} is not a lot")
    seq, _, line = lot.partition(".")
    return _whole(int(seq), 1), int(line)


def _campaign(value: object) -> str:
    if type(value) is not str or len(value) > _LONGEST:
        raise Unreadable(f"{value!a:.100} is not a campaign")
    return value


@lru_cache(maxsize=64)
def _kind(value: object) -> str:
    if type(value) is not str or not value.isascii() or not value.isprintable():
        raise Unreadable(f"{value!a:.100} is not a kind of entry")
    return value


def _whole(value: object, least: int, most: int = _MOST) -> int:
    if type(value) is not int or not least <= value <= most:
        raise Unreadable(f"{value!a:.100} is not a whole number that can stand here")
    return value
