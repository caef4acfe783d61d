"""Personal data at rest: AES-256-GCM under a key of the member's own, that key wrapped by the master key.

The purpose and the member are authenticated with each value, so a value moved to another column or row does not open.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from enum import Enum
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
_NONCE_BYTES = 12
_NAME_BYTES = 4

RandomBytes = Callable[[int], bytes]


class Purpose(Enum):
    """What a sealed value is; a part of every seal."""

    KEY = b"member key"
    PROFILE = b"profile"
    IDENTIFIER = b"identifier"
    CODE_SEED = b"code seed"
    REASON = b"reason"


class SealBroken(Exception):
    """A sealed value was changed, moved, or sealed under a key that we do not have."""


class MemberKey:
    """Seals and opens what is known of one member."""

    def __init__(self, member_id: UUID, key: bytes, random_bytes: RandomBytes) -> None:
        self._member = member_id.bytes
        self._cipher = AESGCM(key)
        self._random_bytes = random_bytes

    def seal(self, purpose: Purpose, plain: bytes) -> bytes:
        nonce = self._random_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, purpose.value + self._member)

    def opened(self, purpose: Purpose, sealed: bytes) -> bytes:
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], purpose.value + self._member)
        except InvalidTag:
            raise SealBroken(f"a {purpose.value.decode()} does not open") from None


class Vault:
    """Makes and unwraps members' keys. The first master key wraps, all of them unwrap, so that a rotation overlaps."""

    def __init__(self, master_keys: Sequence[bytes], random_bytes: RandomBytes) -> None:
        self._current = _name(master_keys[0])
        self._masters = {_name(key): AESGCM(key) for key in master_keys}
        self._random_bytes = random_bytes

    def fresh_key(self, member_id: UUID) -> tuple[MemberKey, bytes]:
        """A new key for a member, and the same key wrapped for the table."""
        key, nonce = self._random_bytes(KEY_BYTES), self._random_bytes(_NONCE_BYTES)
        wrapped = self._masters[self._current].encrypt(nonce, key, Purpose.KEY.value + member_id.bytes)
        return MemberKey(member_id, key, self._random_bytes), self._current + nonce + wrapped

    def unwrapped(self, member_id: UUID, wrapped: bytes) -> MemberKey:
        """The key of a member, as the table has it."""
        name, nonce, sealed = _cut(wrapped)
        try:
            key = self._masters[name].decrypt(nonce, sealed, Purpose.KEY.value + member_id.bytes)
        except (KeyError, InvalidTag):
            raise SealBroken("a member's key does not open: is the master key another one?") from None
        return MemberKey(member_id, key, self._random_bytes)


def _cut(wrapped: bytes) -> tuple[bytes, bytes, bytes]:
    nonce_end = _NAME_BYTES + _NONCE_BYTES
    return wrapped[:_NAME_BYTES], wrapped[_NAME_BYTES:nonce_end], wrapped[nonce_end:]


def _name(master_key: bytes) -> bytes:
    """Which master key wrapped a key, without saying anything about it."""
    return hashlib.sha256(b"coalition master key" + master_key).digest()[:_NAME_BYTES]
