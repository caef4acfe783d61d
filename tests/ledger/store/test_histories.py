"""The whole store against the model: all verbs in random order through the writer, read back from its tables."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.ledger.store.stored import StoredHistories
from tests.ledger.store.vault import Vault


def test_the_store_and_the_model_agree_after_every_step(own_vault: Vault) -> None:
    class HistoriesOfAVault(StoredHistories):
        vault = own_vault

    run_state_machine_as_test(
        HistoriesOfAVault,
        settings=settings(
            max_examples=15,
            stateful_step_count=30,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate],  # shrinking would run a thousand more: that is done by hand
        ),
    )
