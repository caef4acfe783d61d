"""A pack's bytes follow from its members alone, and nothing in it can be changed, added, taken out or reordered."""

from __future__ import annotations

import ast
import io
import json
import subprocess
import sys
import zipfile
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from coalition.statements.archive import archived, members_of
from coalition.statements.lines import NotVerified
from coalition.statements.onefile import source
from coalition.statements.pack import MANIFEST, main, verify_pack
from hypothesis import given
from hypothesis import strategies as st

from shared.canonical import Canonical, canonical
from tests.settlement.reckoning import PUBLIC_KEY, SIGNER
from tests.statements.every_byte import Keys, missed, within

Members = dict[str, bytes]
names = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=20)


def packed(members: Members) -> bytes:
    return b"".join(archived(sorted(members.items())))


def signed(document: dict[str, Canonical]) -> bytes:
    signature = {"key_id": SIGNER.key_id, "value": SIGNER.sign(canonical(document)).hex()}
    return canonical({**document, "signature": signature})


def example(change: Callable[[Members], object] = lambda _: None) -> bytes:
    """A small pack; `change` is made before the manifest is written."""
    file = b"<Document/>"
    seal = signed({"window": 1})
    content = canonical(
        {"files": [["B1-R1-F1", sha256(file).hexdigest(), "EUR", 1, 1]], "windows": [[1, sha256(seal).hexdigest()]]}
    )
    members = {"batch/content.json": content, "files/B1-R1-F1.xml": file, "windows/1/seal.json": seal}
    change(members)
    digests: dict[str, Canonical] = {name: sha256(one).hexdigest() for name, one in members.items()}
    digest = sha256(members["batch/content.json"]).hexdigest()
    manifest: dict[str, Canonical] = {"batch": 1, "content_sha256": digest, "members": digests, "v": 1}
    return packed({**members, MANIFEST: signed(manifest)})


def where(pack: bytes) -> str:
    with pytest.raises(NotVerified) as refused:
        verify_pack(io.BytesIO(pack), PUBLIC_KEY)
    return refused.value.where


def test_any_unzip_opens_it() -> None:
    with zipfile.ZipFile(io.BytesIO(example())) as opened:
        assert opened.testzip() is None
        assert opened.read("files/B1-R1-F1.xml") == b"<Document/>"


@given(st.dictionaries(names, st.binary(max_size=50), max_size=6))
def test_what_goes_in_comes_out_and_the_same_members_give_the_same_bytes(members: Members) -> None:
    once = packed(members)
    assert dict(members_of(io.BytesIO(once))) == members
    assert packed(dict(reversed(members.items()))) == once


def test_every_single_changed_byte_is_refused_and_its_file_is_named() -> None:
    pack = example()
    assert verify_pack(io.BytesIO(pack), PUBLIC_KEY).files == 1
    assert set(within(pack).values()) == set(dict(members_of(io.BytesIO(pack))))
    assert missed(pack, Keys(PUBLIC_KEY), range(len(pack))) == []


def test_every_truncation_is_refused() -> None:
    pack = example()
    for size in range(len(pack)):
        assert where(pack[:size])
    assert where(pack + b"\x00")


def test_a_changed_member_is_named() -> None:
    members = dict(members_of(io.BytesIO(example())))
    assert where(packed({**members, "files/B1-R1-F1.xml": b"<Document />"})) == "files/B1-R1-F1.xml"
    assert where(packed({**members, "zz": b""})) == "zz"
    assert where(packed({name: one for name, one in members.items() if "seal" not in name})) == "windows/1/seal.json"


def test_what_was_sent_is_what_was_approved_even_for_who_holds_the_key() -> None:
    assert where(example(lambda it: it.update({"files/B1-R1-F1.xml": b"<Other/>"}))) == "files/B1-R1-F1.xml"
    assert where(example(lambda it: it.update({"windows/1/seal.json": signed({"window": 2})}))) == "windows/1/seal.json"
    assert where(example(lambda it: it.update({"windows/1/seal.json": b"{}"}))) == "windows/1/seal.json"


def test_another_key_is_refused() -> None:
    with pytest.raises(NotVerified):
        verify_pack(io.BytesIO(example()), bytes(32))


def test_the_checker_in_one_file_defines_nothing_twice_and_imports_nothing_of_ours() -> None:
    tree = ast.parse(source())
    defined = [one.name for one in tree.body if isinstance(one, ast.FunctionDef | ast.ClassDef)]
    defined += [
        target.id
        for one in tree.body
        if isinstance(one, ast.Assign)
        for target in one.targets
        if isinstance(target, ast.Name)
    ]
    assert len(defined) == len(set(defined))
    modules = {one.module for one in ast.walk(tree) if isinstance(one, ast.ImportFrom)}
    assert not {module for module in modules if module and module.startswith("coalition")}
    assert source() == source()


def test_the_checker_in_one_file_says_yes_and_no_without_any_package(tmp_path: Path) -> None:
    (tmp_path / "verify.py").write_bytes(source())
    (tmp_path / "key.pem").write_text(_pem(PUBLIC_KEY))
    pack = example()
    for content, code in ((pack, 0), (pack[:-1], 1)):
        (tmp_path / "B1.zip").write_bytes(content)
        command = [sys.executable, "-I", "verify.py", "B1.zip", "--key", "key.pem"]
        ran = subprocess.run(command, cwd=tmp_path, env={}, capture_output=True, text=True, timeout=60)
        assert ran.returncode == code, ran.stderr
        assert ("verified: batch 1" in ran.stdout) is (code == 0)


def test_what_cannot_be_read_is_another_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "nothing.zip"), "--key", str(tmp_path / "nothing.pem")]) == 2
    assert "cannot read" in capsys.readouterr().err


def test_a_manifest_that_lists_nothing_is_refused() -> None:
    content = json.dumps({"members": []}).encode()
    assert where(packed({MANIFEST: content})) == MANIFEST


def _pem(raw: bytes) -> str:
    der = bytes.fromhex("302a300506032b6570032100") + raw
    return f"-----BEGIN PUBLIC KEY-----\n{b64encode(der).decode()}\n-----END PUBLIC KEY-----\n"
