"""Pairwise names: what one partner calls a member. No two partners can join theirs, and no table is needed.

The member's id is encrypted by AES-SIV (RFC 5297) with the partner as associated data: one member and one partner give
one name, only this key leads back, and a name that was made for another partner, or made up, does not open.
"""

from __future__ import annotations

import base64
import binascii
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_CHARACTERS = 52  # 16 bytes of tag and 16 of id in base 32, the padding left away
_PADDING = "===="


class PairwiseNames:
    """Makes the names and finds the way back."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESSIV(HKDF(SHA256(), length=64, salt=None, info=b"coalition pairwise names").derive(key))

    def of(self, member_id: UUID, partner: str) -> str:
        """`partners/{partner}/members/{pairwise id}`."""
        sealed = self._cipher.encrypt(member_id.bytes, [partner.encode()])
        return f"partners/{partner}/members/{base64.b32encode(sealed).decode().rstrip('=').lower()}"

    def member_id(self, name: str) -> UUID | None:
        """Whom a name of that form names; None when nobody."""
        _, partner, _, written = name.split("/")
        if len(written) != _CHARACTERS:
            return None
        try:
            sealed = base64.b32decode(written.upper() + _PADDING)
            found = UUID(bytes=self._cipher.decrypt(sealed, [partner.encode()]))
        except (binascii.Error, InvalidTag):
            return None
        return found if self.of(found, partner) == name else None  # base 32 leaves bits over: one spelling counts
