"""An entry of the ledger's journal: its canonical form, and the few facts of it that money depends on.

Half of what it costs to take an entry in is to parse it, so pydantic's parser does it: it takes half as long as the
standard library's, however the interpreter was built.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from pydantic_core import from_json

from services.settlement.domain.journal import POINTS, Account, Entry, FeedEntry, Posting

_ACCOUNT = re.compile(r"[A-Z_]{1,30}(:[a-z][a-z0-9-]{1,62})?")
_PARTNER = re.compile(r"[a-z][a-z0-9-]{1,62}")
_LONGEST = 200
_LOT = re.compile(r"[0-9]{1,19}\.[0-9]{1,5}")
_MOST = 2**63 - 1
_FIRST_INSTANT, _LAST_INSTANT = -62_135_596_800_000_000, 253_402_300_799_999_999  # the years 1 to 9999


class Unreadable(ValueError):
    """The entry is what was hashed, but not what the contract of the journal promises."""


def read(feed: FeedEntry) -> Entry:
    """The facts in an entry's canonical form, version 1."""
    try:
        form = from_json(feed.canonical, allow_inf_nan=False)
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
