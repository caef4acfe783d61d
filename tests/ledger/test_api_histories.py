"""The running ledger against the model, over real gRPC: all verbs in random order, both agree after every step."""

from __future__ import annotations

from coalition.ledger.v1.ledger_pb2_grpc import LedgerServiceStub
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from services.sandbox.clients import channel
from tests.ledger.served import histories_of
from tests.support.platform import RunningPlatform


def test_the_service_and_the_model_agree_after_every_step(platform: RunningPlatform) -> None:
    with channel(platform.sandbox.targets["ledger"], platform.sandbox.authority.operator("ben")) as connection:
        run_state_machine_as_test(
            histories_of(platform, LedgerServiceStub(connection)),
            settings=settings(
                max_examples=6,
                stateful_step_count=25,
                derandomize=True,  # what CI refuses can be repeated; `make histories` draws new ones
                suppress_health_check=list(HealthCheck),
                phases=[Phase.explicit, Phase.generate],  # time goes on at the service: nothing can be shrunk
                database=None,
            ),
        )
