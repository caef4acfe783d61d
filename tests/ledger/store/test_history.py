"""A partner's entries in pages: in order, without holes or repeats, and only what the filter lets through."""

from __future__ import annotations

from uuid import UUID, uuid4

from services.ledger.domain.entry import Entry, EntryKind, Place, Unit
from services.ledger.domain.wish import AwardWish, Line
from services.ledger.store.history import Filter, Reached, reached
from tests.ledger.store.vault import (
    BUCKETS,
    FLORIST,
    GROCER,
    Vault,
    award,
    capture,
    hold,
    receipt,
    redeem,
    reverse,
    wallet_in,
)

ALL = Filter()
START = Place(0, 0)
SIZES = (1, 2, 7, 1000)


def of_partner(vault: Vault, size: int, wanted: Filter = ALL, partner: str = GROCER) -> list[Entry]:
    """Page by page until there is no more."""
    found: list[Entry] = []
    after = START
    while page := vault.history.of_partner(partner, wanted, after, size):
        assert len(page) <= size
        found += page
        after = page[-1].place
    return found


def of_wallet(vault: Vault, wallet: UUID, size: int, wanted: Filter = ALL) -> list[Entry]:
    """Page by page until there is no more, of a wallet in bucket 3."""
    found: list[Entry] = []
    after = Reached()
    while page := vault.history.of_wallet(3, wallet, GROCER, wanted, after, size):
        assert len(page) <= size
        found += page
        after = reached(page[-1])
    return found


def awarded_in(wallet: UUID, *units: Unit) -> AwardWish:
    lines = tuple(Line(GROCER, 10, unit=unit) for unit in units)
    return AwardWish(bucket=3, partner=GROCER, request_id=uuid4(), wallet=wallet, lines=lines)


def test_a_partner_reads_its_own_entries_bucket_by_bucket_in_order(own_vault: Vault) -> None:
    entries = [own_vault.post(award(wallet_in(number % BUCKETS), receipt=receipt())) for number in range(30)]
    own_vault.post(award(wallet_in(0), partner=FLORIST))
    expected = sorted(entries, key=lambda entry: entry.place)
    for size in (1, 7, 30, 1000):
        assert of_partner(own_vault, size) == expected
    assert [entry.partner for entry in of_partner(own_vault, 5, partner=FLORIST)] == [FLORIST]
    assert own_vault.history.of_partner("stranger", ALL, START, 10) == []


def test_a_partner_reads_its_entries_of_one_wallet_and_not_its_neighbours(own_vault: Vault) -> None:
    wallet, neighbour = wallet_in(3), wallet_in(3)
    mine = [own_vault.post(award(wallet)) for _ in range(3)]
    own_vault.post(award(wallet, partner=FLORIST))
    own_vault.post(award(neighbour))
    read = own_vault.history.of_wallet
    assert read(3, wallet, GROCER, ALL, Reached(), 10) == mine
    assert read(3, wallet, GROCER, ALL, reached(mine[0]), 1) == [mine[1]]
    assert read(3, wallet_in(3), GROCER, ALL, Reached(), 10) == []


def test_an_entry_comes_with_all_its_postings_whoever_is_asked(own_vault: Vault) -> None:
    """What history tells of an entry is what the journal tells of it."""
    given = own_vault.post(award(wallet_in(3)))
    own_vault.post(award(given.wallet, 20))
    own_vault.post(redeem(given.wallet, 110))
    own_vault.post(reverse(given))
    journal = own_vault.readers.journal_after(3, 0, 100)
    assert max(len(entry.postings) for entry in journal) > 1
    for size in SIZES:
        assert of_wallet(own_vault, given.wallet, size) == of_partner(own_vault, size) == journal


def test_the_units_of_a_wallet_are_one_history_and_an_entry_of_two_units_stands_there_once(
    own_vault: Vault,
) -> None:
    wallet = wallet_in(3)
    units = [(Unit.STAMPS,), (Unit.POINTS,), (Unit.TICKETS,), (Unit.POINTS, Unit.STAMPS), (Unit.POINTS,)]
    entries = [own_vault.post(awarded_in(wallet, *both)) for both in units]
    for size in SIZES:
        assert of_wallet(own_vault, wallet, size) == entries


def test_pages_go_on_over_months(own_vault: Vault) -> None:
    wallet, entries = wallet_in(3), []
    for _ in range(4):
        entries += [own_vault.post(award(wallet)), own_vault.post(award(wallet))]
        own_vault.clock.pass_by(days=40)
    for size in SIZES:
        assert of_wallet(own_vault, wallet, size) == of_partner(own_vault, size) == entries


def test_entries_of_one_moment_are_told_apart_by_their_place(own_vault: Vault) -> None:
    """The clock stands still: only the seq says which of them has been read."""
    wallet = wallet_in(3)
    entries = own_vault.writer.post_all([award(wallet) for _ in range(5)], 20)
    assert of_wallet(own_vault, wallet, 2) == [posted.entry for posted in entries if not isinstance(posted, Exception)]


def test_a_filter_of_kinds_leaves_out_the_others_and_fills_its_pages(own_vault: Vault) -> None:
    wallet = own_vault.post(award(wallet_in(3))).wallet
    for _ in range(3):
        placed = own_vault.post(hold(wallet, 10))
        own_vault.post(award(wallet))
        own_vault.post(capture(placed))
    kinds = frozenset({EntryKind.HOLD, EntryKind.CAPTURE})
    expected = [entry for entry in own_vault.readers.journal_after(3, 0, 100) if entry.kind in kinds]
    assert len(expected) == 6
    for size in SIZES:
        assert of_wallet(own_vault, wallet, size, Filter(kinds)) == expected
        assert of_partner(own_vault, size, Filter(kinds)) == expected
    assert of_partner(own_vault, 10, Filter(frozenset({EntryKind.MERGE_OUT}))) == []
    assert len(own_vault.history.of_wallet(3, wallet, GROCER, Filter(kinds), Reached(), 6)) == 6


def test_a_time_begins_with_its_first_microsecond_and_ends_before_its_last(own_vault: Vault) -> None:
    wallet, entries = wallet_in(3), []
    for _ in range(5):
        entries.append(own_vault.post(award(wallet)))
        own_vault.clock.pass_by(days=20)
    from_, before = entries[1].posted_at, entries[3].posted_at
    for wanted, expected in (
        (Filter(from_=from_), entries[1:]),
        (Filter(from_=from_ + 1), entries[2:]),
        (Filter(before=before), entries[:3]),
        (Filter(before=before + 1), entries[:4]),
        (Filter(from_=from_, before=before), entries[1:3]),
        (Filter(from_=before, before=from_), []),
    ):
        for size in SIZES:
            assert of_wallet(own_vault, wallet, size, wanted) == expected
            assert of_partner(own_vault, size, wanted) == expected


def test_a_page_is_found_behind_any_place_also_one_where_nothing_stands(own_vault: Vault) -> None:
    entries = [own_vault.post(award(wallet_in(bucket))) for bucket in (1, 1, 4)]
    read = own_vault.history.of_partner
    assert read(GROCER, ALL, Place(1, 1), 10) == entries[1:]
    assert read(GROCER, ALL, Place(1, 10**9), 10) == read(GROCER, ALL, Place(2, 0), 10) == entries[2:]
    assert read(GROCER, ALL, Place(4, 1), 10) == read(GROCER, ALL, Place(BUCKETS, 0), 10) == []
