"""A vault with entries of every kind."""

from __future__ import annotations

from uuid import uuid4

from services.ledger.domain.entry import OPERATOR, Counterpart, Unit
from services.ledger.domain.terms import NegativeBalance, Policy
from services.ledger.domain.wish import (
    AdjustWish,
    AwardWish,
    CaptureWish,
    ExtendWish,
    Line,
    MergeWish,
    ReleasePendingWish,
    ReleaseWish,
    TransferWish,
)
from services.ledger.store.partitions import Partitions, Upkeep
from services.ledger.store.transfers import Transfers
from shared.instants import micros
from tests.ledger.store.vault import (
    FLORIST,
    GROCER,
    MINUTE,
    PATIENCE,
    Vault,
    award,
    capture,
    hold,
    receipt,
    redeem,
    refund,
    release,
    reverse,
    tend,
    wallet_in,
)


def fill(vault: Vault) -> None:
    for bucket in (0, 3):
        _shop(vault, bucket)
        _rarer(vault, bucket)
    _debts(vault)
    _between_wallets(vault)
    Upkeep(vault.engine, Partitions(), vault.clock).tend()
    vault.clock.pass_by(days=1)
    for bucket in (0, 3):
        for wallet in {entry.wallet for entry in vault.readers.journal_after(bucket, 0, 100)}:
            vault.outcome(tend(wallet))


def _shop(vault: Vault, bucket: int) -> None:
    today = vault.clock.now().date()
    wallet = wallet_in(bucket)
    given = vault.post(award(wallet, 100, receipt=receipt()))
    vault.post(award(wallet, 50, until=today))
    spent = vault.post(redeem(wallet, 30))
    vault.post(refund(spent, 10))
    vault.post(capture(vault.post(hold(wallet, 20)), 15))
    vault.post(release(vault.post(hold(wallet, 20))))
    vault.post(hold(wallet, 5, ttl=7 * 24 * 60 * MINUTE))
    vault.post(reverse(given, 60))


def _rarer(vault: Vault, bucket: int) -> None:
    """Several units and issuers, campaigns, pending points, a hold that is used bit by bit, a correction."""
    wallet, later = wallet_in(bucket), micros(vault.clock.now()) + 60 * MINUTE
    lines = (
        Line(GROCER, 30),
        Line(GROCER, 20, campaign="spring"),
        Line(FLORIST, 10, available_from=later),
        Line(GROCER, 3, unit=Unit.STAMPS),
    )
    given = vault.post(AwardWish(bucket=bucket, partner=GROCER, request_id=uuid4(), wallet=wallet, lines=lines))
    assert given.others
    vault.post(ReleasePendingWish(bucket=bucket, partner=GROCER, request_id=uuid4(), original=given.seq))
    kept = vault.post(hold(wallet, 25))
    vault.post(
        CaptureWish(bucket=bucket, partner=GROCER, request_id=uuid4(), original=kept.seq, points=5, keep_open=True)
    )
    vault.post(ReleaseWish(bucket=bucket, partner=GROCER, request_id=uuid4(), original=kept.seq, points=5))
    vault.post(ExtendWish(bucket=bucket, partner=GROCER, request_id=uuid4(), original=kept.seq, ttl=48 * 60 * MINUTE))
    vault.post(reverse(given))
    vault.post(
        AdjustWish(
            bucket=bucket,
            partner=OPERATOR,
            request_id=uuid4(),
            wallet=wallet,
            issuer=FLORIST,
            points=7,
            taking=False,
            reason="GOODWILL",
            proposed_by="anna",
            approved_by="ben",
        )
    )


def _between_wallets(vault: Vault) -> None:
    """From bucket 0 to bucket 3 and back: a transfer, a merge, and a transfer whose second leg is still to come."""
    transfers = Transfers(vault.engine, vault.writer)
    for from_, to in ((0, 3), (3, 0)):
        giver, taker, old = wallet_in(from_), Counterpart(to, wallet_in(to)), wallet_in(from_)
        for wallet in (giver, old):
            vault.clock.pass_by(seconds=1)
            vault.post(award(wallet, 100))
            vault.post(award(wallet, 50, partner=FLORIST))
        transfers.post(
            TransferWish(bucket=from_, partner=GROCER, request_id=uuid4(), wallet=giver, to=taker, points=120), PATIENCE
        )
        vault.clock.pass_by(seconds=1)
        transfers.post(MergeWish(bucket=from_, partner=GROCER, request_id=uuid4(), wallet=old, to=taker), PATIENCE)
        vault.clock.pass_by(seconds=1)
        vault.post(TransferWish(bucket=from_, partner=GROCER, request_id=uuid4(), wallet=giver, to=taker, points=11))


def _debts(vault: Vault) -> None:
    """Spent points that are reversed are owed; what comes in repays, from another issuer too; a merge brings a debt."""
    policy = Policy(negative_balance=NegativeBalance.ALLOW_NEGATIVE)
    writer = vault.another_writer(lanes=1, policies=lambda: {GROCER: policy})
    for bucket in (0, 3):
        owing, sound = wallet_in(bucket), Counterpart(3 - bucket, wallet_in(3 - bucket))
        given = writer.post(award(owing, 100), PATIENCE).entry
        writer.post(redeem(owing, 80), PATIENCE)
        assert writer.post(reverse(given), PATIENCE).entry.balance.debt == 80
        paid = writer.post(award(owing, 30, partner=FLORIST), PATIENCE).entry
        assert (paid.balance.debt, paid.postings[-1].for_lot) == (50, given.postings[0].lot)
        if bucket:
            writer.post(award(sound.wallet, 45, partner=FLORIST), PATIENCE)
            wish = MergeWish(bucket=bucket, partner=GROCER, request_id=uuid4(), wallet=owing, to=sound)
            arrived = Transfers(vault.engine, writer).post(wish, PATIENCE).arrival
            assert arrived is not None
            assert (arrived.balance.available, arrived.balance.debt) == (0, 5)
