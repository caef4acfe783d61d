"""Checks the evidence pack of a batch offline: every byte of it, every signature, every sum. Standard library only.

    python -m coalition.statements.pack B42.zip --key operator.pub --checkpoint-key ledger.pub

A pack holds what a batch was made of and what became of it: seals, statements, entries, contract versions, rates of
exchange, the approved content, payment files, what the bank said. The copy of this program in it is for convenience:
whoever doubts the pack brings a program and keys from elsewhere.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from coalition.statements.archive import members_of
from coalition.statements.ed25519 import verified
from coalition.statements.lines import Document, NotVerified
from coalition.statements.verify import canonical, key_id, public_key, verify

MANIFEST = "~manifest.json"
"""Its name sorts behind all others: it is written last, when the hash of each of them is known."""


@dataclass(frozen=True)
class VerifiedPack:
    """What was checked."""

    batch: int
    members: int
    statements: int
    files: int


def verify_pack(pack: BinaryIO, key: bytes, checkpoint_key: bytes | None = None) -> VerifiedPack:
    """Check a pack under raw public keys of 32 bytes. Raises NotVerified, naming the member that is wrong."""
    digests: dict[str, str] = {}
    kept: dict[str, bytes] = {}
    statements = 0
    for name, content in members_of(pack):
        digests[name] = hashlib.sha256(content).hexdigest()
        if "/statements/" in name and name.endswith(".json"):
            _check_statement(name, content, key, checkpoint_key)
            statements += 1
        if name in (MANIFEST, "batch/content.json"):
            kept[name] = content
        if name.endswith("/seal.json"):
            _check_signed(name, content, key)
    manifest = _check_manifest(kept.get(MANIFEST, b""), digests, key)
    files = _check_batch(manifest, kept.get("batch/content.json", b""), digests)
    return VerifiedPack(manifest["batch"], len(digests), statements, files)


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when the pack holds, 1 when it does not, 2 when it cannot be read."""
    parser = argparse.ArgumentParser(prog="coalition.statements.pack", description="Check an evidence pack offline.")
    parser.add_argument("file", type=Path, help="the pack, as ExportPack gave it")
    parser.add_argument("--key", type=Path, required=True, help="PEM of the operator's public key for statements")
    parser.add_argument("--checkpoint-key", type=Path, help="PEM of the ledger's public key for checkpoints")
    options = parser.parse_args(arguments)
    try:
        key = public_key(options.key.read_bytes())
        checkpoint_key = public_key(options.checkpoint_key.read_bytes()) if options.checkpoint_key else None
        with options.file.open("rb") as pack:
            found = verify_pack(pack, key, checkpoint_key)
    except (OSError, ValueError) as error:
        print(f"cannot read: {error}", file=sys.stderr)
        return 2
    except NotVerified as refused:
        print(f"NOT VERIFIED: {refused}", file=sys.stderr)
        return 1
    print(
        f"verified: batch {found.batch}, {found.members} members, {found.statements} statements, "
        f"{found.files} payment files"
    )
    return 0


def _check_statement(name: str, content: bytes, key: bytes, checkpoint_key: bytes | None) -> None:
    try:
        found = verify(content, key, checkpoint_key)
    except NotVerified as refused:
        raise NotVerified(name, str(refused)) from None
    if name != f"windows/{found.window}/statements/{found.partner}.json":
        raise NotVerified(name, "it is another statement than its name says")


def _check_signed(name: str, content: bytes, key: bytes) -> Document:
    """A signed canonical document. Raises NotVerified."""
    try:
        document: Document = json.loads(content)
        signature = document["signature"]
        unsigned = {field: value for field, value in document.items() if field != "signature"}
        whole = canonical(document) == content and signature["key_id"] == key_id(key)
        if not whole or not verified(key, canonical(unsigned), bytes.fromhex(signature["value"])):
            raise NotVerified(name, "its signature does not hold")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NotVerified(name, f"it is no signed document ({type(error).__name__})") from None
    return document


def _check_manifest(content: bytes, digests: dict[str, str], key: bytes) -> Document:
    manifest = _check_signed(MANIFEST, content, key)
    listed = manifest.get("members")
    if not isinstance(listed, dict) or type(manifest.get("batch")) is not int:
        raise NotVerified(MANIFEST, "it does not say what is in the pack")
    for name in sorted(listed.keys() | digests.keys() - {MANIFEST}):
        if name not in digests:
            raise NotVerified(name, "it is missing")
        if name not in listed:
            raise NotVerified(name, "it does not belong to the pack")
        if digests[name] != listed[name]:
            raise NotVerified(name, "its content was changed")
    return manifest


def _check_batch(manifest: Document, content: bytes, digests: dict[str, str]) -> int:
    """What was approved is what was sent: each payment file has the hash that the approved content names."""
    if hashlib.sha256(content).hexdigest() != manifest.get("content_sha256"):
        raise NotVerified("batch/content.json", "it is not the content that was approved")
    document = json.loads(content)
    for msg_id, sha256, *_ in document["files"]:
        if digests.get(f"files/{msg_id}.xml") != sha256:
            raise NotVerified(f"files/{msg_id}.xml", "it is not the file that was approved")
    for number, seal in document["windows"]:
        if seal and digests.get(f"windows/{number}/seal.json") != seal:
            raise NotVerified(f"windows/{number}/seal.json", "it is not the seal that the batch was made on")
    return len(document["files"])


if __name__ == "__main__":
    sys.exit(main())
