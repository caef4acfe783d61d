"""Adjustments: the table says what the journal says, whoever decides at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import uuid4

from services.ledger.domain.wish import AdjustWish
from services.ledger.store.adjustments import Adjustments, AdjustmentState
from services.ledger.store.writer import Posted
from shared.db.errors import OutcomeUnknown
from tests.ledger.store.vault import GROCER, Vault, wallet_in
from tests.support.together import until

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def proposal() -> AdjustWish:
    return AdjustWish(
        bucket=2,
        wallet=wallet_in(2),
        partner="operator",
        request_id=uuid4(),
        issuer=GROCER,
        points=5,
        taking=False,
        reason="MISSING_AWARD",
        proposed_by="operator/anna",
        approved_by="",
    )


def test_what_was_posted_stays_approved_though_a_refused_colleague_reopens_it(vault: Vault) -> None:
    adjustments = Adjustments(vault.engine)
    proposed, _ = adjustments.propose(proposal(), NOW)
    bens = adjustments.decide(proposed, AdjustmentState.APPROVED, "operator/ben", NOW)
    cleos = adjustments.decide(proposed, AdjustmentState.APPROVED, "operator/cleo", NOW)
    entry = vault.post(cleos.wish(cleos.decided_by or ""))
    adjustments.reopen(bens)
    adjustments.posted(cleos, entry.seq)
    found = adjustments.found(proposed.bucket, proposed.id)
    assert (found.state, found.entry_seq, found.decided_by) == (AdjustmentState.APPROVED, entry.seq, entry.approved_by)


def test_what_was_posted_and_cannot_be_noted_is_not_said_to_have_come_to_nothing(own_vault: Vault) -> None:
    adjustments = Adjustments(own_vault.engine)
    proposed, _ = adjustments.propose(proposal(), NOW)
    approved = adjustments.decide(proposed, AdjustmentState.APPROVED, "operator/ben", NOW)
    entry = own_vault.post(approved.wish("operator/ben"))
    with ThreadPoolExecutor() as pool:
        with own_vault.tampering() as blocker, blocker.transaction():
            blocker.execute("LOCK ledger.adjustments")
            noted = pool.submit(adjustments.posted, approved, entry.seq)
            until(lambda: bool(own_vault.waiting()))
            own_vault.kill_backends()
        assert isinstance(noted.exception(), OutcomeUnknown)
    again = own_vault.posted(approved.wish("operator/ben"))
    assert again == Posted(entry, replay=True)
    adjustments.posted(approved, again.entry.seq)
    assert adjustments.found(proposed.bucket, proposed.id).entry_seq == entry.seq


def test_whoever_proposed_it_may_withdraw_it(vault: Vault) -> None:
    adjustments = Adjustments(vault.engine)
    proposed, _ = adjustments.propose(proposal(), NOW)
    withdrawn = adjustments.decide(proposed, AdjustmentState.REJECTED, "operator/anna", NOW)
    assert (withdrawn.state, withdrawn.decided_by) == (AdjustmentState.REJECTED, "operator/anna")
