"""Every knob of the catalogue, its unit and its safe default."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """Prefix COALITION_CATALOGUE_."""

    model_config = SettingsConfigDict(env_prefix="COALITION_CATALOGUE_")

    database_name: str = "coalition_catalogue"
    database_user: str = "catalogue_app"
    owner_user: str = "catalogue_owner"
    reader_user: str | None = "catalogue_ro"

    ledger_target: str = Field(description="host:port of the ledger")
    identity_target: str = Field(description="host:port of identity, asked when rules are published")
    ledger_grant_seconds: int = Field(default=300, ge=30, description="life of the grants we seal for the ledger")
    rules_seconds: int = Field(default=2, ge=0, description="how long a publication elsewhere may go unnoticed here")
    heal_seconds: int = Field(default=3, ge=1, description="pause between two looks for what did not reach the ledger")
