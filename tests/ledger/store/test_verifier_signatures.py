"""What is recomputed as a whole fits together; only that nobody else can sign it tells."""

from __future__ import annotations

from uuid import uuid4

from shared.verifying import Difference
from tests.ledger.store.vault import Vault, award, receipt, wallet_in
from tests.support.databases import Databases


def test_a_journal_that_was_rewritten_as_a_whole_is_convicted_by_a_checkpoint(databases: Databases) -> None:
    """Whoever recomputes every hash and every projection still cannot sign."""
    forged, honest = Vault(databases), Vault(databases)
    try:
        wallet, paper = wallet_in(0), receipt()
        honest.post(award(wallet, 100, receipt=paper))
        honest.checkpoints.taken(uuid4(), honest.clock.now())
        forged.post(award(wallet, 999, receipt=paper))
        with honest.tampering() as out, forged.tampering() as into:
            columns = "number, request_id, seqs, hashes, root, entry_count, created_at, signature, key_id"
            row = out.execute(f"SELECT {columns} FROM ledger.checkpoints").fetchone()
            marks = ", ".join(["%s"] * 9)
            into.execute(f"INSERT INTO ledger.checkpoints ({columns}) VALUES ({marks})", row)
        forged.trust(honest)
        found = forged.verified()
        assert isinstance(found, Difference)
        assert (found.subject, found.name) == ("entry", "0-1")
        assert "checkpoint" in found.detail
    finally:
        forged.close()
        honest.close()


def test_a_checkpoint_signed_by_a_stranger_is_found(databases: Databases) -> None:
    vault, stranger = Vault(databases), Vault(databases)
    try:
        vault.checkpoints.taken(uuid4(), vault.clock.now())
        vault.trust(stranger)
        found = vault.verified()
        assert found == Difference("checkpoint", "checkpoints/1", "its signature does not hold")
    finally:
        vault.close()
        stranger.close()
