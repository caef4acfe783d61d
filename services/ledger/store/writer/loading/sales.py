"""Holds and redemptions: those that wishes name, and holds whose time is up."""

from __future__ import annotations

from collections.abc import Iterator

from services.ledger.domain.entry import AccountKind, Place
from services.ledger.domain.lots import Hold, HoldState, Redemption, takes_from
from services.ledger.store.writer import statements as sql
from services.ledger.store.writer.asking import Asking
from services.ledger.store.writer.loading.reading import Reading
from services.ledger.store.writer.working_set import place_columns, wallet_columns
from shared.instants import instant, micros


def holds_due(reading: Reading, questions: Asking) -> Iterator[None]:
    """Where the holds were placed that have to be released before anything else happens to their wallets."""
    wallets = reading.wallets(reading.agenda.holding)
    if not wallets:
        return
    cursor = questions.ask(sql.HOLDS_DUE, [*wallet_columns(wallets), instant(reading.now.at)])
    yield
    for bucket, _wallet, seq, *_rest in cursor.fetchall():
        reading.agenda.originals.add(Place(bucket, seq))


def holds(reading: Reading, questions: Asking) -> Iterator[None]:
    """As they stand now; what each of them took is in its entry."""
    places = reading.agenda.holds.taken()
    if not places:
        return
    cursor = questions.ask(sql.HOLDS_AT, place_columns(places))
    yield
    found = reading.found
    for bucket, id_, seq, partner, points, captured, released, state, expires_at in cursor.fetchall():
        pins = takes_from(found.originals[Place(bucket, seq)].postings, AccountKind.HELD)
        hold = Hold(seq, partner, points, micros(expires_at), pins, HoldState(state), captured, released)
        found.wallet(bucket, id_).holds[seq] = hold


def redemptions(reading: Reading, questions: Asking) -> Iterator[None]:
    """The same for what was spent."""
    places = reading.agenda.redemptions.taken()
    if not places:
        return
    cursor = questions.ask(sql.REDEMPTIONS_AT, place_columns(places))
    yield
    found = reading.found
    for bucket, id_, seq, partner, points, refunded in cursor.fetchall():
        takes = takes_from(found.originals[Place(bucket, seq)].postings, AccountKind.REDEEMED)
        found.wallet(bucket, id_).redemptions[seq] = Redemption(seq, partner, points, takes, refunded)
