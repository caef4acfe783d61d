"""Checks offline what the ledger proves: that your entry lies under a signed checkpoint, that the journal only grew.

    proof = coalition.inclusion_proof(entry)            # today, or years after the entry was posted
    verify_inclusion(proof, ledger_key, entry)          # entry: the answer you kept, or Receipt(name, hash)

Nothing but the standard library. A proof is a message of `coalition.ledger.v1`, or anything with its fields. The key
are the 32 bytes of the ledger's public key for checkpoints: `verify.public_key` reads them from its PEM file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from coalition.statements.ed25519 import verified
from coalition.statements.trees import is_consistent, is_included, leaf_hash
from coalition.statements.verify import NotVerified, canonical, key_id, root

_NAME = re.compile(r"checkpoints/([1-9][0-9]{0,17})")


class Instant(Protocol):
    """As google.protobuf.Timestamp."""

    @property
    def seconds(self) -> int: ...
    @property
    def nanos(self) -> int: ...


class Head(Protocol):
    """As coalition.ledger.v1.Head."""

    @property
    def bucket(self) -> int: ...
    @property
    def seq(self) -> int: ...
    @property
    def hash(self) -> bytes: ...
    @property
    def tree_root(self) -> bytes: ...


class Checkpoint(Protocol):
    """As coalition.ledger.v1.Checkpoint."""

    @property
    def name(self) -> str: ...
    @property
    def heads(self) -> Sequence[Head]: ...
    @property
    def root(self) -> bytes: ...
    @property
    def entry_count(self) -> int: ...
    @property
    def create_time(self) -> Instant: ...
    @property
    def signature(self) -> bytes: ...
    @property
    def key_id(self) -> str: ...
    @property
    def tree_root(self) -> bytes: ...
    @property
    def tree_signature(self) -> bytes: ...


class InclusionProof(Protocol):
    """As coalition.ledger.v1.InclusionProof."""

    @property
    def entry(self) -> str: ...
    @property
    def hash(self) -> bytes: ...
    @property
    def leaf_index(self) -> int: ...
    @property
    def tree_size(self) -> int: ...
    @property
    def path(self) -> Sequence[bytes]: ...
    @property
    def bucket(self) -> int: ...
    @property
    def bucket_root(self) -> bytes: ...
    @property
    def bucket_count(self) -> int: ...
    @property
    def bucket_path(self) -> Sequence[bytes]: ...
    @property
    def checkpoint(self) -> Checkpoint: ...


class BucketConsistency(Protocol):
    """As coalition.ledger.v1.BucketConsistency."""

    @property
    def bucket(self) -> int: ...
    @property
    def path(self) -> Sequence[bytes]: ...


class ConsistencyProof(Protocol):
    """As coalition.ledger.v1.ConsistencyProof."""

    @property
    def from_checkpoint(self) -> Checkpoint: ...
    @property
    def to_checkpoint(self) -> Checkpoint: ...
    @property
    def buckets(self) -> Sequence[BucketConsistency]: ...


class Posted(Protocol):
    """What you kept of an entry: its message, or a Receipt."""

    @property
    def name(self) -> str: ...
    @property
    def hash(self) -> bytes: ...


@dataclass(frozen=True)
class Receipt:
    """The least to keep of an entry: what it is called, and the hash that the ledger answered with."""

    name: str
    hash: bytes


@dataclass(frozen=True)
class Signed:
    """A checkpoint that holds: its number, when it was taken in microseconds since 1970, the entries under it."""

    number: int
    created_at: int
    entry_count: int


def verify_inclusion(proof: InclusionProof, key: bytes, entry: Posted) -> Signed:
    """That this entry of yours lies, as you know it, under the proof's checkpoint. Raises NotVerified."""
    if proof.entry != entry.name or proof.hash != entry.hash:
        raise NotVerified("entry", "the proof is about another entry than the one that you were given")
    if not entry.name.endswith(f"/entries/{proof.bucket}-{proof.leaf_index + 1}"):
        raise NotVerified("entry", "it does not stand where its name says")
    _check_hashes([proof.hash, proof.bucket_root, *proof.path, *proof.bucket_path])
    leaf = leaf_hash(proof.hash)
    if not is_included(leaf, proof.leaf_index, proof.tree_size, proof.path, proof.bucket_root):
        raise NotVerified("path", "it does not lead from the entry to the bucket's root")
    bucket = leaf_hash(_bucket_leaf(proof.bucket, proof.bucket_root, proof.tree_size))
    top = proof.checkpoint.tree_root
    if not is_included(bucket, proof.bucket, proof.bucket_count, proof.bucket_path, top):
        raise NotVerified("bucket_path", "it does not lead from the bucket to what was signed")
    return _signed("checkpoint", proof.checkpoint, key)


def verify_consistency(proof: ConsistencyProof, key: bytes) -> tuple[Signed, Signed]:
    """That each bucket of the younger checkpoint begins with all that the older one covers. Raises NotVerified."""
    older, younger = proof.from_checkpoint, proof.to_checkpoint
    signed = _signed("from_checkpoint", older, key), _signed("to_checkpoint", younger, key)
    _check_heads("from_checkpoint", older)
    _check_heads("to_checkpoint", younger)
    if signed[0].number > signed[1].number:
        raise NotVerified("to_checkpoint", "it is older than from_checkpoint")
    buckets = [one.bucket for one in proof.buckets]
    if not buckets == [head.bucket for head in older.heads] == [head.bucket for head in younger.heads]:
        raise NotVerified("buckets", "there is not one path for each bucket of both checkpoints")
    for before, after, one in zip(older.heads, younger.heads, proof.buckets, strict=True):
        _check_hashes([before.tree_root, after.tree_root, *one.path])
        if not is_consistent(before.seq, after.seq, before.tree_root, after.tree_root, one.path):
            raise NotVerified(f"bucket {one.bucket}", "it does not go on where it ended")
    return signed


def _signed(where: str, checkpoint: Checkpoint, key: bytes) -> Signed:
    """Raises NotVerified for one that the key has not signed, or not with its trees."""
    numbered = _NAME.fullmatch(checkpoint.name)
    if not numbered:
        raise NotVerified(where, "it has no number")
    found = Signed(int(numbered[1]), _micros(where, checkpoint.create_time), checkpoint.entry_count)
    form = {"created_at": found.created_at, "entry_count": found.entry_count, "number": found.number}
    heads = form | {"root": checkpoint.root.hex(), "v": 1}
    trees = form | {"root": checkpoint.root.hex(), "tree_root": checkpoint.tree_root.hex(), "v": 2}
    if checkpoint.key_id != key_id(key):
        raise NotVerified(where, "it was signed with another key than the one given")
    for signed, signature in ((heads, checkpoint.signature), (trees, checkpoint.tree_signature)):
        if not verified(key, canonical(signed), signature):
            raise NotVerified(where, "its signature does not hold")
    return found


def _check_heads(where: str, checkpoint: Checkpoint) -> None:
    heads = checkpoint.heads
    if [head.bucket for head in heads] != list(range(len(heads))):
        raise NotVerified(where, "its heads are not those of all buckets")
    plain = [canonical({"bucket": head.bucket, "hash": head.hash.hex(), "seq": head.seq}) for head in heads]
    trees = [_bucket_leaf(head.bucket, head.tree_root, head.seq) for head in heads]
    if (root(plain), root(trees)) != (checkpoint.root, checkpoint.tree_root):
        raise NotVerified(where, "what is signed does not follow from its heads")
    if sum(head.seq for head in heads) != checkpoint.entry_count:
        raise NotVerified(where, "its count of entries is not the sum of its heads")


def _bucket_leaf(bucket: int, bucket_root: bytes, size: int) -> bytes:
    return canonical({"bucket": bucket, "root": bucket_root.hex(), "seq": size})


def _check_hashes(hashes: Iterable[bytes]) -> None:
    if any(len(hash_) != 32 for hash_ in hashes):
        raise NotVerified("path", "not every hash of it is one")


def _micros(where: str, at: Instant) -> int:
    if at.nanos % 1000:
        raise NotVerified(where, "it was taken between two microseconds")
    return at.seconds * 1_000_000 + at.nanos // 1000
