"""Entries and their parts as Hypothesis makes them: of every shape that the classes allow, sensible or not."""

from __future__ import annotations

from datetime import date

from hypothesis import strategies as st

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
from services.ledger.domain.points import MOST


def texts() -> st.SearchStrategy[str]:
    """What PostgreSQL and UTF-8 can hold."""
    return st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)


def parties() -> st.SearchStrategy[str]:
    return st.from_regex(r"[a-z][a-z0-9-]{1,10}", fullmatch=True)


def days() -> st.SearchStrategy[date]:
    return st.dates(min_value=date(1, 1, 1))


def counts() -> st.SearchStrategy[int]:
    return st.integers(0, MOST)


def accounts() -> st.SearchStrategy[Account]:
    return st.builds(Account, st.sampled_from(AccountKind), st.just("") | parties())


def lots() -> st.SearchStrategy[LotId]:
    return st.builds(LotId, counts(), st.integers(0, 999))


def terms() -> st.SearchStrategy[LotTerms]:
    none = st.none()
    return st.builds(
        LotTerms,
        none | st.integers(),
        none | st.integers(),
        none | st.integers(0, 36500),
        texts(),
        none | st.builds(Origin, st.integers(0, 4095), counts(), st.integers(0, 999)),
    )


@st.composite
def postings(draw: st.DrawFn) -> Posting:
    debit, credit = draw(st.lists(accounts(), min_size=2, max_size=2, unique=True))
    is_rare = draw(st.booleans())
    return Posting(
        debit,
        credit,
        draw(st.integers(1, MOST)),
        draw(lots()),
        draw(parties()),
        draw(st.none() | days()),
        draw(st.sampled_from(Unit)),
        for_lot=draw(st.none() | lots()) if is_rare else None,
        terms=draw(terms()) if is_rare else PLAIN,
    )


def balances() -> st.SearchStrategy[Balance]:
    return st.builds(Balance, counts(), counts(), counts(), counts())


def receipts() -> st.SearchStrategy[ReceiptRef]:
    return st.builds(ReceiptRef, texts(), texts(), days(), texts())


def others() -> st.SearchStrategy[tuple[tuple[Unit, Balance], ...]]:
    """In the order of the units, as the core writes them."""
    return st.dictionaries(st.sampled_from(Unit), balances(), max_size=3).map(
        lambda found: tuple(sorted(found.items()))
    )


def entries() -> st.SearchStrategy[Entry]:
    none = st.none()
    return st.builds(
        Entry,
        bucket=st.integers(0, 4095),
        seq=counts(),
        kind=st.sampled_from(EntryKind),
        wallet=st.uuids(),
        partner=parties(),
        request_id=st.uuids(),
        request_hash=st.binary(min_size=32, max_size=32),
        points=counts(),
        postings=st.lists(postings(), max_size=3).map(tuple),
        balance=balances(),
        occurred_at=st.integers(),
        posted_at=st.integers(),
        original=none | counts(),
        hold_until=none | st.integers(),
        receipt=none | receipts(),
        store=none | texts().filter(bool),
        terminal=none | texts().filter(bool),
        unit=st.sampled_from(Unit),
        others=others(),
        counterpart=none | st.builds(Counterpart, st.integers(0, 4095), st.uuids(), none | counts()),
        reason=none | texts(),
        proposed_by=none | texts(),
        approved_by=none | texts(),
        hash=st.binary(min_size=32, max_size=32),
    )
