"""The lock can be installed by anybody: it names the public index and nothing of the machine that wrote it."""

import tomllib
from collections.abc import Iterator
from urllib.parse import urlsplit

from tests.architecture.sources import ROOT

PUBLIC = {"pypi.org", "files.pythonhosted.org"}


def strings(value: object) -> Iterator[str]:
    """All strings in a TOML document."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)


LOCK = tomllib.loads((ROOT / "uv.lock").read_text())


def test_every_address_is_public() -> None:
    assert {urlsplit(text).hostname for text in strings(LOCK) if "://" in text} <= PUBLIC


def test_only_our_own_two_projects_come_from_a_path() -> None:
    paths = {inner for package in LOCK["package"] for kind, inner in package["source"].items() if kind != "registry"}
    assert paths == {".", "protos"}


def test_nothing_pins_grpcio_exactly() -> None:
    """Such a package could pull the runtime below the generator of our stubs, and every import would fail."""
    version = next(package["version"] for package in LOCK["package"] if package["name"] == "grpcio")
    assert tuple(map(int, version.split("."))) >= (1, 85, 1)
