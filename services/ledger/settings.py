"""The ledger's knobs. Each has its unit in its name and a safe default."""

from __future__ import annotations

import os
import socket
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from services.ledger.domain.programme import Expiry, Programme
from shared.settings import ServiceSettings

_EVERY_HOST = ("0.0.0.0", "[::]")  # noqa: S104  compared with, not listened on


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
    waiting_calls: int = Field(default=2000, ge=1, description="calls at once; those that post wait on an event loop")
    threads: int = Field(default=32, ge=2, description="calls at once that ask the database themselves")
    batch_size: int = Field(default=500, ge=1, le=5000, description="wishes in one posting transaction")
    linger_ms: int = Field(default=3, ge=0, le=100, description="how long a lane under load waits for company")
    queue_size: int = Field(default=10_000, ge=1, description="wishes that may wait in one lane")
    instance: str | None = Field(default=None, description="this process's name among its peers; default: its address")
    advertised_address: str | None = Field(default=None, description="host:port for our peers; default: from `listen`")
    lease_seconds: int = Field(default=3, ge=1, le=60, description="until others take over from a process that is gone")
    long_polls: int = Field(default=16, ge=0, description="threads that may wait for journal entries at once")
    streams: int = Field(default=8, ge=1, description="streams of awards served at once; each holds a thread")

    expiry: Expiry = Field(default=Expiry.FIXED_PERIOD, description="NONE, FIXED_PERIOD, FIXED_DATE or INACTIVITY")
    lot_days: int = Field(default=730, ge=0, description="days of use, or of inactivity; 0: points never end")
    expiry_day: str = Field(default="12-31", description="month and day on which points end under FIXED_DATE")
    oldest_first: bool = Field(default=False, description="spend the oldest points first, not those that end first")
    transfer_points: int = Field(default=0, ge=0, description="the most a member may send at once; 0: no limit")
    transfer_points_a_day: int = Field(default=0, ge=0, description="the most a member may send in a day; 0: no limit")
    adjustment_points: int = Field(default=100_000, ge=0, description="the most one adjustment may move; 0: no limit")
    refund_grace_days: int = Field(default=30, ge=0, description="days a lot past its date gets by a refund into it")
    late_days: int = Field(default=400, ge=1, le=3650, description="how long ago something may have happened")
    hold_seconds: int = Field(default=900, ge=1, le=604_800, description="life of a hold that names none")
    sweep_seconds: int = Field(default=5, ge=1, description="pause between two sweeps for expired lots and holds")
    check_seconds: int = Field(default=1, ge=1, description="pause of the online check between two buckets")
    check_duty_percent: int = Field(default=5, ge=1, le=100, description="share of one core that a check may take")
    tree_seconds: int = Field(default=10, ge=1, description="pause between two looks for what trees can store")

    @field_validator("expiry_day")
    @classmethod
    def _a_day_of_every_year(cls, day: str) -> str:
        try:
            date.fromisoformat(f"2001-{day}")  # no leap year: the day has to come each year
        except ValueError:
            raise ValueError(f"{day!r} is no month-day that every year has, such as 12-31") from None
        return day

    @property
    def address(self) -> str:
        """Where our peers find us; empty when nobody but us knows the port."""
        host, _, port = self.listen.rpartition(":")
        found = f"{socket.getfqdn() if host in _EVERY_HOST else host}:{port}" if port != "0" else ""
        return self.advertised_address or found

    @property
    def name(self) -> str:
        """What tells us from our peers: the same after a restart, as far as our address is."""
        return self.instance or self.address or f"{socket.getfqdn()}/{os.getpid()}"

    def programme(self) -> Programme:
        """What the programme decides about its points."""
        month, day = (int(part) for part in self.expiry_day.split("-"))
        return Programme(
            ZoneInfo(self.time_zone),
            self.lot_days,
            self.refund_grace_days,
            self.expiry,
            (month, day),
            self.oldest_first,
            self.transfer_points,
            self.transfer_points_a_day,
            self.adjustment_points,
        )
