"""Every knob of identity, its unit and its safe default."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """Prefix COALITION_IDENTITY_. The keys are files of mode 0600; losing one loses what it protects."""

    model_config = SettingsConfigDict(env_prefix="COALITION_IDENTITY_")

    database_name: str = "coalition_identity"
    database_user: str = "identity_app"
    owner_user: str = "identity_owner"

    token_key_file: Path = Field(description="Ed25519 private key in PEM: signs partners' tokens")
    master_key_file: Path = Field(description="32 raw bytes, or several such keys, newest first: wraps members' keys")
    lookup_key_file: Path = Field(description="32 raw bytes: the keyed hashes by which identifiers are found")
    pairwise_key_file: Path = Field(description="32 raw bytes: partners' own names for members")

    token_seconds: int = Field(default=900, ge=60, le=900, description="how long an access token lives")
    award_grant_seconds: int = Field(default=3_600, ge=60, le=86_400, description="how long a grant to award lives")
    redeem_grant_seconds: int = Field(default=900, ge=60, le=86_400, description="how long a grant to redeem lives")
    misses: int = Field(
        default=100, ge=1, description="wrong identifiers and codes, and taken identifiers, of one partner per window"
    )
    wrong_codes: int = Field(default=10, ge=1, description="wrong codes of one partner for one member per window")
    miss_window_seconds: int = Field(default=600, ge=1, description="after so long a spent budget is whole again")
