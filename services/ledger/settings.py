"""The ledger's knobs. Each has its unit in its name and a safe default."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """Read from COALITION_LEDGER_*."""

    model_config = SettingsConfigDict(env_prefix="COALITION_LEDGER_")

    database_name: str = "coalition_ledger"
    database_user: str = "ledger_app"
    owner_user: str = "ledger_owner"
    reader_user: str | None = "ledger_ro"
    checkpoint_key_file: Path = Field(description="PEM of the Ed25519 key that signs checkpoints")

    buckets: int = Field(default=64, ge=1, le=4096, description="fixed when the deployment is created")
    lanes: int = Field(default=4, ge=1, le=64, description="writer threads; each owns its share of the buckets")
    threads: int = Field(default=128, ge=2, description="calls served at once; a unary call waits in one of them")
    batch_size: int = Field(default=500, ge=1, le=5000, description="wishes in one posting transaction")
    linger_ms: int = Field(default=2, ge=0, le=100, description="how long a lane under load waits for company")
    queue_size: int = Field(default=10_000, ge=1, description="wishes that may wait in one lane")
    long_polls: int = Field(default=16, ge=0, description="threads that may wait for journal entries at once")

    lot_days: int = Field(default=730, ge=0, description="days of use after the day of earning; 0: points never end")
    refund_grace_days: int = Field(default=30, ge=0, description="days a lot past its date gets by a refund into it")
    late_days: int = Field(default=400, ge=1, le=3650, description="how long ago something may have happened")
    hold_seconds: int = Field(default=900, ge=1, le=604_800, description="life of a hold that names none")
    sweep_seconds: int = Field(default=5, ge=1, description="pause between two sweeps for expired lots and holds")
