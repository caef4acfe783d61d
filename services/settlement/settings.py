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

    duties_file: Path | None = Field(
        default=None, description="JSON of users and their duties, read again when it changes; no file: all have all"
    )
    archive_folder: Path = Field(
        default=Path("/var/lib/coalition/settlement-archive"),
        description="write-once folder outside the database: what is sent stands there first",
    )
    bank_folder: Path | None = Field(default=None, description="where the bank's own software takes our files from")
    bank_address: str | None = Field(default=None, description="where the bank takes files by HTTP")
    bank_checks_duplicates: bool = Field(default=False, description="the bank refuses a MsgId twice: we may send again")
    bank_seconds: int = Field(default=30, ge=1, le=50, description="how long one sending may take")
    bank_answer_hours: int = Field(default=24, ge=1, description="after that a payment without an answer is UNKNOWN")
    return_days: int = Field(default=5, ge=0, description="days after its booking in which a payment may come back")
    collection_return_days: int = Field(default=56, ge=0, description="the same for a direct debit")
    cooling_off_hours: int = Field(default=72, ge=0, description="how long a changed bank account is not paid to")
    dispute_answer_hours: int = Field(default=240, ge=1, description="after that an unanswered dispute is escalated")
    write_off_limit_minor: int = Field(default=10_000, ge=0, description="a larger break is not written off")

    window_calendar: str = Field(default="", description="calendars/{id} that closes windows; empty: people do")
    page_entries: int = Field(default=5_000, ge=1, le=10_000, description="journal entries in one ingest transaction")
    ingest_lanes: int = Field(default=2, ge=1, le=16, description="threads that count entries, each its own buckets")
    poll_seconds: int = Field(default=5, ge=1, le=20, description="how long one look at the journal waits for news")
