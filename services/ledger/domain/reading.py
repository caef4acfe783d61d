"""An entry read back from its canonical form: the reverse of `chain.canonical`, which knows everything but the hash."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any, TypeAlias
from uuid import UUID

from services.ledger.domain.entry import (
    PLAIN,
    Account,
    AccountKind,
    Balance,
    Counterpart,
    Entry,
    EntryKind,
    LotId,
    LotTerms,
    Origin,
    Posting,
    ReceiptRef,
    Unit,
)

Form: TypeAlias = Mapping[str, Any]  # what JSON gives; the form is the contract's

_VERSION = 1
_POSTING = frozenset({"credit", "debit", "expires_on", "issuer", "lot", "points", "unit"})


class NotAnEntry(ValueError):
    """These bytes are the canonical form of no entry that we know."""


def entry_from(body: bytes, hash_: bytes = b"") -> Entry:
    """The entry whose canonical form these bytes are. Raises NotAnEntry."""
    try:
        form = json.loads(body)
        if form.pop("v") != _VERSION:
            raise NotAnEntry("a form of another version")
        return _entry(form, hash_)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NotAnEntry(f"no entry that we know: {error!r}") from None


def _entry(form: dict[str, Any], hash_: bytes) -> Entry:
    take = form.pop
    entry = Entry(
        bucket=take("bucket"),
        seq=take("seq"),
        kind=EntryKind[take("kind")],
        wallet=UUID(take("wallet")),
        partner=take("partner"),
        request_id=UUID(take("request_id")),
        request_hash=bytes.fromhex(take("request_hash")),
        points=take("points"),
        postings=tuple(_posting(posting) for posting in take("postings")),
        balance=_balance(take("balance")),
        occurred_at=take("occurred_at"),
        posted_at=take("posted_at"),
        original=take("original", None),
        hold_until=take("hold_until", None),
        receipt=_receipt(take("receipt", None)),
        store=take("store", None),
        terminal=take("terminal", None),
        unit=Unit[take("unit", Unit.POINTS.name)],
        others=tuple(sorted((Unit[unit], _balance(found)) for unit, found in take("others", {}).items())),
        counterpart=_counterpart(take("counterpart", None)),
        reason=take("reason", None),
        proposed_by=take("proposed_by", None),
        approved_by=take("approved_by", None),
        hash=hash_,
    )
    if form:
        raise NotAnEntry(f"it says what we do not know: {sorted(form)}")
    return entry


def _posting(form: Form) -> Posting:
    terms, for_lot = PLAIN, None
    if not form.keys() <= _POSTING:
        terms, for_lot = _terms(form), _lot(form["for_lot"]) if "for_lot" in form else None
    return Posting(
        _account(form["debit"]),
        _account(form["credit"]),
        form["points"],
        _lot(form["lot"]),
        form["issuer"],
        _day(form.get("expires_on")),
        Unit[form["unit"]],
        for_lot,
        terms,
    )


def _terms(form: Form) -> LotTerms:
    known = _POSTING | {"available_from", "campaign", "earned_at", "for_lot", "idle_days", "origin"}
    if not form.keys() <= known:
        raise NotAnEntry(f"a posting says what we do not know: {sorted(form.keys() - known)}")
    terms = LotTerms(
        form.get("earned_at"),
        form.get("available_from"),
        form.get("idle_days"),
        form.get("campaign", ""),
        _origin(form["origin"]) if "origin" in form else None,
    )
    return PLAIN if terms == PLAIN else terms


def _account(text: str) -> Account:
    kind, _, party = text.partition(":")
    return Account(AccountKind[kind], party)


def _lot(text: str) -> LotId:
    seq, line = text.split(".")
    return LotId(int(seq), int(line))


def _origin(text: str) -> Origin:
    bucket, lot = text.split("-")
    return Origin(int(bucket), *_lot(lot))


def _balance(form: Form) -> Balance:
    return Balance(form["available"], form["pending"], form["held"], form["debt"])


def _counterpart(form: Form | None) -> Counterpart | None:
    return None if form is None else Counterpart(form["bucket"], UUID(form["wallet"]), form.get("seq"))


def _receipt(form: Form | None) -> ReceiptRef | None:
    if form is None:
        return None
    day = date.fromisoformat(form["business_date"])
    return ReceiptRef(form["store"], form["terminal"], day, form["receipt_no"])


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
