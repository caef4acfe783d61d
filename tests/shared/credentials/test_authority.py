"""The development authority and what lies in its folder."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from shared.credentials.authority import Authority, AuthorityMissing, Leaf
from shared.credentials.keys import NotEd25519, load_or_create, load_private, load_public
from tests.shared.home import StillClock


def certificate(leaf: Leaf) -> x509.Certificate:
    return x509.load_pem_x509_certificate(leaf.certificate_file.read_bytes())


def names(leaf: Leaf) -> x509.SubjectAlternativeName:
    return certificate(leaf).extensions.get_extension_for_class(x509.SubjectAlternativeName).value


def test_everything_secret_is_for_the_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "authority"
    authority = Authority.founded(folder)
    authority.service("ledger")
    authority.partner("grocer")
    for path in [folder, *folder.rglob("*")]:
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def test_a_service_leaf_names_the_service_and_its_hosts(tmp_path: Path) -> None:
    found = names(Authority.founded(tmp_path).service("ledger"))
    assert found.get_values_for_type(x509.UniformResourceIdentifier) == ["spiffe://coalition/service/ledger"]
    assert found.get_values_for_type(x509.DNSName) == ["localhost"]
    assert [str(address) for address in found.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]


@pytest.mark.parametrize("path", ["partner/grocer", "operator/anna"])
def test_who_is_no_service_gets_a_leaf_that_cannot_serve(tmp_path: Path, path: str) -> None:
    authority = Authority.founded(tmp_path)
    leaf = authority.partner("grocer") if path.startswith("partner") else authority.operator("anna")
    uses = certificate(leaf).extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(uses) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert [str(name.value) for name in names(leaf)] == [f"spiffe://coalition/{path}"]


def test_asking_again_gives_the_same_leaf(tmp_path: Path) -> None:
    first = certificate(Authority.founded(tmp_path).service("ledger"))
    assert certificate(Authority.founded(tmp_path).service("ledger")) == first


def test_an_authority_is_opened_only_where_one_was_founded(tmp_path: Path) -> None:
    with pytest.raises(AuthorityMissing):
        Authority(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()
    founded = Authority.founded(tmp_path)
    assert Authority(tmp_path).ca_file.read_bytes() == founded.ca_file.read_bytes()


@pytest.mark.parametrize("lost", [["ca.key"], ["ca.pem"], ["ca.key", "ca.pem"]])
def test_a_lost_authority_is_never_replaced_by_another(tmp_path: Path, lost: list[str]) -> None:
    Authority.founded(tmp_path).service("ledger")
    for name in lost:
        (tmp_path / name).unlink()
    before = sorted(tmp_path.rglob("*"))
    for way_in in (Authority, Authority.founded):
        with pytest.raises(AuthorityMissing) as caught:
            way_in(tmp_path)
        assert caught.value.file == tmp_path / lost[0]
    assert sorted(tmp_path.rglob("*")) == before


def test_a_leaf_is_made_anew_when_it_is_old_or_for_other_hosts_or_not_ours(tmp_path: Path) -> None:
    clock = StillClock(datetime.now(UTC))
    authority = Authority.founded(tmp_path / "a", clock)
    first = certificate(authority.service("ledger"))
    assert certificate(authority.service("ledger", ["ledger.svc", "::1"])) != first
    second = certificate(authority.service("ledger"))
    clock.instant += timedelta(days=61)
    third = certificate(authority.service("ledger"))
    assert third != second
    stranger = Authority.founded(tmp_path / "b", clock).service("ledger")
    leaf = authority.service("ledger")
    leaf.certificate_file.write_bytes(stranger.certificate_file.read_bytes())
    leaf.key_file.write_bytes(stranger.key_file.read_bytes())
    assert certificate(authority.service("ledger")) != certificate(stranger)


@pytest.mark.parametrize("name", ["", "x", "../../root", "Anna", "a b", "a" * 64, "anna\n"])
def test_what_cannot_name_a_caller_gets_no_leaf(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="cannot name"):
        Authority.founded(tmp_path).partner(name)


def test_signing_keys_are_made_once(tmp_path: Path) -> None:
    path = tmp_path / "private" / "signing.pem"
    key = load_or_create(path)
    assert load_or_create(path).private_bytes_raw() == key.private_bytes_raw() == load_private(path).private_bytes_raw()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    leaf = Authority.founded(tmp_path).service("ledger")
    with pytest.raises(NotEd25519):
        load_private(leaf.key_file)
    with pytest.raises(ValueError, match="PEM"):
        load_public(leaf.key_file)
