"""Keyed hashes: how a value is found, or compared, without being kept.

The values have little entropy (there are ten thousand million telephone numbers), so a bare hash would give them away;
under a key that is not in the database it does not.
"""

from __future__ import annotations

import hmac

from services.identity.domain.identifiers import Identifier
from services.identity.domain.members import Wish


class Lookup:
    """HMAC-SHA256 under the look-up key, with a word in front that keeps the uses apart."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, identifier: Identifier) -> bytes:
        return self._digest("identifier", f"{identifier.type.value}:{identifier.value}".encode())

    def of_request(self, wish: Wish) -> bytes:
        return self._digest("request", wish.meaning())

    def _digest(self, use: str, content: bytes) -> bytes:
        return hmac.digest(self._key, f"{use}\0".encode() + content, "sha256")
