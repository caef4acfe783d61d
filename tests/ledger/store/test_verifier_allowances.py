"""The verifier on allowances: what may still be awarded is what the limit leaves."""

from __future__ import annotations

from services.ledger.store.allowances import Allowances
from shared.verifying import Difference
from tests.ledger.store.vault import BUCKETS, GROCER, Vault, award, wallet_in


def test_an_allowance_that_was_raised_behind_our_back_is_found(own_vault: Vault) -> None:
    allowances = Allowances(own_vault.engine, own_vault.clock, BUCKETS)
    for revision, limit in enumerate([1000, 300, 2000], start=1):  # in between below what was awarded
        allowances.set(GROCER, revision, limit)
        own_vault.check()
        if limit == 1000:
            own_vault.post(award(wallet_in(2), 400))
    with own_vault.tampering() as connection:
        connection.execute("UPDATE ledger.allowances SET pool = pool + 1")
    found = own_vault.verified()
    assert isinstance(found, Difference)
    assert (found.subject, found.name) == ("allowance", GROCER)
