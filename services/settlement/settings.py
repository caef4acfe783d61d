"""Settlement's knobs. Each has its unit in its name and a safe default."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """Read from COALITION_SETTLEMENT_*."""

    model_config = SettingsConfigDict(env_prefix="COALITION_SETTLEMENT_")

    database_name: str = "coalition_settlement"
    database_user: str = "settlement_app"
    owner_user: str = "settlement_owner"
    reader_user: str | None = "settlement_ro"
    ledger_target: str = Field(description="host:port of the ledger")
    statement_key_file: Path = Field(description="PEM of the Ed25519 key that signs statements")
    checkpoint_public_key_file: Path = Field(description="PEM of the public key under which the ledger signs")

    page_entries: int = Field(default=5_000, ge=1, le=10_000, description="journal entries in one ingest transaction")
    poll_seconds: int = Field(default=5, ge=1, le=20, description="how long one look at the journal waits for news")
