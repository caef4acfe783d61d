"""Secrets of credentials: drawn here, kept as argon2id hashes.

A secret is 256 random bits, so no dictionary holds it and slowness protects nothing: what argon2id adds for a person's
password it cannot add here. The profile is therefore small (1 MiB, two passes, under a millisecond), so that a
flood of wrong secrets costs the server little and sixteen threads at once need less memory than one default hash.
"""

from __future__ import annotations

import base64
from collections.abc import Callable

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_SECRET_BYTES = 32
_SALT_BYTES = 16


class Secrets:
    """Draws, hashes and compares the secrets of credentials."""

    def __init__(self, random_bytes: Callable[[int], bytes]) -> None:
        self._random_bytes = random_bytes
        self._hasher = PasswordHasher(time_cost=2, memory_cost=1024, parallelism=1, hash_len=32, salt_len=_SALT_BYTES)
        self._decoy = self.hash_of(self.fresh())

    def fresh(self) -> str:
        """A new secret, as a partner will send it."""
        return base64.urlsafe_b64encode(self._random_bytes(_SECRET_BYTES)).rstrip(b"=").decode()

    def hash_of(self, secret: str) -> str:
        return self._hasher.hash(secret, salt=self._random_bytes(_SALT_BYTES))

    def fits(self, secret: str, secret_hash: str | None) -> bool:
        """Whether the secret belongs to the hash. Without one the work is done all the same: time must not tell."""
        try:
            self._hasher.verify(secret_hash or self._decoy, secret)
        except (VerificationError, InvalidHashError):
            return False
        return secret_hash is not None
