"""Keys are made once; one that is lost, empty or public is said so in one line, and never replaced in silence."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from services.sandbox.home import Home
from services.sandbox.keys import authority_of, ensure_keys, keys_of
from services.sandbox.refusals import FileDamaged, FileExposed, FileMissing

IRREPLACEABLE = [
    "ca_key",
    "ca_certificate",
    "administrator",
    "token_signing",
    "checkpoint",
    "statement",
    "grants",
    "identity_master",
    "identity_lookup",
    "identity_pairwise",
]


def test_a_new_home_gets_every_key_for_its_owner_alone(home: Home) -> None:
    keys = ensure_keys(home)
    for name in IRREPLACEABLE:
        assert getattr(keys, name).stat().st_mode & 0o077 == 0, name
    assert keys.identity_master.stat().st_size == 32
    assert isinstance(load_pem_public_key(keys.operator_public.read_bytes()), Ed25519PublicKey)
    assert len(list(keys.tokens_folder.glob("*.pem"))) == 1


def test_a_second_time_changes_nothing(home: Home) -> None:
    ensure_keys(home)
    first = {path: path.read_bytes() for path in home.root.rglob("*") if path.is_file()}
    ensure_keys(home)
    assert {path: path.read_bytes() for path in home.root.rglob("*") if path.is_file()} == first


@pytest.mark.parametrize("name", IRREPLACEABLE)
def test_a_lost_key_is_named_and_not_replaced(home: Home, name: str) -> None:
    path = getattr(ensure_keys(home), name)
    path.unlink()
    with pytest.raises(FileMissing, match=f"{path.name} is missing"):
        ensure_keys(home)
    assert not path.exists()


@pytest.mark.parametrize("name", ["ca_key", "ca_certificate"])
def test_a_lost_authority_is_not_founded_again_though_the_list_of_files_is_lost_too(home: Home, name: str) -> None:
    path = getattr(ensure_keys(home), name)
    authority_of(home).operator("local")
    home.inventory.unlink()
    path.unlink()
    for way_in in (ensure_keys, authority_of):
        with pytest.raises(FileMissing, match=f"{path.name} is missing"):
            way_in(home)
    assert not path.exists()


def test_a_key_that_a_newer_version_needs_is_added(home: Home) -> None:
    keys = ensure_keys(home)
    keys.identity_pairwise.unlink()
    home.inventory.write_text(home.inventory.read_text().replace('"identity-pairwise.key",', ""))
    ensure_keys(home)
    assert keys.identity_pairwise.exists()


def test_an_empty_key_is_named(home: Home) -> None:
    ensure_keys(home).identity_master.write_bytes(b"")
    with pytest.raises(FileDamaged, match=r"identity-master\.key"):
        ensure_keys(home)


def test_a_signing_key_that_is_none_is_named(home: Home) -> None:
    ensure_keys(home).statement.write_bytes(b"not a key")
    with pytest.raises(FileDamaged, match=r"statement\.pem does not hold an Ed25519 private key"):
        ensure_keys(home)


def test_a_key_that_others_may_read_is_named(home: Home) -> None:
    path = ensure_keys(home).token_signing
    path.chmod(0o644)
    with pytest.raises(FileExposed) as refused:
        ensure_keys(home)
    assert refused.value.advice == f"If nobody did: chmod 600 {path}"


def test_public_halves_are_made_again(home: Home) -> None:
    public = ensure_keys(home).operator_public
    before = public.read_bytes()
    public.unlink()
    assert ensure_keys(home).operator_public.read_bytes() == before


def test_looking_where_keys_lie_makes_none(home: Home) -> None:
    assert not keys_of(home).ca_key.exists()
