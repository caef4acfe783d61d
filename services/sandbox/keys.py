"""The files that prove, sign and encrypt: made once, and never made again in silence.

A key that is lost takes with it what it protects: personal data cannot be read, checkpoints cannot be verified,
partners' certificates are worth nothing. So the home keeps an inventory, and a listed file that is gone stops `up`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.sandbox.home import Home, read_json, write_json
from services.sandbox.refusals import FileDamaged, FileExposed, FileMissing
from shared.clock import Clock, SystemClock
from shared.credentials.authority import Authority, AuthorityMissing
from shared.credentials.files import NotSecret, read_secret, write_secret
from shared.credentials.grants import create_grant_keys
from shared.credentials.keys import load_or_create, public_pem, publish


@dataclass(frozen=True, slots=True)
class Keys:
    """Where each key lies."""

    folder: Path
    tokens_folder: Path
    ca_key: Path
    ca_certificate: Path
    administrator: Path

    @property
    def token_signing(self) -> Path:
        """Ed25519: identity signs partners' tokens with it."""
        return self.folder / "token-signing.pem"

    @property
    def checkpoint(self) -> Path:
        """Ed25519: the ledger signs checkpoints with it."""
        return self.folder / "checkpoint.pem"

    @property
    def statement(self) -> Path:
        """Ed25519: settlement signs statements with it."""
        return self.folder / "statement.pem"

    @property
    def operator_public(self) -> Path:
        """What a partner needs to check a statement offline."""
        return self.folder / "operator.pub"

    @property
    def checkpoint_public(self) -> Path:
        """What settlement and an auditor need to check a checkpoint."""
        return self.folder / "checkpoint.pub"

    @property
    def grants(self) -> Path:
        """Fernet keys of the grants, newest first."""
        return self.folder / "grants.keys"

    @property
    def identity_master(self) -> Path:
        """32 bytes: wraps the key of each member."""
        return self.folder / "identity-master.key"

    @property
    def identity_lookup(self) -> Path:
        """32 bytes: finds identifiers by a keyed hash."""
        return self.folder / "identity-lookup.key"

    @property
    def identity_pairwise(self) -> Path:
        """32 bytes: gives each partner its own name for a member."""
        return self.folder / "identity-pairwise.key"


_MEANING: Final = {
    "ca.key": "it is the key of the development authority",
    "ca.pem": "it is the certificate of the development authority",
    "postgres": "it is the password of the PostgreSQL administrator",
    "token-signing.pem": "it signs partners' access tokens",
    "checkpoint.pem": "it signs the ledger's checkpoints",
    "statement.pem": "it signs statements",
    "grants.keys": "it seals grants",
    "identity-master.key": "it encrypts personal data",
    "identity-lookup.key": "it finds members by their identifiers",
    "identity-pairwise.key": "it makes partners' own member ids",
}


def keys_of(home: Home) -> Keys:
    """Where the keys of a home lie, made or not."""
    authority = home.certificates
    return Keys(home.keys, home.token_keys, authority / "ca.key", authority / "ca.pem", home.secrets / "postgres")


def ensure_keys(home: Home) -> Keys:
    """Make the keys of a new home; find those of an old one, all of them and unharmed."""
    keys = keys_of(home)
    makers = _makers(home, keys)
    listed = _listed(home)
    for path in makers:
        if path.name in listed and not path.exists():
            raise FileMissing(file=path, meaning=_MEANING[path.name])
    for path, make in makers.items():
        _made_or_sound(path, make)
    publish(load_or_create(keys.token_signing).public_key(), keys.tokens_folder)
    _show(keys.statement, keys.operator_public)
    _show(keys.checkpoint, keys.checkpoint_public)
    if listed != {path.name for path in makers}:
        write_json(home.inventory, {"files": sorted(path.name for path in makers)})
    return keys


def authority_of(home: Home) -> Authority:
    """The development authority that `ensure_keys` founded; only that may found one."""
    return _authority(home, Authority)


def ensure_password(path: Path) -> None:
    """A password for a database role. It may be made again: `up` also tells the database."""
    if not path.exists():
        write_secret(path, secrets.token_urlsafe(32).encode() + b"\n")


def _makers(home: Home, keys: Keys) -> dict[Path, Callable[[], object]]:
    def random(path: Path) -> Callable[[], object]:
        return lambda: write_secret(path, secrets.token_bytes(32))

    def signing(path: Path) -> Callable[[], object]:
        return lambda: load_or_create(path)

    def authority() -> Authority:
        return _authority(home, Authority.founded)

    return {
        keys.ca_key: authority,
        keys.ca_certificate: authority,
        keys.administrator: lambda: ensure_password(keys.administrator),
        keys.token_signing: signing(keys.token_signing),
        keys.checkpoint: signing(keys.checkpoint),
        keys.statement: signing(keys.statement),
        keys.grants: lambda: create_grant_keys(keys.grants),
        keys.identity_master: random(keys.identity_master),
        keys.identity_lookup: random(keys.identity_lookup),
        keys.identity_pairwise: random(keys.identity_pairwise),
    }


def _authority(home: Home, way_in: Callable[[Path, Clock], Authority]) -> Authority:
    try:
        return way_in(home.certificates, SystemClock())
    except AuthorityMissing as missing:
        raise FileMissing(file=missing.file, meaning=_MEANING[missing.file.name]) from None
    except NotSecret:
        raise FileExposed(file=keys_of(home).ca_key) from None


def _listed(home: Home) -> set[str]:
    match read_json(home.inventory):
        case None:
            return set()
        case {"files": [*names]}:
            return {str(name) for name in names}
        case _:
            raise FileDamaged(file=home.inventory, meaning="the list of keys that coalition wrote")


def _made_or_sound(path: Path, make: Callable[[], object]) -> None:
    try:
        if not path.exists():
            make()
        elif not read_secret(path):
            raise FileDamaged(file=path, meaning=f"what it should ({_MEANING[path.name]}): it is empty")
    except NotSecret:
        raise FileExposed(file=path) from None


def _show(private: Path, public: Path) -> None:
    """The public half of a key, for those who only check."""
    try:
        pem = public_pem(load_or_create(private).public_key())
    except ValueError:
        raise FileDamaged(file=private, meaning="an Ed25519 private key in PEM") from None
    if not public.exists() or public.read_bytes() != pem:
        write_secret(public, pem)
