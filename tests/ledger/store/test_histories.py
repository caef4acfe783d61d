"""The whole store against the model: all verbs in random order through the writer, read back from its tables."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from services.ledger.domain.entry import Entry
from services.ledger.domain.wallet import HoldState
from services.ledger.domain.wish import TendWish, Wish
from services.ledger.store.session import reading
from services.ledger.store.writer import Posted
from shared.refusal import Refusal
from tests.ledger.histories import BUCKET, GRACE_DAYS, Histories
from tests.ledger.model import Seen
from tests.ledger.store.vault import PATIENCE, Vault

_LOTS = """
SELECT seq, line, issuer, expires_on, available, held, undone FROM ledger.lots WHERE bucket = %s AND wallet_id = %s
"""
_HOLDS = "SELECT seq, state FROM ledger.holds WHERE bucket = %s AND wallet_id = %s"
_LEFT = "SELECT seq, points - refunded FROM ledger.redemptions WHERE bucket = %s AND wallet_id = %s"


def test_the_store_and_the_model_agree_after_every_step(own_vault: Vault) -> None:
    own_vault.programme = replace(own_vault.programme, grace_days=GRACE_DAYS)
    writer = own_vault.another_writer()

    class StoredHistories(Histories):
        """Wallets of this vault; each example takes fresh ones."""

        def open(self) -> None:
            own_vault.clock.instant = self.now

        def post(self, wish: Wish, wallet: UUID) -> Entry | Refusal:
            own_vault.clock.instant = self.now
            (outcome,) = writer.post_all([wish], PATIENCE)
            return outcome.entry if isinstance(outcome, Posted) else outcome

        def tend(self) -> None:
            own_vault.clock.instant = self.now
            ids = [UUID(int=number) for number in (1, 2)]
            writer.post_all(
                [
                    TendWish(bucket=BUCKET, partner="operator", request_id=id_, wallet=wallet)
                    for id_, wallet in zip(ids, self.wallets, strict=True)
                ],
                PATIENCE,
            )

        def look(self, wallet: UUID) -> Seen:
            return _seen(own_vault, wallet)

        def repeated(self, wish: Wish, wallet: UUID, entry: Entry) -> None:
            assert writer.post(wish, PATIENCE) == Posted(entry, replay=True)

    run_state_machine_as_test(
        StoredHistories,
        settings=settings(
            max_examples=12, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
    own_vault.check()


def _seen(vault: Vault, wallet: UUID) -> Seen:
    balance = vault.readers.balance(BUCKET, wallet)
    with reading(vault.engine) as cursor:
        lots = cursor.execute(_LOTS, [BUCKET, wallet]).fetchall()
        holds = cursor.execute(_HOLDS, [BUCKET, wallet]).fetchall()
        left = cursor.execute(_LEFT, [BUCKET, wallet]).fetchall()
    return Seen(
        free=balance.available,
        held=balance.held,
        lots={(seq, line): (issuer, *rest) for seq, line, issuer, *rest in lots},
        holds={seq: HoldState(state).name.lower() for seq, state in holds},
        left_to_refund={seq: points for seq, points in left},  # noqa: C416  # rows are no pairs to mypy,
    )
