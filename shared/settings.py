"""What every service can be told: where it listens, which files prove who it is, and where its database is.

Secrets are never values: a setting names the file that holds one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """The knobs that all services share; each service adds its own and its prefix.

    A subclass sets `model_config = SettingsConfigDict(env_prefix="COALITION_LEDGER_")` (the rest is inherited) and
    gives `database_name`, `database_user` and `owner_user` their defaults.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_prefix="COALITION_", hide_input_in_errors=True)

    listen: str = Field(default="127.0.0.1:0", description="host:port to serve gRPC on; port 0 takes a free one")
    ca_file: Path = Field(description="PEM of the authorities whose certificates we trust, as server and as client")
    certificate_file: Path = Field(description="PEM of our own certificate chain")
    key_file: Path = Field(description="PEM of our certificate's private key")
    token_keys_folder: Path = Field(description="folder of identity's public keys, one PEM each; overlap = several")
    grant_keys_file: Path | None = Field(default=None, description="Fernet keys of the grants, newest first")
    clock_file: Path | None = Field(default=None, description="sandbox only: the file that says what time it is")

    database_host: str = Field(default="/var/run/postgresql", description="folder of the Unix socket, or a host name")
    database_port: int = 5432
    database_name: str
    database_user: str = Field(description="the role that serves requests")
    database_password_file: Path | None = None
    database_tls: Literal["disable", "prefer", "require", "verify-full"] = "prefer"
    database_ca_file: Path | None = Field(default=None, description="PEM for database_tls = verify-full")
    database_pool: int = Field(default=16, ge=1, description="connections kept for requests, one per thread")
    database_pool_wait_seconds: int = Field(default=5, ge=1, description="how long a request queues for a connection")
    database_statement_seconds: int = Field(default=10, ge=1, description="no statement of a request outlives this")
    owner_user: str = Field(description="the role that owns the schema and migrates it")
    owner_password_file: Path | None = None
    reader_user: str | None = Field(default=None, description="the role for reports: SELECT only")
    reader_password_file: Path | None = None

    time_zone: str = Field(default="UTC", description="IANA name of the zone in which business days begin")
    currency: str = Field(default="USD", pattern="^[A-Z]{3}$")

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_unknown_fields: bool = Field(default=False, description="development only: log fields nobody has cleared")
    metrics_port: int = Field(default=0, ge=0, le=65_535, description="loopback port for Prometheus; 0: none")
    reflection: bool = Field(default=False, description="let every caller, not operators alone, list our methods")
    calls_per_second: int = Field(default=5_000, ge=1, description="per caller and method, sustained")
    calls_burst: int = Field(default=10_000, ge=1, description="per caller and method, at once")
    drain_notice_seconds: int = Field(default=5, ge=0, description="on SIGTERM: time for balancers to look away")
    drain_seconds: int = Field(default=25, ge=0, description="after that: time for running calls to end")
