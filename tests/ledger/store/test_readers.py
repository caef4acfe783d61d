"""Questions to the ledger: pages without holes, sums that follow from the postings."""

from __future__ import annotations

from services.ledger.domain.entry import AccountKind, Balance, Entry, Place
from services.ledger.domain.points import MOST
from services.ledger.domain.wallet import HoldState
from services.ledger.store.readers import Readers
from tests.ledger.store.vault import (
    BUCKETS,
    FLORIST,
    Vault,
    award,
    capture,
    hold,
    receipt,
    redeem,
    refund,
    reverse,
    wallet_in,
)


def _pages(readers: Readers, partner: str, size: int) -> list[Entry]:
    found: list[Entry] = []
    after = Place(0, 0)
    while page := readers.entries_of_partner(partner, after, size):
        found += page
        after = page[-1].place
    return found


def test_a_partner_reads_its_own_entries_bucket_by_bucket_in_order(own_vault: Vault) -> None:
    entries = [own_vault.post(award(wallet_in(number % BUCKETS), receipt=receipt())) for number in range(30)]
    own_vault.post(award(wallet_in(0), partner=FLORIST))
    expected = sorted(entries, key=lambda entry: entry.place)
    for size in (1, 7, 30, 1000):
        assert _pages(own_vault.readers, "grocer", size) == expected
    assert [entry.partner for entry in _pages(own_vault.readers, FLORIST, 5)] == [FLORIST]
    assert own_vault.readers.entries_of_partner("stranger", Place(0, 0), 10) == []


def test_a_partner_reads_its_entries_of_one_wallet_and_not_its_neighbours(own_vault: Vault) -> None:
    wallet, neighbour = wallet_in(3), wallet_in(3)
    mine = [own_vault.post(award(wallet)) for _ in range(3)]
    own_vault.post(award(wallet, partner=FLORIST))
    own_vault.post(award(neighbour))
    read = own_vault.readers.entries_of_wallet
    assert read(3, wallet, "grocer", 0, 10) == mine
    assert read(3, wallet, "grocer", mine[0].seq, 1) == [mine[1]]


def test_the_journal_is_read_from_any_place_on(own_vault: Vault) -> None:
    entries = [own_vault.post(award(wallet_in(5))) for _ in range(5)]
    assert own_vault.readers.journal_after(5, 0, 100) == entries
    assert own_vault.readers.journal_after(5, 2, 2) == entries[2:4]
    assert own_vault.readers.journal_after(5, 5, 100) == []
    assert own_vault.readers.journal_after(4, 0, 100) == []


def test_a_wallet_that_was_never_used_holds_nothing(vault: Vault) -> None:
    assert vault.readers.balance(3, wallet_in(3)) == Balance()


def test_a_hold_is_read_as_it_stands_now(vault: Vault) -> None:
    given = vault.post(award(wallet_in(3)))
    placed = vault.post(hold(given.wallet, 50))
    vault.post(capture(placed, 20))
    found = vault.readers.hold(placed.place)
    assert found is not None
    assert (found[0].state, found[0].captured, found[1]) == (HoldState.CAPTURED, 20, placed)
    assert vault.readers.hold(given.place) is None
    assert vault.readers.hold(Place(3, 10**9)) is None


def test_flows_are_the_sums_of_what_crossed_the_border_of_a_wallet(own_vault: Vault) -> None:
    given = own_vault.post(award(wallet_in(3), 100))
    own_vault.post(hold(given.wallet, 10))
    spent = own_vault.post(redeem(given.wallet, 60, partner=FLORIST))
    own_vault.post(refund(spent, 20, partner=FLORIST))
    own_vault.post(reverse(given, 80))
    flows = {
        (flow.debit, flow.debit_party, flow.credit, flow.credit_party): flow.points
        for flow in own_vault.readers.flows()
    }
    available, issued = AccountKind.AVAILABLE, AccountKind.ISSUED
    redeemed, written_off = AccountKind.REDEEMED, AccountKind.WRITTEN_OFF
    assert flows == {
        (issued, "grocer", available, ""): 100,
        (available, "", redeemed, "florist"): 60,
        (redeemed, "florist", available, ""): 20,
        (available, "", issued, "grocer"): 50,
        (written_off, "grocer", issued, "grocer"): 30,
    }
    assert own_vault.readers.outstanding() == 10


def test_sums_beyond_64_bits_are_still_exact(own_vault: Vault) -> None:
    for bucket in (0, 3):
        own_vault.post(award(wallet_in(bucket), MOST))
    assert own_vault.readers.outstanding() == 2 * MOST
    assert [flow.points for flow in own_vault.readers.flows()] == [2 * MOST]
    own_vault.check()
