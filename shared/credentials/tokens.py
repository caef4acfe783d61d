"""A partner's access tokens: short-lived JWTs that identity signs and every service checks by itself.

EdDSA and nothing else (RFC 8037), `typ: at+jwt` (RFC 9068), so that no token made for another purpose passes as one.
Time is ours: the JWT library never looks at a clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shared.credentials.files import Reloaded
from shared.credentials.keys import key_id, load_public
from shared.credentials.remembered import Remembered
from shared.refusal import Kind, Refusal

ISSUER = "coalition-identity"
TYPE = "at+jwt"
ALGORITHM = "EdDSA"
LONGEST_LIFETIME = timedelta(minutes=15)
_SKEW_SECONDS = 60
_MOST_CHARACTERS = 4096
_REMEMBERED = 4096


class TokenMissing(Refusal):
    """A partner's certificate came without a token."""

    kind = Kind.UNAUTHENTICATED
    message = "This call needs an access token."
    remedy = "Get one from identity's IssueToken and send it as `authorization: Bearer <token>`."


class TokenInvalid(Refusal):
    """Not a token of ours, or not for this use. The text does not say which check failed: that helps only a forger."""

    kind = Kind.UNAUTHENTICATED
    message = "The access token is not valid here."
    remedy = "Get a new one from identity's IssueToken, for this service."


class TokenExpired(Refusal):
    """A genuine token whose time is over."""

    kind = Kind.UNAUTHENTICATED
    message = "The access token expired at {expired_at}."
    remedy = "Get a new one from identity's IssueToken."


class TokenSigner:
    """Makes tokens; only identity holds one."""

    def __init__(self, private_key: Ed25519PrivateKey, kid: str | None = None) -> None:
        self._key = private_key
        self._kid = kid or key_id(private_key.public_key())

    def sign(self, partner: str, audience: Sequence[str], at: datetime, lifetime: timedelta, jti: str) -> str:
        """A token that lets `partner` call the services in `audience` from `at` for `lifetime`."""
        if not timedelta(0) < lifetime <= LONGEST_LIFETIME:
            raise ValueError(f"a token lives at most {LONGEST_LIFETIME}, not {lifetime}")
        issued = int(at.timestamp())
        claims = {
            "iss": ISSUER,
            "sub": partner,
            "aud": list(audience),
            "iat": issued,
            "exp": issued + int(lifetime.total_seconds()),
            "jti": jti,
        }
        return jwt.encode(claims, self._key, algorithm=ALGORITHM, headers={"typ": TYPE, "kid": self._kid})


@dataclass(frozen=True, slots=True)
class _Claims:
    partner: str
    audience: frozenset[str]
    issued_at: int
    expires_at: int


class TokenVerifier:
    """Checks tokens against the public keys in a folder: `*.pem`, several at once while a rotation overlaps.

    A signature is checked once and remembered, for as long as the set of keys stays the same; time and audience are
    checked on every call.
    """

    def __init__(self, folder: Path) -> None:
        self._keys = Reloaded(lambda: _public_keys(folder), folder)
        self._remembered = Remembered[str, _Claims](_REMEMBERED)

    def verify(self, token: str, audience: str, at: datetime) -> str:
        """The partner that the token speaks for."""
        claims, now = self._genuine(token), at.timestamp()
        if audience not in claims.audience or claims.issued_at > now + _SKEW_SECONDS:
            raise TokenInvalid
        if now >= claims.expires_at:
            raise TokenExpired(expired_at=_instant(claims.expires_at, at))
        return claims.partner

    def _genuine(self, token: str) -> _Claims:
        keys = self._keys.current()
        remembered = self._remembered
        if remembered.under is not keys:  # a key may have been taken away: what it signed is worth nothing any more
            remembered = self._remembered = Remembered(_REMEMBERED, keys)
        claims = remembered.get(token)
        if claims is None:
            claims = _checked(token, keys)
            remembered.put(token, claims)
        return claims


def _public_keys(folder: Path) -> dict[str, Ed25519PublicKey]:
    keys = (load_public(path) for path in sorted(folder.glob("*.pem")))
    return {key_id(key): key for key in keys}


def _checked(token: str, keys: dict[str, Ed25519PublicKey]) -> _Claims:
    """Everything about a token that does not depend on the moment or on who asks."""
    if len(token) > _MOST_CHARACTERS:
        raise TokenInvalid
    try:
        header = jwt.get_unverified_header(token)
        if header.get("alg") != ALGORITHM or header.get("typ") != TYPE or "crit" in header:
            raise TokenInvalid
        key = keys[header["kid"]]
        payload = jwt.decode(
            token, key, algorithms=[ALGORITHM], options={"verify_exp": False, "verify_iat": False, "verify_aud": False}
        )
    except (jwt.InvalidTokenError, KeyError, TypeError, ValueError):
        raise TokenInvalid from None
    return _claims(payload)


def _claims(payload: dict[str, object]) -> _Claims:
    partner, jti, audience = payload.get("sub"), payload.get("jti"), payload.get("aud")
    issued_at, expires_at = payload.get("iat"), payload.get("exp")
    if payload.get("iss") != ISSUER or "nbf" in payload:
        raise TokenInvalid
    if not (isinstance(partner, str) and partner and isinstance(jti, str) and jti and isinstance(audience, list)):
        raise TokenInvalid
    if not (type(issued_at) is int and type(expires_at) is int):
        raise TokenInvalid
    if not 0 < expires_at - issued_at <= LONGEST_LIFETIME.total_seconds():
        raise TokenInvalid
    return _Claims(partner, frozenset(str(name) for name in audience), issued_at, expires_at)


def _instant(seconds: int, at: datetime) -> str:
    return datetime.fromtimestamp(seconds, at.tzinfo).isoformat()
