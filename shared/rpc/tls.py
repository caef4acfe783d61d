"""Mutual TLS, both ends. There is no function here that makes a plain port."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import cast

import grpc
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from shared.credentials.files import Reloaded, read_secret
from shared.settings import ServiceSettings


def server_credentials(settings: ServiceSettings) -> grpc.ServerCredentials:
    """A client must show a certificate of our authority. A new leaf of ours is taken up without a restart."""
    files = Reloaded(lambda: _configuration(settings), settings.certificate_file, settings.key_file, settings.ca_file)
    changes = cast(Callable[[], grpc.ServerCertificateConfiguration], _Changes(files))  # None is gRPC's "as it was"
    return grpc.dynamic_ssl_server_credentials(files.current(), changes, require_client_authentication=True)


class _Changes:
    """What gRPC asks at each handshake: a new configuration once, otherwise None for "as it was".

    gRPC builds its handshakers anew for every answer that is not None, and two threads that do so at once end the
    process (grpc issue 36693): then whoever opens and closes connections would kill a service.
    """

    def __init__(self, files: Reloaded[grpc.ServerCertificateConfiguration]) -> None:
        self._files = files
        self._lock = threading.Lock()
        self._shown = files.current()

    def __call__(self) -> grpc.ServerCertificateConfiguration | None:
        now = self._files.current()
        with self._lock:
            if now is self._shown:
                return None
            self._shown = now
        return now


def channel_credentials(ca_file: Path, certificate_file: Path, key_file: Path) -> grpc.ChannelCredentials:
    """What a caller shows, and whom it trusts. Read now: a channel lives with the leaf it began with."""
    certificate, key = _pair(certificate_file, key_file)
    return grpc.ssl_channel_credentials(ca_file.read_bytes(), private_key=key, certificate_chain=certificate)


def _configuration(settings: ServiceSettings) -> grpc.ServerCertificateConfiguration:
    certificate, key = _pair(settings.certificate_file, settings.key_file)
    return grpc.ssl_server_certificate_configuration([(key, certificate)], settings.ca_file.read_bytes())


def _pair(certificate_file: Path, key_file: Path) -> tuple[bytes, bytes]:
    """Certificate and key; in the middle of a rotation they may not fit, and are refused."""
    certificate, key = certificate_file.read_bytes(), read_secret(key_file)
    if x509.load_pem_x509_certificate(certificate).public_key() != load_pem_private_key(key, None).public_key():
        raise ValueError(f"{certificate_file} and {key_file} do not belong together")
    return certificate, key
