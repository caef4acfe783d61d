"""The canonical form of an entry, byte for byte, and the chain over it.

The bytes below are published: whoever checks a chain builds them from the contract. A change here breaks every
journal that was ever written.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import date
from hashlib import sha256
from uuid import UUID

import pytest

from services.ledger.domain.chain import START, canonical, chained
from services.ledger.domain.entry import (
    AVAILABLE,
    HELD,
    IN_TRANSIT,
    PENDING,
    Account,
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
    adjusted,
    expired,
    issued,
    owed,
    redeemed,
    withheld,
    written_off,
)
from shared.canonical import canonical as shared_canonical

LOT = LotId(3, 0)
RECEIPT = ReceiptRef("S1", "T1", date(2026, 5, 4), "1001")
BASE = Entry(
    bucket=5,
    seq=9,
    kind=EntryKind.AWARD,
    wallet=UUID("00000000-0000-4000-8000-0000000000aa"),
    partner="grocer",
    request_id=UUID("00000000-0000-4000-8000-0000000000bb"),
    request_hash=bytes(range(32)),
    points=25,
    postings=(),
    balance=Balance(25, 0, 0, 0),
    occurred_at=1_777_888_999_000_001,
    posted_at=1_777_889_000_000_000,
)
HASHED = b'"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"'
HEAD = b'"request_hash":' + HASHED + b',"request_id":"00000000-0000-4000-8000-0000000000bb","seq":9'
WALLET = b'"v":1,"wallet":"00000000-0000-4000-8000-0000000000aa"}'
TIMES = b'"occurred_at":1777888999000001'


def move(debit: Account, credit: Account, points: int = 25, until: date | None = date(2028, 5, 3)) -> Posting:
    return Posting(debit, credit, points, LOT, "grocer", until)


def posting(debit: bytes, credit: bytes, points: int = 25, *, ends: bool = True) -> bytes:
    expiry = b'"expires_on":"2028-05-03",' if ends else b""
    return b'{"credit":"%s","debit":"%s",%s"issuer":"grocer","lot":"3.0","points":%d,"unit":"POINTS"}' % (
        credit,
        debit,
        expiry,
        points,
    )


def body(
    kind: bytes,
    postings: bytes,
    *,
    available: int = 25,
    held: int = 0,
    debt: int = 0,
    points: int = 25,
    **more: bytes,
) -> bytes:
    """The golden form, spelled out once; `more` are the parts that only some kinds have, at their sorted places."""
    return b"".join(
        [
            b"{" + more.get("approved_by", b""),
            b'"balance":{"available":%d,"debt":%d,"held":%d,"pending":0},"bucket":5,' % (available, debt, held),
            more.get("counterpart", b""),
            more.get("hold_until", b""),
            b'"kind":"%s",' % kind,
            TIMES + b",",
            more.get("original", b""),
            more.get("others", b""),
            b'"partner":"grocer","points":%d,"posted_at":1777889000000000,"postings":[%s],' % (points, postings),
            more.get("why", b""),
            more.get("receipt", b""),
            HEAD + b",",
            more.get("place", b""),
            more.get("unit", b""),
            WALLET,
        ]
    )


OTHER = UUID("00000000-0000-4000-8000-0000000000cc")
OTHER_FORM = b'"wallet":"00000000-0000-4000-8000-0000000000cc"'
MOVED = LotTerms(1_777_000_000_000_000, None, 30, "spring", Origin(2, 8, 1))


def moved(credit: bytes, debit: bytes) -> bytes:
    """A posting that says all that a lot takes along."""
    return (
        b'{"campaign":"spring","credit":"%s","debit":"%s","earned_at":1777000000000000,"expires_on":"2028-05-03",'
        b'"idle_days":30,"issuer":"grocer","lot":"3.0","origin":"2-8.1","points":25,"unit":"POINTS"}' % (credit, debit)
    )


RECEIPT_FORM = b'"receipt":{"business_date":"2026-05-04","receipt_no":"1001","store":"S1","terminal":"T1"},'

GOLDEN: dict[EntryKind, tuple[Entry, bytes]] = {
    EntryKind.AWARD: (
        replace(BASE, postings=(move(issued("grocer"), AVAILABLE),), receipt=RECEIPT),
        body(b"AWARD", posting(b"ISSUED:grocer", b"AVAILABLE"), receipt=RECEIPT_FORM),
    ),
    EntryKind.HOLD: (
        replace(
            BASE,
            kind=EntryKind.HOLD,
            postings=(move(AVAILABLE, HELD, until=None),),
            balance=Balance(0, 0, 25, 0),
            hold_until=1_777_889_900_000_000,
            store="S1",
            terminal="T1",
        ),
        body(
            b"HOLD",
            posting(b"AVAILABLE", b"HELD", ends=False),
            available=0,
            held=25,
            hold_until=b'"hold_until":1777889900000000,',
            place=b'"store":"S1","terminal":"T1",',
        ),
    ),
    EntryKind.CAPTURE: (
        replace(
            BASE,
            kind=EntryKind.CAPTURE,
            points=20,
            postings=(move(HELD, redeemed("grocer"), 20), move(HELD, AVAILABLE, 5)),
            balance=Balance(5, 0, 0, 0),
            original=4,
        ),
        body(
            b"CAPTURE",
            posting(b"HELD", b"REDEEMED:grocer", 20) + b"," + posting(b"HELD", b"AVAILABLE", 5),
            available=5,
            points=20,
            original=b'"original":4,',
        ),
    ),
    EntryKind.RELEASE: (
        replace(BASE, kind=EntryKind.RELEASE, postings=(move(HELD, AVAILABLE),), original=4),
        body(b"RELEASE", posting(b"HELD", b"AVAILABLE"), original=b'"original":4,'),
    ),
    EntryKind.REDEMPTION: (
        replace(
            BASE,
            kind=EntryKind.REDEMPTION,
            postings=(move(AVAILABLE, redeemed("grocer")),),
            balance=Balance(),
            receipt=RECEIPT,
        ),
        body(b"REDEMPTION", posting(b"AVAILABLE", b"REDEEMED:grocer"), available=0, receipt=RECEIPT_FORM),
    ),
    EntryKind.REVERSAL: (
        replace(
            BASE,
            kind=EntryKind.REVERSAL,
            postings=(move(AVAILABLE, issued("grocer"), 5), move(written_off("grocer"), issued("grocer"), 20)),
            balance=Balance(),
            original=3,
        ),
        body(
            b"REVERSAL",
            posting(b"AVAILABLE", b"ISSUED:grocer", 5) + b"," + posting(b"WRITTEN_OFF:grocer", b"ISSUED:grocer", 20),
            available=0,
            original=b'"original":3,',
        ),
    ),
    EntryKind.REFUND: (
        replace(BASE, kind=EntryKind.REFUND, postings=(move(redeemed("grocer"), AVAILABLE),), original=6),
        body(b"REFUND", posting(b"REDEEMED:grocer", b"AVAILABLE"), original=b'"original":6,'),
    ),
    EntryKind.EXPIRY: (
        replace(BASE, kind=EntryKind.EXPIRY, postings=(move(AVAILABLE, expired("grocer")),), balance=Balance()),
        body(b"EXPIRY", posting(b"AVAILABLE", b"EXPIRED:grocer"), available=0),
    ),
    EntryKind.PENDING_RELEASE: (
        replace(BASE, kind=EntryKind.PENDING_RELEASE, postings=(move(PENDING, AVAILABLE),), original=3),
        body(b"PENDING_RELEASE", posting(b"PENDING", b"AVAILABLE"), original=b'"original":3,'),
    ),
    EntryKind.TRANSFER_OUT: (
        replace(
            BASE,
            kind=EntryKind.TRANSFER_OUT,
            postings=(replace(move(AVAILABLE, IN_TRANSIT), terms=MOVED),),
            balance=Balance(),
            counterpart=Counterpart(6, OTHER),
        ),
        body(
            b"TRANSFER_OUT",
            moved(b"IN_TRANSIT", b"AVAILABLE"),
            available=0,
            counterpart=b'"counterpart":{"bucket":6,' + OTHER_FORM + b"},",
        ),
    ),
    EntryKind.TRANSFER_IN: (
        replace(
            BASE,
            kind=EntryKind.TRANSFER_IN,
            postings=(replace(move(IN_TRANSIT, AVAILABLE), terms=MOVED),),
            counterpart=Counterpart(6, OTHER, 12),
        ),
        body(
            b"TRANSFER_IN",
            moved(b"AVAILABLE", b"IN_TRANSIT"),
            counterpart=b'"counterpart":{"bucket":6,"seq":12,' + OTHER_FORM + b"},",
        ),
    ),
    EntryKind.MERGE_OUT: (
        replace(
            BASE,
            kind=EntryKind.MERGE_OUT,
            points=0,
            postings=(replace(move(IN_TRANSIT, owed("grocer")), terms=MOVED),),
            balance=Balance(),
            counterpart=Counterpart(6, OTHER),
        ),
        body(
            b"MERGE_OUT",
            moved(b"OWED:grocer", b"IN_TRANSIT"),
            available=0,
            points=0,
            counterpart=b'"counterpart":{"bucket":6,' + OTHER_FORM + b"},",
        ),
    ),
    EntryKind.MERGE_IN: (
        replace(
            BASE,
            kind=EntryKind.MERGE_IN,
            postings=(replace(move(AVAILABLE, owed("florist")), for_lot=LotId(2, 1)),),
            balance=Balance(debt=4),
            others=((Unit.STAMPS, Balance(3)), (Unit.QUALIFYING, Balance(0, 5))),
            counterpart=Counterpart(6, OTHER, 12),
        ),
        body(
            b"MERGE_IN",
            b'{"credit":"OWED:florist","debit":"AVAILABLE","expires_on":"2028-05-03","for_lot":"2.1",'
            b'"issuer":"grocer","lot":"3.0","points":25,"unit":"POINTS"}',
            available=0,
            debt=4,
            others=b'"others":{"QUALIFYING":{"available":0,"debt":0,"held":0,"pending":5},'
            b'"STAMPS":{"available":3,"debt":0,"held":0,"pending":0}},',
            counterpart=b'"counterpart":{"bucket":6,"seq":12,' + OTHER_FORM + b"},",
        ),
    ),
    EntryKind.ADJUSTMENT: (
        replace(
            BASE,
            kind=EntryKind.ADJUSTMENT,
            postings=(replace(move(adjusted("grocer"), AVAILABLE), unit=Unit.STAMPS),),
            unit=Unit.STAMPS,
            reason="GOODWILL",
            proposed_by="users/one",
            approved_by="users/two",
        ),
        body(
            b"ADJUSTMENT",
            posting(b"ADJUSTED:grocer", b"AVAILABLE").replace(b"POINTS", b"STAMPS"),
            approved_by=b'"approved_by":"users/two",',
            why=b'"proposed_by":"users/one","reason":"GOODWILL",',
            unit=b'"unit":"STAMPS",',
        ),
    ),
    EntryKind.EXTENSION: (
        replace(
            BASE,
            kind=EntryKind.EXTENSION,
            original=4,
            hold_until=1_777_889_900_000_000,
            balance=Balance(0, 0, 25, 0),
        ),
        body(
            b"EXTENSION",
            b"",
            available=0,
            held=25,
            hold_until=b'"hold_until":1777889900000000,',
            original=b'"original":4,',
        ),
    ),
}


@pytest.mark.parametrize("kind", EntryKind)
def test_every_kind_of_entry_has_its_golden_bytes(kind: EntryKind) -> None:
    entry, expected = GOLDEN[kind]
    assert canonical(entry) == expected


@pytest.mark.parametrize("kind", EntryKind)
def test_the_canonical_form_is_canonical_json(kind: EntryKind) -> None:
    form = canonical(GOLDEN[kind][0])
    assert shared_canonical(json.loads(form)) == form


def test_names_of_all_scripts_are_written_as_themselves() -> None:
    entry = replace(BASE, receipt=RECEIPT._replace(store='Łódź "1" \\ 🛒'))
    form = canonical(entry)
    assert shared_canonical(json.loads(form)) == form
    assert "Łódź".encode() in form


def test_the_first_hash_stands_on_thirty_two_zero_bytes() -> None:
    assert bytes(32) == START
    assert chained(START, b"x") == sha256(bytes(32) + b"x").digest()


OTHERWISE: dict[str, Callable[[Entry], Entry]] = {
    "bucket": lambda e: replace(e, bucket=6),
    "seq": lambda e: replace(e, seq=10),
    "kind": lambda e: replace(e, kind=EntryKind.REDEMPTION),
    "wallet": lambda e: replace(e, wallet=UUID(int=e.wallet.int ^ 1)),
    "partner": lambda e: replace(e, partner="grocery"),
    "request_id": lambda e: replace(e, request_id=UUID(int=e.request_id.int ^ 1)),
    "request_hash": lambda e: replace(e, request_hash=bytes(32)),
    "points": lambda e: replace(e, points=26),
    "postings": lambda e: replace(e, postings=e.postings[::-1]),
    "balance": lambda e: replace(e, balance=e.balance._replace(held=1)),
    "occurred_at": lambda e: replace(e, occurred_at=e.occurred_at + 1),
    "posted_at": lambda e: replace(e, posted_at=e.posted_at + 1),
    "original": lambda e: replace(e, original=1),
    "hold_until": lambda e: replace(e, hold_until=1),
    "receipt": lambda e: replace(e, receipt=RECEIPT._replace(receipt_no="1002")),
    "store": lambda e: replace(e, store="S2"),
    "terminal": lambda e: replace(e, terminal="T2"),
    "unit": lambda e: replace(e, unit=Unit.STAMPS),
    "others": lambda e: replace(e, others=((Unit.STAMPS, Balance()),)),
    "counterpart": lambda e: replace(e, counterpart=Counterpart(6, OTHER)),
    "reason": lambda e: replace(e, reason="GOODWILL"),
    "proposed_by": lambda e: replace(e, proposed_by="users/one"),
    "approved_by": lambda e: replace(e, approved_by="users/two"),
}


@pytest.mark.parametrize("field", [field.name for field in fields(Entry) if field.name != "hash"])
def test_no_field_of_an_entry_can_change_without_changing_the_bytes(field: str) -> None:
    two = (move(issued("grocer"), AVAILABLE, 20), move(issued("florist"), AVAILABLE, 5))
    entry = replace(BASE, postings=two)
    assert canonical(OTHERWISE[field](entry)) != canonical(entry)


PLAINLY = move(issued("grocer"), AVAILABLE)
OTHER_POSTINGS = {
    "debit": move(issued("florist"), AVAILABLE),
    "credit": move(issued("grocer"), HELD),
    "points": move(issued("grocer"), AVAILABLE, 26),
    "lot": replace(PLAINLY, lot=LotId(3, 1)),
    "issuer": replace(PLAINLY, issuer="florist"),
    "expires_on": move(issued("grocer"), AVAILABLE, until=date(2028, 5, 4)),
    "unit": replace(PLAINLY, unit=Unit.STAMPS),
    "for_lot": replace(PLAINLY, for_lot=LotId(2, 0)),
    "terms": replace(PLAINLY, terms=LotTerms(campaign="spring")),
}


@pytest.mark.parametrize("field", [field.name for field in fields(Posting)])
def test_no_field_of_a_posting_can_change_without_changing_the_bytes(field: str) -> None:
    before = replace(BASE, postings=(PLAINLY,))
    assert canonical(replace(BASE, postings=(OTHER_POSTINGS[field],))) != canonical(before)


def test_all_postings_of_a_reversal_name_the_line_that_they_undo() -> None:
    """A posting from another lot says for which; one from the line's own lot does not repeat it."""
    recovered = replace(move(AVAILABLE, issued("grocer")), for_lot=LotId(2, 1))
    missed = move(withheld("grocer"), issued("grocer"))
    first, second = json.loads(canonical(replace(BASE, postings=(recovered, missed))))["postings"]
    assert (first["for_lot"], first["lot"], "for_lot" in second) == ("2.1", "3.0", False)


OTHER_TERMS = {
    "earned_at": LotTerms(earned_at=1),
    "available_from": LotTerms(available_from=1),
    "idle_days": LotTerms(idle_days=1),
    "campaign": LotTerms(campaign="x"),
    "origin": LotTerms(origin=Origin(1, 1, 1)),
}


@pytest.mark.parametrize("field", LotTerms._fields)
def test_no_term_of_a_lot_can_change_without_changing_the_bytes(field: str) -> None:
    def bytes_of(terms: LotTerms) -> bytes:
        return canonical(replace(BASE, postings=(replace(PLAINLY, terms=terms),)))

    assert bytes_of(OTHER_TERMS[field]) != bytes_of(LotTerms())
    [spelled] = json.loads(bytes_of(OTHER_TERMS[field]))["postings"]
    assert field in spelled
    assert not {*LotTerms._fields} - {field} & spelled.keys()


def test_terms_that_say_nothing_take_no_room() -> None:
    assert canonical(replace(BASE, postings=(replace(PLAINLY, terms=LotTerms()),))) == canonical(
        replace(BASE, postings=(PLAINLY,))
    )
