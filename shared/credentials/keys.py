"""Ed25519 keys as PEM files: for signing tokens and checkpoints."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shared.credentials.files import read_secret, write_secret


class NotEd25519(ValueError):
    """The PEM holds a key of another kind."""


def load_or_create(path: Path) -> Ed25519PrivateKey:
    """The private key in the file; a file that does not exist yet gets a fresh one."""
    if not path.exists():
        write_secret(path, private_pem(Ed25519PrivateKey.generate()))
    return load_private(path)


def load_private(path: Path) -> Ed25519PrivateKey:
    """The private key in a secret PEM file."""
    key = serialization.load_pem_private_key(read_secret(path), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise NotEd25519(f"{path} holds no Ed25519 private key")
    return key


def load_public(path: Path) -> Ed25519PublicKey:
    """The public key in a PEM file. Such a file is not a secret."""
    key = serialization.load_pem_public_key(path.read_bytes())
    if not isinstance(key, Ed25519PublicKey):
        raise NotEd25519(f"{path} holds no Ed25519 public key")
    return key


def private_pem(key: Ed25519PrivateKey) -> bytes:
    """PKCS #8, unencrypted: the file's mode protects it."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def public_pem(key: Ed25519PublicKey) -> bytes:
    """SubjectPublicKeyInfo."""
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def public_jwk(key: Ed25519PublicKey) -> dict[str, str]:
    """The key as other platforms read it (RFC 8037), with its `kid`."""
    return {"kty": "OKP", "crv": "Ed25519", "x": _x(key), "kid": key_id(key), "use": "sig", "alg": "EdDSA"}


def key_id(key: Ed25519PublicKey) -> str:
    """The key's JWK thumbprint (RFC 7638): its name follows from what it is, so nobody hands names out."""
    members = json.dumps({"crv": "Ed25519", "kty": "OKP", "x": _x(key)}, sort_keys=True, separators=(",", ":"))
    return _base64url(hashlib.sha256(members.encode()).digest())


def publish(key: Ed25519PublicKey, folder: Path) -> Path:
    """Put a public key where the services look for it. An older key stays until its file is removed."""
    path = folder / f"{key_id(key)}.pem"
    if not path.exists():
        write_secret(path, public_pem(key))
    return path


def _x(key: Ed25519PublicKey) -> str:
    return _base64url(key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw))


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
