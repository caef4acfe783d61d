"""The clock's work by itself: what is due is posted, once, beside everything else."""

from __future__ import annotations

from services.ledger.domain.entry import EntryKind
from services.ledger.domain.lots import HoldState
from services.ledger.domain.refusals.clock import NothingDue
from tests.ledger.store.vault import BUCKETS, MINUTE, Vault, award, hold, tend, wallet_in
from tests.support.together import at_once, until


def test_lots_and_holds_end_by_themselves_in_every_bucket(own_vault: Vault) -> None:
    today = own_vault.clock.now().date()
    wallets = [wallet_in(bucket) for bucket in range(BUCKETS)]
    for wallet in wallets:
        own_vault.post(award(wallet, 10, until=today))
        own_vault.post(award(wallet, 20))
        own_vault.post(hold(wallet, 4, ttl=MINUTE))
    own_vault.clock.pass_by(days=1)
    sweeper = own_vault.sweeper(interval=1)
    sweeper.start()
    try:
        until(lambda: all(own_vault.available(wallet) == 20 for wallet in wallets))
    finally:
        sweeper.stop()
    for bucket in range(BUCKETS):
        *_, release, expiry = own_vault.readers.journal_after(bucket, 0, 10)
        assert (release.kind, expiry.kind) == (EntryKind.RELEASE, EntryKind.EXPIRY)
        assert {release.partner, expiry.partner} == {"operator"}
        found = own_vault.readers.hold(release.place._replace(seq=release.original or 0))
        assert found is not None
        assert found[0].state is HoldState.RELEASED
    own_vault.check()


def test_tending_many_times_at_once_does_nothing_twice(own_vault: Vault) -> None:
    wallet = wallet_in(3)
    own_vault.post(award(wallet, 10, until=own_vault.clock.now().date()))
    own_vault.clock.pass_by(days=1)
    outcomes = at_once([lambda: own_vault.outcome(tend(wallet))] * 8)
    assert all(isinstance(outcome, NothingDue) for outcome in outcomes)
    assert own_vault.entry_count() == 2
    assert own_vault.available(wallet) == 0
    own_vault.check()


def test_a_sweep_with_nothing_due_writes_nothing(own_vault: Vault) -> None:
    wallet = wallet_in(3)
    own_vault.post(award(wallet, 10))
    own_vault.post(hold(wallet, 5))
    own_vault.outcome(tend(wallet))
    assert own_vault.entry_count() == 2


def test_a_sweeper_survives_the_loss_of_its_database_connections(own_vault: Vault) -> None:
    sweeper = own_vault.sweeper(interval=1)
    sweeper.start()
    try:
        wallet = wallet_in(3)
        own_vault.post(award(wallet, 10, until=own_vault.clock.now().date()))
        own_vault.kill_backends()
        own_vault.clock.pass_by(days=1)
        until(lambda: own_vault.available(wallet) == 0)
    finally:
        sweeper.stop()
