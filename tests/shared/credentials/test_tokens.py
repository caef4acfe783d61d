"""Tokens and the attacks on them. Whatever is not exactly right is refused with one and the same answer."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.credentials import files
from shared.credentials.keys import key_id, load_or_create, public_jwk, public_pem, publish
from shared.credentials.tokens import TokenExpired, TokenInvalid, TokenSigner, TokenVerifier
from tests.shared.home import NOW

KEY = Ed25519PrivateKey.generate()
KID = key_id(KEY.public_key())
ISSUED = int(NOW.timestamp())
CLAIMS: dict[str, Any] = {
    "iss": "coalition-identity",
    "sub": "grocer",
    "aud": ["ledger", "catalogue"],
    "iat": ISSUED,
    "exp": ISSUED + 600,
    "jti": "one",
}
HEADER = {"typ": "at+jwt", "kid": KID}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    publish(KEY.public_key(), tmp_path / "keys")
    return tmp_path / "keys"


@pytest.fixture
def verifier(folder: Path) -> TokenVerifier:
    return TokenVerifier(folder)


def forged(claims: dict[str, Any], header: dict[str, Any] | None = None, key: Ed25519PrivateKey = KEY) -> str:
    """A token with any claims and header under a genuine signature."""
    return jwt.encode(claims, key, algorithm="EdDSA", headers=HEADER | (header or {}))


def raw(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def test_a_signed_token_speaks_for_its_partner(verifier: TokenVerifier) -> None:
    token = TokenSigner(KEY).sign("grocer", ["ledger"], NOW, timedelta(minutes=15), "one")
    assert verifier.verify(token, "ledger", NOW) == "grocer"
    assert verifier.verify(token, "ledger", NOW + timedelta(minutes=14, seconds=59)) == "grocer"


def test_a_token_ends_exactly_at_its_expiry_even_when_it_is_remembered(verifier: TokenVerifier) -> None:
    token = forged(CLAIMS)
    verifier.verify(token, "ledger", NOW)
    with pytest.raises(TokenExpired):
        verifier.verify(token, "ledger", NOW + timedelta(seconds=600))


def test_a_remembered_token_is_still_only_for_its_audience(verifier: TokenVerifier) -> None:
    token = forged(CLAIMS)
    verifier.verify(token, "ledger", NOW)
    with pytest.raises(TokenInvalid):
        verifier.verify(token, "settlement", NOW)


def test_nobody_signs_a_token_for_longer_than_a_quarter_of_an_hour() -> None:
    for lifetime in (timedelta(minutes=16), timedelta(0), timedelta(seconds=-1)):
        with pytest.raises(ValueError, match="at most"):
            TokenSigner(KEY).sign("grocer", ["ledger"], NOW, lifetime, "one")


def without(claim: str) -> dict[str, Any]:
    return {name: value for name, value in CLAIMS.items() if name != claim}


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("", id="nothing"),
        pytest.param("a.b.c", id="junk"),
        pytest.param("ü" * 50, id="not ascii"),
        pytest.param("x" * 100_000, id="huge"),
        pytest.param(f"{raw({'alg': 'none', **HEADER})}.{raw(CLAIMS)}.", id="alg none"),
        pytest.param(f"{raw({'alg': 'NONE', **HEADER})}.{raw(CLAIMS)}.", id="alg NONE"),
        pytest.param(f"{raw({'alg': 'EdDSA', **HEADER})}.{raw(CLAIMS)}.", id="no signature"),
        pytest.param(forged(CLAIMS)[:-4] + "AAAA", id="bent signature"),
        pytest.param(forged(CLAIMS, key=Ed25519PrivateKey.generate()), id="another key under our kid"),
        pytest.param(forged(CLAIMS, {"kid": "unknown"}), id="unknown kid"),
        pytest.param(forged(CLAIMS, {"kid": "../../etc/passwd"}), id="kid as a path"),
        pytest.param(forged(CLAIMS, {"typ": "JWT"}), id="another typ"),
        pytest.param(forged(CLAIMS, {"crit": ["b64"]}), id="critical extension"),
        pytest.param(forged(CLAIMS | {"iss": "somebody"}), id="another issuer"),
        pytest.param(forged(CLAIMS | {"aud": ["settlement"]}), id="another audience"),
        pytest.param(forged(CLAIMS | {"aud": "ledger"}), id="audience as text"),
        pytest.param(forged(CLAIMS | {"exp": ISSUED + 901}), id="too long a life"),
        pytest.param(forged(CLAIMS | {"exp": ISSUED - 1}), id="ends before it begins"),
        pytest.param(forged(CLAIMS | {"iat": ISSUED + 120, "exp": ISSUED + 600}), id="from the future"),
        pytest.param(forged(CLAIMS | {"exp": ISSUED + 0.5}), id="a fraction of a second"),
        pytest.param(forged(CLAIMS | {"exp": True}), id="expiry as truth"),
        pytest.param(forged(CLAIMS | {"sub": ""}), id="empty subject"),
        pytest.param(forged(CLAIMS | {"jti": ""}), id="empty jti"),
        pytest.param(forged(CLAIMS | {"nbf": ISSUED + 300}), id="not before"),
        *[pytest.param(forged(without(claim)), id=f"no {claim}") for claim in CLAIMS],
    ],
)
def test_no_forgery_is_accepted(verifier: TokenVerifier, token: str) -> None:
    with pytest.raises(TokenInvalid) as caught:
        verifier.verify(token, "ledger", NOW)
    assert str(caught.value) == "The access token is not valid here."


def test_our_public_key_is_no_shared_secret(verifier: TokenVerifier) -> None:
    """Key confusion: HS256 with the bytes of the public key as the secret."""
    import hashlib
    import hmac

    signing_input = f"{raw({'alg': 'HS256', **HEADER})}.{raw(CLAIMS)}"
    for secret in (public_pem(KEY.public_key()), KEY.public_key().public_bytes_raw()):
        signature = hmac.new(secret, signing_input.encode(), hashlib.sha256).digest()
        token = f"{signing_input}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"
        with pytest.raises(TokenInvalid):
            verifier.verify(token, "ledger", NOW)


def test_a_rotation_overlaps_and_a_withdrawn_key_counts_no_more(
    folder: Path, verifier: TokenVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_LOOK_EVERY_SECONDS", 0.0)
    fresh = load_or_create(folder.parent / "fresh.key")
    old_token, new_token = (
        forged(CLAIMS),
        TokenSigner(fresh).sign("baker", ["ledger"], NOW, timedelta(minutes=1), "two"),
    )
    assert verifier.verify(old_token, "ledger", NOW) == "grocer"
    with pytest.raises(TokenInvalid):
        verifier.verify(new_token, "ledger", NOW)
    publish(fresh.public_key(), folder)
    assert [verifier.verify(token, "ledger", NOW) for token in (old_token, new_token)] == ["grocer", "baker"]
    (folder / f"{KID}.pem").unlink()
    with pytest.raises(TokenInvalid):
        verifier.verify(old_token, "ledger", NOW)
    assert verifier.verify(new_token, "ledger", NOW) == "baker"


def test_the_key_id_is_the_thumbprint_of_the_standard() -> None:
    """RFC 8037, appendix A.3."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    x = base64.urlsafe_b64decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo=")
    key = Ed25519PublicKey.from_public_bytes(x)
    assert key_id(key) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    assert public_jwk(key)["x"] == "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
