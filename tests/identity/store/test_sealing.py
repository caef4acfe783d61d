"""What is sealed opens for its member and its purpose, under the keys we have, and not otherwise."""

from __future__ import annotations

import secrets
import time
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity.domain.identifiers import Identifier, IdentifierType
from services.identity.store.lookup import Lookup
from services.identity.store.sealing import Purpose, SealBroken, Vault
from services.identity.store.secrets import Secrets

ANNA, BERT = uuid.uuid4(), uuid.uuid4()
OLD, NEW = secrets.token_bytes(32), secrets.token_bytes(32)
VAULT = Vault([OLD], secrets.token_bytes)


@given(st.binary(max_size=300))
def test_what_is_sealed_opens_again_and_hides_its_content(plain: bytes) -> None:
    key, wrapped = VAULT.fresh_key(ANNA)
    sealed = key.seal(Purpose.PROFILE, plain)
    assert VAULT.unwrapped(ANNA, wrapped).opened(Purpose.PROFILE, sealed) == plain
    assert len(plain) < 4 or plain not in sealed
    assert key.seal(Purpose.PROFILE, plain) != sealed


def test_a_value_opens_for_no_other_purpose_member_or_key() -> None:
    key, wrapped = VAULT.fresh_key(ANNA)
    sealed = key.seal(Purpose.PROFILE, b"Anna")
    with pytest.raises(SealBroken):
        key.opened(Purpose.IDENTIFIER, sealed)
    with pytest.raises(SealBroken):
        VAULT.fresh_key(ANNA)[0].opened(Purpose.PROFILE, sealed)
    with pytest.raises(SealBroken):
        VAULT.unwrapped(BERT, wrapped)


def test_one_changed_byte_does_not_open() -> None:
    key, wrapped = VAULT.fresh_key(ANNA)
    sealed = key.seal(Purpose.PROFILE, b"Anna")
    for place in range(len(sealed)):
        with pytest.raises(SealBroken):
            key.opened(Purpose.PROFILE, sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :])
    for place in range(len(wrapped)):
        with pytest.raises(SealBroken):
            VAULT.unwrapped(ANNA, wrapped[:place] + bytes([wrapped[place] ^ 1]) + wrapped[place + 1 :])


def test_a_rotation_of_the_master_key_overlaps() -> None:
    key, wrapped = VAULT.fresh_key(ANNA)
    sealed = key.seal(Purpose.PROFILE, b"Anna")
    rotated = Vault([NEW, OLD], secrets.token_bytes)
    assert rotated.unwrapped(ANNA, wrapped).opened(Purpose.PROFILE, sealed) == b"Anna"
    with pytest.raises(SealBroken):
        VAULT.unwrapped(BERT, rotated.fresh_key(BERT)[1])


def test_hashes_depend_on_the_key_the_type_and_the_value() -> None:
    card, email = Identifier(IdentifierType.CARD, "A1234"), Identifier(IdentifierType.EMAIL, "A1234")
    hashes = {Lookup(key).of(item) for key in (OLD, NEW) for item in (card, email)}
    assert len(hashes) == 4
    assert Lookup(OLD).of(card) == Lookup(OLD).of(Identifier(IdentifierType.CARD, "A1234"))


def test_a_secret_fits_its_hash_and_nothing_fits_nothing() -> None:
    kept = Secrets(secrets.token_bytes)
    secret = kept.fresh()
    hashed = kept.hash_of(secret)
    assert len(secret) == 43
    assert hashed.startswith("$argon2id$")
    assert kept.fits(secret, hashed)
    assert not kept.fits(kept.fresh(), hashed)
    assert not kept.fits(secret, None)
    assert not kept.fits(secret, "no hash at all")


def test_a_credential_that_does_not_exist_takes_as_long_as_a_wrong_secret() -> None:
    kept = Secrets(secrets.token_bytes)
    hashed = kept.hash_of(kept.fresh())

    def seconds(secret_hash: str | None) -> float:
        started = time.thread_time()  # the work itself: a busy machine makes no difference
        assert not kept.fits("wrong", secret_hash)
        return time.thread_time() - started

    pairs = [(seconds(hashed), seconds(None)) for _ in range(30)]
    assert min(known for known, _ in pairs) / min(unknown for _, unknown in pairs) == pytest.approx(1, abs=0.5)
