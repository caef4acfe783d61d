"""Callers without a right to call: no certificate, another authority's, a token that is missing, old or stolen."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import grpc
import jwt
import pytest
from coalition.ledger.v1 import ledger_pb2 as pb
from coalition.ledger.v1.ledger_pb2_grpc import LedgerServiceStub
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.sandbox.clients import channel
from shared.credentials.authority import Authority
from shared.credentials.keys import key_id, load_private
from shared.credentials.tokens import TokenSigner
from tests.ledger.till import SECONDS, Till, points, till_of
from tests.support.platform import RunningPlatform
from tests.support.refused import Refused

AUDIENCE = "ledger"

pytestmark = pytest.mark.usefixtures("unharmed")


@pytest.fixture
def opened() -> Iterator[Callable[[grpc.Channel], grpc.Channel]]:
    """Keeps channels and closes them in the end."""
    kept: list[grpc.Channel] = []

    def keep(channel: grpc.Channel) -> grpc.Channel:
        kept.append(channel)
        return channel

    yield keep
    for one in kept:
        one.close()


Keep = Callable[[grpc.Channel], grpc.Channel]


def _balance(connection: grpc.Channel, till: Till, token: str | None = None) -> pb.Balance:
    metadata = (("authorization", f"Bearer {token}"),) if token is not None else ()
    request = pb.GetBalanceRequest(grant=till.grant())
    return LedgerServiceStub(connection).GetBalance(request, timeout=5, metadata=metadata)


def test_without_tls_nobody_is_heard(till: Till, platform: RunningPlatform, opened: Keep) -> None:
    plain = opened(grpc.insecure_channel(platform.sandbox.targets["ledger"]))
    assert Refused.of(lambda: _balance(plain, till)).code.name == "UNAVAILABLE"


def test_without_a_certificate_nobody_is_heard(till: Till, platform: RunningPlatform, opened: Keep) -> None:
    trusting = grpc.ssl_channel_credentials(platform.sandbox.authority.ca_file.read_bytes())
    nobody = opened(grpc.secure_channel(platform.sandbox.targets["ledger"], trusting))
    assert Refused.of(lambda: _balance(nobody, till)).code.name == "UNAVAILABLE"


def test_another_authoritys_certificate_is_none(
    till: Till, platform: RunningPlatform, opened: Keep, tmp_path: Path
) -> None:
    leaf = Authority.founded(tmp_path / "other").partner(till.partner.id)
    credentials = grpc.ssl_channel_credentials(
        platform.sandbox.authority.ca_file.read_bytes(), leaf.key_file.read_bytes(), leaf.certificate_file.read_bytes()
    )
    forged = opened(grpc.secure_channel(platform.sandbox.targets["ledger"], credentials))
    assert Refused.of(lambda: _balance(forged, till)).code.name == "UNAVAILABLE"


def _signer(platform: RunningPlatform) -> Ed25519PrivateKey:
    return load_private(platform.home.keys / "token-signing.pem")


def _token(platform: RunningPlatform, partner: str, audience: str = AUDIENCE, age: timedelta = timedelta()) -> str:
    at = platform.clock.now() - age
    return TokenSigner(_signer(platform)).sign(partner, [audience], at, timedelta(minutes=15), "jti-1")


def test_a_genuine_token_is_good(till: Till, platform: RunningPlatform, opened: Keep) -> None:
    bare = opened(channel(platform.sandbox.targets["ledger"], till.partner.kit.leaf))
    assert _balance(bare, till, _token(platform, till.partner.id)) == points()


def test_a_partner_without_a_token_is_refused(till: Till, platform: RunningPlatform, opened: Keep) -> None:
    bare = opened(channel(platform.sandbox.targets["ledger"], till.partner.kit.leaf))
    refused = Refused.of(lambda: _balance(bare, till))
    assert (refused.code.name, refused.reason) == ("UNAUTHENTICATED", "TOKEN_MISSING")
    assert refused.well_formed()


def test_an_expired_token_says_so(till: Till, platform: RunningPlatform, opened: Keep) -> None:
    bare = opened(channel(platform.sandbox.targets["ledger"], till.partner.kit.leaf))
    old = _token(platform, till.partner.id, age=timedelta(minutes=15))
    refused = Refused.of(lambda: _balance(bare, till, old))
    assert (refused.code.name, refused.reason) == ("UNAUTHENTICATED", "TOKEN_EXPIRED")
    assert refused.well_formed()


Forge = Callable[[RunningPlatform, str], str]


def _payload(platform: RunningPlatform, partner: str, **changes: object) -> dict[str, object]:
    now = int(platform.clock.now().timestamp())
    payload: dict[str, object] = {
        "iss": "coalition-identity",
        "sub": partner,
        "aud": [AUDIENCE],
        "iat": now,
        "exp": now + 600,
        "jti": "1",
    }
    return payload | changes


def _signed(platform: RunningPlatform, partner: str, typ: str = "at+jwt", **changes: object) -> str:
    key = _signer(platform)
    headers = {"typ": typ, "kid": key_id(key.public_key())}
    return jwt.encode(_payload(platform, partner, **changes), key, algorithm="EdDSA", headers=headers)


def _unsigned(platform: RunningPlatform, partner: str) -> str:
    def part(content: dict[str, object]) -> str:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()

    kid = key_id(_signer(platform).public_key())
    return f"{part({'alg': 'none', 'typ': 'at+jwt', 'kid': kid})}.{part(_payload(platform, partner))}."


def _strangers_key(platform: RunningPlatform, partner: str) -> str:
    headers = {"typ": "at+jwt", "kid": key_id(_signer(platform).public_key())}
    key = Ed25519PrivateKey.generate()
    return jwt.encode(_payload(platform, partner), key, algorithm="EdDSA", headers=headers)


FORGED: dict[str, Forge] = {
    "gibberish": lambda platform, partner: "x.y.z",
    "for another service": lambda platform, partner: _token(platform, partner, "settlement"),
    "of another partner": lambda platform, partner: _token(platform, "somebody-else"),
    "from the future": lambda platform, partner: _token(platform, partner, age=-timedelta(minutes=5)),
    "not signed": _unsigned,
    "signed by a stranger": _strangers_key,
    "of another issuer": lambda platform, partner: _signed(platform, partner, iss="somebody"),
    "of another type": lambda platform, partner: _signed(platform, partner, typ="JWT"),
    "that lives too long": lambda platform, partner: _signed(platform, partner, exp=2**40),
    "without an id": lambda platform, partner: _signed(platform, partner, jti=""),
}


@pytest.mark.parametrize("how", FORGED)
def test_a_token_that_is_not_ours_is_refused_without_a_hint(
    till: Till, platform: RunningPlatform, opened: Keep, how: str
) -> None:
    bare = opened(channel(platform.sandbox.targets["ledger"], till.partner.kit.leaf))
    refused = Refused.of(lambda: _balance(bare, till, FORGED[how](platform, till.partner.id)))
    assert (refused.code.name, refused.reason) == ("UNAUTHENTICATED", "TOKEN_INVALID")
    assert (
        refused.text
        == "The access token is not valid here. Get a new one from identity's IssueToken, for this service."
    )


def test_a_stolen_token_is_worth_nothing_with_another_certificate(
    till: Till, platform: RunningPlatform, opened: Keep
) -> None:
    thief = till_of(platform)
    theirs = opened(channel(platform.sandbox.targets["ledger"], thief.partner.kit.leaf))
    refused = Refused.of(lambda: _balance(theirs, till, _token(platform, till.partner.id)))
    assert (refused.code.name, refused.reason) == ("UNAUTHENTICATED", "TOKEN_INVALID")


@pytest.mark.parametrize("service", ["identity", "settlement", "ledger"])
def test_a_service_that_is_not_in_the_row_may_not_award(
    till: Till, platform: RunningPlatform, opened: Keep, service: str
) -> None:
    leaf = platform.sandbox.authority.service(service)
    calls = LedgerServiceStub(opened(channel(platform.sandbox.targets["ledger"], leaf)))
    request = pb.AwardPointsRequest(request_id="no matter", grant=till.grant())
    refused = Refused.of(lambda: calls.AwardPoints(request, timeout=SECONDS))
    assert (refused.code.name, refused.reason) == ("PERMISSION_DENIED", "NOT_ALLOWED")
    assert refused.metadata["caller"] == f"service/{service}"
