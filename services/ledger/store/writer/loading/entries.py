"""Earlier entries: originals, which wishes name, and repeats, which their requests became before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from services.ledger.domain.entry import Entry, EntryKind, Place
from services.ledger.store.writer.asking import Asking
from services.ledger.store.writer.loading.reading import Reading
from services.ledger.store.writer.places import BETWEEN, entries_between
from services.ledger.store.writer.working_set import place_columns

_SPENDS: Final = (EntryKind.REDEMPTION, EntryKind.CAPTURE)


def entries(reading: Reading, questions: Asking) -> Iterator[None]:
    """The landmarks first; once they have told the months, a round trip of its own gets the entries."""
    originals, repeats = reading.agenda.originals.taken(), reading.agenda.repeats.taken()
    asked = list(dict.fromkeys([*originals, *repeats]))
    if not asked:
        return
    bounds = questions.ask(BETWEEN, place_columns(asked))
    yield
    found = entries_between(bounds.connection, asked, bounds.fetchall())
    for place in repeats:
        entry = found[place]
        reading.found.requests[entry.wallet.int, entry.request_id.int] = entry
    for place in originals:
        if place in found:
            _take_original(reading, found[place])


def _take_original(reading: Reading, entry: Entry) -> None:
    """An entry that something happens to: its wallet, and whatever of it has moved since, has to be known."""
    key, place, agenda = entry.wallet.int, entry.place, reading.agenda
    reading.found.originals[place] = entry
    reading.found.wallet(entry.bucket, entry.wallet)
    agenda.rows.add(key)
    for posting in entry.postings:
        agenda.awards.add(Place(entry.bucket, posting.lot.seq))
    if entry.kind is EntryKind.HOLD:
        agenda.holds.add(place)
    if entry.kind in _SPENDS:
        agenda.redemptions.add(place)
    if place in reading.needs.reversed:
        agenda.whole.add(key)
    reading.needs.heavy.add(key)
    for wish in reading.about[place]:
        if reading.probe or wish.dry:
            agenda.requests.add((key, wish.request_id.int))
