"""Settings come from the environment, are frozen, and never show what they were given."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings


class LedgerSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="COALITION_LEDGER_")

    database_name: str = "coalition_ledger"
    database_user: str = "ledger_app"
    owner_user: str = "ledger_owner"


REQUIRED = ("CA_FILE", "CERTIFICATE_FILE", "KEY_FILE", "TOKEN_KEYS_FOLDER")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in REQUIRED:
        monkeypatch.setenv(f"COALITION_LEDGER_{name}", f"/etc/coalition/{name.lower()}")


def test_a_service_reads_its_own_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COALITION_LEDGER_LISTEN", "127.0.0.1:7001")
    monkeypatch.setenv("COALITION_LISTEN", "127.0.0.1:1")
    assert LedgerSettings().listen == "127.0.0.1:7001"
    assert str(LedgerSettings().ca_file) == "/etc/coalition/ca_file"


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        LedgerSettings().listen = "0.0.0.0:1"  # type: ignore[misc]


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COALITION_LEDGER_CA_FILE")
    with pytest.raises(ValidationError, match="ca_file"):
        LedgerSettings()


def test_a_wrong_value_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COALITION_LEDGER_DRAIN_SECONDS", "hunter2")
    with pytest.raises(ValidationError) as caught:
        LedgerSettings()
    assert "drain_seconds" in str(caught.value)
    assert "hunter2" not in str(caught.value)
