"""A kit is one folder; what is wrong with it is said before anything is sent."""

import json
from pathlib import Path

import pytest
from coalition.client import Kit, KitUnusable, connect

from tests.client.house import House


def test_a_kit_is_loaded_from_its_folder(house: House) -> None:
    kit = Kit.load(house.kit)
    assert (kit.partner, kit.secret) == ("grocer", "the secret")
    assert set(kit.targets) == {"identity", "ledger", "catalogue", "settlement"}


def test_a_kit_does_not_show_its_secrets_in_a_log(house: House) -> None:
    kit = Kit.load(house.kit)
    assert "secret" not in repr(kit)
    assert "PRIVATE KEY" not in repr(kit)


@pytest.mark.parametrize("missing", ["ca.pem", "tls.pem", "tls.key", "secret", "credential.json"])
def test_a_missing_file_is_named(house: House, missing: str) -> None:
    (house.kit / missing).unlink()
    with pytest.raises(KitUnusable, match=missing):
        connect(house.kit)


def test_an_empty_file_is_named(house: House) -> None:
    (house.kit / "tls.key").write_bytes(b"")
    with pytest.raises(KitUnusable, match=r"tls\.key is empty"):
        Kit.load(house.kit)


@pytest.mark.parametrize("content", ["no json", "[]", '{"partner": "grocer"}', '{"partner": 1, "credential": "c"}'])
def test_a_credential_file_of_another_kind_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "credential.json").write_text(content)
    with pytest.raises(KitUnusable, match=r"credential\.json"):
        Kit.load(tmp_path)


def test_a_service_without_an_address_is_named(house: House) -> None:
    file = house.kit / "credential.json"
    content = json.loads(file.read_text())
    del content["targets"]["settlement"]
    file.write_text(json.dumps(content))
    with pytest.raises(KitUnusable, match="settlement"):
        Kit.load(house.kit)
