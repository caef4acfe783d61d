"""Questions to the ledger: a journal without holes, holds as they stand, sums that follow from the postings."""

from __future__ import annotations

from services.ledger.domain.entry import AccountKind, Place
from services.ledger.domain.lots import HoldState
from services.ledger.domain.points import MOST
from tests.ledger.store.vault import (
    BUCKETS,
    FLORIST,
    Vault,
    award,
    capture,
    hold,
    redeem,
    refund,
    reverse,
    wallet_in,
)


def test_the_journal_is_read_from_any_place_on(own_vault: Vault) -> None:
    entries = [own_vault.post(award(wallet_in(5))) for _ in range(5)]
    assert own_vault.readers.journal_after(5, 0, 100) == entries
    assert own_vault.readers.journal_after(5, 2, 2) == entries[2:4]
    assert own_vault.readers.journal_after(5, 5, 100) == []
    assert own_vault.readers.journal_after(4, 0, 100) == []


def test_many_buckets_are_read_as_one_after_the_other(own_vault: Vault) -> None:
    """With news in some, in others none, one longer than its share: in order, with all postings, nothing twice."""
    by_bucket = {bucket: [own_vault.post(award(wallet_in(bucket))) for _ in range(bucket)] for bucket in range(5)}
    spent = own_vault.post(redeem(by_bucket[3][0].wallet, 60, partner=FLORIST))
    by_bucket[3].append(spent)
    ends, entries = own_vault.readers.journal_from(dict.fromkeys(range(BUCKETS), 0), 1000)
    assert ends == {bucket: len(by_bucket.get(bucket, ())) for bucket in range(BUCKETS)}
    assert entries == [entry for bucket in sorted(by_bucket) for entry in by_bucket[bucket]]
    _, entries = own_vault.readers.journal_from({1: 1, 2: 0, 3: 1, 4: 0}, 6)
    assert entries == [*by_bucket[2][:2], *by_bucket[3][1:3], *by_bucket[4][:2]]


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
