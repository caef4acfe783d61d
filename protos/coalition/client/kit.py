"""The kit: what a partner's developer was handed, in one folder.

ca.pem            whom to trust
tls.pem tls.key   the certificate that names the partner, and its key
credential.json   {"partner": ..., "credential": ..., "targets": {service: host:port}}
secret            what identity exchanges for access tokens
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

SERVICES: Final = ("identity", "ledger", "catalogue", "settlement")


class KitUnusable(Exception):
    """A file of the kit is missing or does not hold what it should."""


@dataclass(frozen=True, slots=True)
class Kit:
    """A partner's identity, and where the services are. One address may serve several of them."""

    partner: str
    credential: str
    targets: Mapping[str, str]
    authority: bytes = field(repr=False)
    certificate: bytes = field(repr=False)
    key: bytes = field(repr=False)
    secret: str = field(repr=False)

    @classmethod
    def load(cls, folder: Path | str) -> Kit:
        """The kit in a folder, as `coalition partner create` writes it. Raises KitUnusable."""
        where = Path(folder).expanduser()
        partner, credential, targets = _credential(where / "credential.json")
        return cls(
            partner=partner,
            credential=credential,
            targets=targets,
            authority=_read(where / "ca.pem"),
            certificate=_read(where / "tls.pem"),
            key=_read(where / "tls.key"),
            secret=_read(where / "secret").decode().strip(),
        )


def _read(file: Path) -> bytes:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise KitUnusable(f"{file} cannot be read: {error.strerror}.") from error
    if not content.strip():
        raise KitUnusable(f"{file} is empty.")
    return content


def _credential(file: Path) -> tuple[str, str, Mapping[str, str]]:
    try:
        content = json.loads(_read(file))
    except ValueError as error:
        raise KitUnusable(f"{file} holds no JSON.") from error
    match content:
        case {"partner": str(partner), "credential": str(credential), "targets": {**targets}}:
            known = {service: target for service in SERVICES if isinstance(target := targets.get(service), str)}
            missing = [service for service in SERVICES if service not in known]
            if missing:
                raise KitUnusable(f"{file} does not say where to find {', '.join(missing)}.")
            return partner, credential, known
        case _:
            raise KitUnusable(f"{file} lacks partner, credential or targets.")
