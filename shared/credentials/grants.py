"""Grants: what identity hands a partner about a member, sealed, so that ledger and catalogue need not call back.

A grant names the wallet, the partner it was given to, what it allows and until when. It is sealed with a ring of
Fernet keys: the first seals, all of them open, so a rotation overlaps. Fernet's own time stamp is not trusted: the
expiry inside is compared with the clock of the platform.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from shared.credentials.files import Reloaded, read_secret, write_secret
from shared.credentials.remembered import Remembered
from shared.refusal import Kind, Refusal
from shared.rpc.caller import Caller, Role

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MOST_CHARACTERS = 8192
_REMEMBERED = 20_000
"""A till uses a member's grant again and again; opening one costs more than the rest of a call."""


OPERATOR = "operator"
"""Whom a grant is given to that a user of the operator asked for; no partner has this name."""


class Scope(Enum):
    """What a grant lets its holder do. Whoever may redeem may also award."""

    AWARD = "award"
    REDEEM = "redeem"

    def includes(self, wanted: Scope) -> bool:
        return self is wanted or self is Scope.REDEEM


class GrantInvalid(Refusal):
    """Malformed, sealed by somebody else, or given to another partner: the three look alike on purpose."""

    kind = Kind.NOT_THERE
    message = "There is no such grant."
    remedy = "Resolve the member again and use the grant from that answer."


class GrantExpired(Refusal):
    """A genuine grant whose time is over."""

    kind = Kind.NOT_NOW
    message = "The grant expired at {expired_at}."
    remedy = "Resolve the member again."


class GrantScope(Refusal):
    """A genuine grant that does not go as far as the call wants."""

    kind = Kind.NOT_ALLOWED
    message = "The grant allows to {granted}, the call wants to {wanted}."
    remedy = "Resolve the member with a rotating code or a PIN to be allowed to redeem."


InvalidGrant = GrantInvalid


@dataclass(frozen=True, slots=True)
class Grant:
    """What one partner may do with one wallet, and until when."""

    wallet_id: UUID
    partner: str
    scope: Scope
    max_redeem_points: int | None
    segments: tuple[str, ...]
    issued_at: datetime
    expires_at: datetime
    grant_id: UUID


class GrantRing:
    """Seals and opens grants."""

    def __init__(self, ring: Callable[[], MultiFernet]) -> None:
        self._ring = ring
        self._opened = Remembered[str, Grant](_REMEMBERED)

    @classmethod
    def of_keys(cls, *keys: bytes) -> GrantRing:
        """A ring of these keys, newest first."""
        ring = MultiFernet([Fernet(key) for key in keys])
        return cls(lambda: ring)

    @classmethod
    def from_file(cls, path: Path | None) -> GrantRing:
        """The ring of a secret file, one Fernet key per line, newest first; changes are noticed within a second."""
        if path is None:
            raise ValueError("this service opens grants: its setting grant_keys_file must name the file of their keys")
        return cls(Reloaded(lambda: _ring(path), path).current)

    def seal(self, grant: Grant) -> str:
        """The token that travels."""
        stamp = int(grant.issued_at.timestamp())
        return self._ring().encrypt_at_time(_packed(grant), stamp).decode()

    def opened(self, token: str, *, for_: Scope, by: Caller, at: datetime) -> Grant:
        """The grant in the token, if `by` may use it for `for_` at this instant.

        Raises GrantInvalid, GrantExpired, GrantScope. The catalogue acts for the partner that holds the grant.
        """
        grant = self._genuine(token)
        if by.role is not Role.CATALOGUE and grant.partner != _holder(by):
            raise GrantInvalid
        if at >= grant.expires_at:
            raise GrantExpired(expired_at=grant.expires_at.isoformat())
        if not grant.scope.includes(for_):
            raise GrantScope(granted=grant.scope.value, wanted=for_.value)
        return grant

    def _genuine(self, token: str) -> Grant:
        if len(token) > _MOST_CHARACTERS:
            raise GrantInvalid
        ring, opened = self._ring(), self._opened
        if opened.under is not ring:  # a key may have been taken away: what it sealed opens no more, in no thread
            opened = self._opened = Remembered(_REMEMBERED, ring)
        grant = opened.get(token)
        if grant is None:
            try:
                grant = _unpacked(ring.decrypt(token))  # no ttl: Fernet asks no clock
            except (InvalidToken, ValueError, TypeError, KeyError):
                raise GrantInvalid from None
            opened.put(token, grant)
        return grant


def _holder(by: Caller) -> str | None:
    """Whose grants a caller may use: a partner its own, any user of the operator those of the operator."""
    return OPERATOR if by.role is Role.OPERATOR else by.partner


def create_grant_keys(path: Path) -> None:
    """A key file with one fresh key, unless the file is there already."""
    if not path.exists():
        write_secret(path, Fernet.generate_key() + b"\n")


def rotate_grant_keys(path: Path, *, keep: int = 2) -> None:
    """Put a fresh key first and keep the newest old ones, so that grants under way still open."""
    old = read_secret(path).split()
    write_secret(path, b"\n".join([Fernet.generate_key(), *old[:keep]]) + b"\n")


def _ring(path: Path) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in read_secret(path).split()])


def _packed(grant: Grant) -> bytes:
    fields = [
        grant.wallet_id.hex,
        grant.partner,
        grant.scope.value,
        grant.max_redeem_points,
        list(grant.segments),
        (grant.issued_at - _EPOCH) // _MICROSECOND,
        (grant.expires_at - _EPOCH) // _MICROSECOND,
        grant.grant_id.hex,
    ]
    return json.dumps(fields, separators=(",", ":")).encode()


def _unpacked(content: bytes) -> Grant:
    wallet, partner, scope, most, segments, issued, expires, grant_id = json.loads(content.decode())
    return Grant(
        wallet_id=UUID(int=int(wallet, 16)),
        partner=partner,
        scope=Scope(scope),
        max_redeem_points=most,
        segments=tuple(segments),
        issued_at=_EPOCH + issued * _MICROSECOND,
        expires_at=_EPOCH + expires * _MICROSECOND,
        grant_id=UUID(int=int(grant_id, 16)),
    )
