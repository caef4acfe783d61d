"""An alert is worth something when its metrics exist and its runbook is there. `promtool` checks the rest by hand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from services.ledger.store.gauges import CheckGauges, PostingGauges
from shared.rpc.metered import Metered

DEPLOY = Path(__file__).parents[2] / "deploy"
RULES = sorted((DEPLOY / "monitoring").glob("*.rules.yaml"))
METRIC = re.compile(r"\b(?:ledger|rpc)_\w+")


def exported() -> set[str]:
    """Every name that a scrape of a ledger can show; a series with labels shows once something was counted."""
    registry = CollectorRegistry()
    CheckGauges(registry).mine(range(2))
    PostingGauges(registry)
    Metered(registry)._of("method", "OK").observe(0)
    families = list(text_string_to_metric_families(generate_latest(registry).decode()))
    return {family.name for family in families} | {sample.name for family in families for sample in family.samples}


def expressions(rules: str) -> list[str]:
    """What stands behind `expr:`, on its line or indented below it."""
    return re.findall(r"^ +expr: ((?:.*)(?:\n {10,}.*)*)", rules, re.MULTILINE)


@pytest.mark.parametrize("file", RULES, ids=lambda file: file.stem)
def test_every_metric_of_an_alert_is_exported(file: Path) -> None:
    named = {name for expression in expressions(file.read_text()) for name in METRIC.findall(expression)}
    assert named
    assert named - exported() == set()


@pytest.mark.parametrize("file", RULES, ids=lambda file: file.stem)
def test_every_alert_has_a_runbook_that_names_it(file: Path) -> None:
    text = file.read_text()
    alerts = re.findall(r"- alert: (\w+)", text)
    runbooks = re.findall(r"runbook: deploy/(\S+)", text)
    assert len(alerts) == len(runbooks) == len(expressions(text))
    assert [
        alert for alert, page in zip(alerts, runbooks, strict=True) if f"`{alert}`" not in (DEPLOY / page).read_text()
    ] == []


def test_every_metric_that_a_runbook_names_is_exported() -> None:
    named = {name for page in (DEPLOY / "runbooks").glob("*.md") for name in METRIC.findall(page.read_text())}
    aside = {"ledger_owner", "ledger_replay_20260301_120000"}
    assert named - aside - exported() == set()


def test_no_label_can_hold_a_name() -> None:
    """A partner, a wallet or a member in a label would be kept by every monitoring that scrapes it."""
    registry = CollectorRegistry()
    CheckGauges(registry).mine(range(2))
    PostingGauges(registry)
    Metered(registry)._of("method", "OK").observe(0)
    families = text_string_to_metric_families(generate_latest(registry).decode())
    labels = {label for family in families for sample in family.samples for label in sample.labels}
    assert labels == {"bucket", "subject", "method", "code", "le"}
