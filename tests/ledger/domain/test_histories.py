"""The pure core against the model: all verbs, in random order, with conservation and replay after every step."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

from tests.ledger.domain.pure import PureHistories

TestPureHistories = PureHistories.TestCase
TestPureHistories.settings = settings(max_examples=100, stateful_step_count=30, suppress_health_check=list(HealthCheck))
