"""Checks a statement offline: its arithmetic, its tree, its sums and its signatures. Standard library only.

    python -m coalition.statements.verify statement.json --key operator.pub --checkpoint-key ledger.pub

A statement that does not hold is refused with the first place that is wrong. The keys are PEM files that the operator
of the programme publishes; without the ledger's key the checkpoints' signatures are not looked at, and the answer
says so.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from coalition.statements.ed25519 import verified
from coalition.statements.lines import Document, check_lines, check_nets
from coalition.statements.lines import NotVerified as NotVerified

_SPKI_ED25519 = bytes.fromhex("302a300506032b6570032100")


@dataclass(frozen=True)
class Verified:
    """What was checked. `checkpoints` is the number of the ledger's signatures that were checked."""

    partner: str
    window: int
    lines: int
    net: dict[str, str]
    checkpoints: int


def verify(content: bytes, key: bytes, checkpoint_key: bytes | None = None) -> Verified:
    """Check the bytes of a statement (canonical JSON) under raw public keys of 32 bytes. Raises NotVerified."""
    document = _parsed(content)
    try:
        check_lines(document["lines"], document["partner"])
        _check_tree(document)
        _check_window(document)
        net = check_nets(document["nets"], document["lines"], document["partner"])
        _check_signature(document, key)
        checkpoints = _check_checkpoints(document, checkpoint_key)
        return Verified(document["partner"], document["window"], len(document["lines"]), net, checkpoints)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NotVerified("document", f"it is not a statement of version 1 ({type(error).__name__}: {error})") from None


def public_key(pem: bytes) -> bytes:
    """The raw Ed25519 key in a PEM file. Raises ValueError."""
    body = b"".join(line for line in pem.splitlines() if not line.startswith(b"-----"))
    der = base64.b64decode(body, validate=True)
    if len(der) != 44 or not der.startswith(_SPKI_ED25519):
        raise ValueError("the file holds no Ed25519 public key")
    return der[12:]


def canonical(value: object) -> bytes:
    """Sorted keys, no blanks, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def root(leaves: Sequence[bytes]) -> bytes:
    """The Merkle root of RFC 6962 over the bytes of leaves."""
    level = [hashlib.sha256(b"\x00" + leaf).digest() for leaf in leaves]
    if not level:
        return hashlib.sha256(b"").digest()
    while len(level) > 1:
        pairs = [hashlib.sha256(b"\x01" + a + b).digest() for a, b in zip(level[::2], level[1::2], strict=False)]
        level = pairs + level[len(pairs) * 2 :]
    return level[0]


def entries_root(entries: Sequence[tuple[int, int, int, bytes]]) -> bytes:
    """The root of a line over your own entries (bucket, seq, signed points, hash), in (bucket, seq) order."""
    return root(
        [
            canonical({"bucket": b, "hash": hash_.hex(), "points": points, "seq": seq})
            for b, seq, points, hash_ in entries
        ]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when the statement holds, 1 when it does not, 2 when it cannot be read."""
    parser = argparse.ArgumentParser(prog="coalition.statements.verify", description="Check a statement offline.")
    parser.add_argument("file", type=Path, help="the statement: canonical JSON as GetStatement gave it")
    parser.add_argument("--key", type=Path, required=True, help="PEM of the operator's public key for statements")
    parser.add_argument("--checkpoint-key", type=Path, help="PEM of the ledger's public key for checkpoints")
    options = parser.parse_args(arguments)
    try:
        content, key = options.file.read_bytes(), public_key(options.key.read_bytes())
        checkpoint_key = public_key(options.checkpoint_key.read_bytes()) if options.checkpoint_key else None
    except (OSError, ValueError) as error:
        print(f"cannot read: {error}", file=sys.stderr)
        return 2
    try:
        found = verify(content, key, checkpoint_key)
    except NotVerified as refused:
        print(f"NOT VERIFIED: {refused}", file=sys.stderr)
        return 1
    print(sentence(found))
    return 0


def sentence(found: Verified) -> str:
    """What was verified, for people."""
    nets = ", ".join(f"{amount} {currency}" for currency, amount in sorted(found.net.items())) or "0"
    checkpoints = f"{found.checkpoints} checkpoints signed" if found.checkpoints else "checkpoints not checked"
    return f"verified: {found.partner}, window {found.window}, {found.lines} lines, net {nets}, {checkpoints}"


def _parsed(content: bytes) -> Document:
    try:
        document = json.loads(content, parse_float=_not_whole, parse_constant=_not_whole)
        written = canonical(document)
    except (ValueError, RecursionError) as error:
        raise NotVerified("document", f"it is not JSON ({error})") from None
    if not isinstance(document, dict) or document.get("v") != 1:
        raise NotVerified("document", "it is not a statement of version 1")
    if written != content:
        raise NotVerified("document", "it is not written canonically: keep the bytes as they were sent")
    return document


def _not_whole(text: str) -> object:
    raise ValueError(f"{text} is not a whole number")


def _check_tree(document: Document) -> None:
    if root([canonical(line) for line in document["lines"]]).hex() != document["lines_root"]:
        raise NotVerified("lines_root", "it is not the root over the lines")


def _check_window(document: Document) -> None:
    if "to_checkpoint" not in document or ("from_checkpoint" in document) != (document["window"] > 1):
        raise NotVerified("window", "it does not say between which checkpoints it lies")


def _check_signature(document: Document, key: bytes) -> None:
    signature = document["signature"]
    unsigned = {name: value for name, value in document.items() if name != "signature"}
    if signature["key_id"] != key_id(key):
        raise NotVerified("signature", "it was made with another key than the one given")
    value = bytes.fromhex(signature["value"])
    # Written in one way only: nothing signs the signature's own spelling.
    if signature != {"key_id": key_id(key), "value": value.hex()} or not verified(key, canonical(unsigned), value):
        raise NotVerified("signature", "it does not hold: the document is not the one that was signed")


def _check_checkpoints(document: Document, key: bytes | None) -> int:
    edges = [document[name] for name in ("from_checkpoint", "to_checkpoint") if name in document]
    if len(edges) == 2 and not edges[0]["number"] < edges[1]["number"]:
        raise NotVerified("to_checkpoint", "it is not after from_checkpoint")
    if key is None:
        return 0
    for edge in edges:
        form = {name: edge[name] for name in ("created_at", "entry_count", "number", "root")}
        signatures = [(edge["signature"], form | {"v": 1})]
        if "tree_root" in edge or "tree_signature" in edge:
            signatures.append((edge["tree_signature"], form | {"tree_root": edge["tree_root"], "v": 2}))
        for signature, signed in signatures:
            if edge["key_id"] != key_id(key) or not verified(key, canonical(signed), bytes.fromhex(signature)):
                raise NotVerified(f"checkpoint {edge['number']}", "its signature does not hold")
    return len(edges)


def key_id(key: bytes) -> str:
    """The JWK thumbprint of RFC 7638."""
    x = base64.urlsafe_b64encode(key).rstrip(b"=").decode()
    jwk = json.dumps({"crv": "Ed25519", "kty": "OKP", "x": x}, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(hashlib.sha256(jwk).digest()).rstrip(b"=").decode()


if __name__ == "__main__":
    sys.exit(main())
