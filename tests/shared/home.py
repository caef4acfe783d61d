"""Everything one service needs on disk, made for a test: authority, leaf, token keys, grant keys."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from shared.credentials.authority import Authority
from shared.credentials.grants import create_grant_keys
from shared.credentials.keys import load_or_create, publish
from shared.credentials.tokens import TokenSigner
from shared.settings import ServiceSettings

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class StillClock:
    """Says what it was told."""

    def __init__(self, instant: datetime = NOW) -> None:
        self.instant = instant

    def now(self) -> datetime:
        return self.instant


class EchoSettings(ServiceSettings):
    """The settings of the tests' own service."""

    database_name: str = "coalition_echo"
    database_user: str = "echo_app"
    owner_user: str = "echo_owner"
    drain_notice_seconds: int = 0
    drain_seconds: int = 2


class TestHome:
    """A folder with what a deployment would have laid out."""

    __test__ = False

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = Authority.founded(folder / "authority")
        self.token_keys = folder / "token-keys"
        self.signing_key = load_or_create(folder / "identity" / "signing.pem")
        publish(self.signing_key.public_key(), self.token_keys)
        self.signer = TokenSigner(self.signing_key)
        create_grant_keys(folder / "grants.keys")

    def settings(self, **more: object) -> EchoSettings:
        leaf = self.authority.service("ledger")
        facts: dict[str, object] = {
            "ca_file": leaf.ca_file,
            "certificate_file": leaf.certificate_file,
            "key_file": leaf.key_file,
            "token_keys_folder": self.token_keys,
            "grant_keys_file": self.folder / "grants.keys",
        }
        return EchoSettings.model_validate(facts | more)

    def token(self, partner: str, audience: str = "echo", at: datetime = NOW) -> str:
        return self.signer.sign(partner, [audience], at, timedelta(minutes=10), str(uuid4()))
