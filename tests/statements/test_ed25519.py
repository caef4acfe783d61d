"""Signatures are verified as RFC 8032 says: its own examples, and agreement with `cryptography` on everything else."""

from __future__ import annotations

import pytest
from coalition.statements.ed25519 import verified
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

# RFC 8032, section 7.1: secret key, public key, message, signature.
EXAMPLES = {
    "TEST 1": (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    "TEST 2": (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    "TEST 3": (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    "TEST SHA(abc)": (
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ),
}
ORDER = 2**252 + 27742317777372353535851937790883648493
PRIME = 2**255 - 19


def by_openssl(key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_of_the_rfc(name: str) -> None:
    secret, key, message, signature = (bytes.fromhex(part) for part in EXAMPLES[name])
    assert Ed25519PrivateKey.from_private_bytes(secret).sign(message) == signature, "the example is copied right"
    assert verified(key, message, signature)
    assert not verified(key, message + b"x", signature)


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200))
@settings(max_examples=20)
def test_what_cryptography_signs_holds(secret: bytes, message: bytes) -> None:
    private = Ed25519PrivateKey.from_private_bytes(secret)
    assert verified(private.public_key().public_bytes_raw(), message, private.sign(message))


@given(st.integers(0, 32 + 64 + 9), st.integers(0, 7), st.binary(min_size=32, max_size=32))
@settings(max_examples=40)
def test_one_changed_bit_anywhere_is_refused_by_both(place: int, bit: int, secret: bytes) -> None:
    private, message = Ed25519PrivateKey.from_private_bytes(secret), b"0123456789"
    whole = bytearray(private.public_key().public_bytes_raw() + private.sign(message) + message)
    whole[place] ^= 1 << bit
    key, signature, content = bytes(whole[:32]), bytes(whole[32:96]), bytes(whole[96:])
    assert not verified(key, content, signature)
    assert not by_openssl(key, content, signature)


def test_a_signature_has_one_spelling() -> None:
    """S + the order of the group would verify, too, if it were not refused: the same signature in other bytes."""
    _, key, message, signature = (bytes.fromhex(part) for part in EXAMPLES["TEST 3"])
    larger = int.from_bytes(signature[32:], "little") + ORDER
    other = signature[:32] + larger.to_bytes(32, "little")
    assert not verified(key, message, other)
    assert not by_openssl(key, message, other)


@pytest.mark.parametrize(
    "key",
    [
        b"",
        bytes(31),
        bytes(33),
        PRIME.to_bytes(32, "little"),
        (PRIME + 1).to_bytes(32, "little"),
        (2).to_bytes(32, "little"),
        (1 | 1 << 255).to_bytes(32, "little"),
        b"\xff" * 32,
    ],
    ids=["empty", "short", "long", "y = p", "y = p + 1", "no such x", "zero with a sign", "all ones"],
)
def test_what_is_no_point_is_no_key(key: bytes) -> None:
    _, good, message, signature = (bytes.fromhex(part) for part in EXAMPLES["TEST 2"])
    assert not verified(key, message, signature)
    assert not verified(good, message, key.ljust(32, b"\x00")[:32] + signature[32:])


@pytest.mark.parametrize("signature", [b"", bytes(63), bytes(65), bytes(64), b"\xff" * 64])
def test_what_is_no_signature_is_refused(signature: bytes) -> None:
    key = bytes.fromhex(EXAMPLES["TEST 2"][1])
    assert not verified(key, b"\x72", signature)
