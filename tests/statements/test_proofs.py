"""A proof is checked offline: it holds for the entry that was given out, and for nothing that was changed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest
from coalition.ledger.v1 import ledger_pb2 as pb
from coalition.statements import proofs, trees
from coalition.statements.proofs import Receipt, Signed, verify_consistency, verify_inclusion
from coalition.statements.verify import NotVerified
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from services.ledger.api.answers import checkpoint_pb
from services.ledger.domain.apply import Head
from services.ledger.domain.checkpoint import (
    Checkpoint,
    bucket_leaves,
    heads_root,
    signed_form,
    signed_tree_form,
)
from shared import merkle
from shared.credentials.keys import key_id
from shared.merkle import consistency_path, inclusion_path, leaf_hash, root

KEY = Ed25519PrivateKey.from_private_bytes(b"ledger".ljust(32))
PUBLIC = KEY.public_key().public_bytes_raw()
STRANGER = Ed25519PrivateKey.from_private_bytes(b"stranger".ljust(32)).public_key().public_bytes_raw()

OLDER, YOUNGER = (6, 0, 3, 5, 0), (13, 0, 3, 8, 2)
"""Entries of the buckets at two checkpoints."""

ENTRY = Receipt("partners/acorn/entries/0-6", sha256(b"0-6").digest())


def hashes(bucket: int, size: int) -> list[bytes]:
    return [sha256(f"{bucket}-{seq}".encode()).digest() for seq in range(1, size + 1)]


@cache
def checkpoint(number: int, sizes: tuple[int, ...]) -> Checkpoint:
    entries = [hashes(bucket, size) for bucket, size in enumerate(sizes)]
    heads = tuple(Head(b, len(own), own[-1] if own else bytes(32)) for b, own in enumerate(entries))
    tops = tuple(root([leaf_hash(hash_) for hash_ in own]) for own in entries)
    top, tree, count, at = heads_root(heads), root(bucket_leaves(heads, tops)), sum(sizes), 1_774_000_000_123_456
    signatures = KEY.sign(signed_form(number, top, count, at)), KEY.sign(signed_tree_form(number, top, tree, count, at))
    name = key_id(KEY.public_key())
    return Checkpoint(number, heads, top, count, at, signatures[0], name, tops, tree, signatures[1])


def inclusion(bucket: int = 0, seq: int = 6, taken: Checkpoint | None = None) -> pb.InclusionProof:
    taken = taken or checkpoint(2, YOUNGER)
    size = taken.heads[bucket].seq
    signed = checkpoint_pb(taken)
    del signed.heads[:]
    return pb.InclusionProof(
        entry=f"partners/acorn/entries/{bucket}-{seq}",
        hash=hashes(bucket, seq)[-1],
        leaf_index=seq - 1,
        tree_size=size,
        path=inclusion_path([leaf_hash(hash_) for hash_ in hashes(bucket, size)], seq - 1),
        bucket=bucket,
        bucket_root=taken.tree_roots[bucket],
        bucket_count=len(taken.heads),
        bucket_path=inclusion_path(bucket_leaves(taken.heads, taken.tree_roots), bucket),
        checkpoint=signed,
    )


def consistency(older: Checkpoint | None = None, younger: Checkpoint | None = None) -> pb.ConsistencyProof:
    older, younger = older or checkpoint(1, OLDER), younger or checkpoint(2, YOUNGER)
    return pb.ConsistencyProof(
        from_checkpoint=checkpoint_pb(older),
        to_checkpoint=checkpoint_pb(younger),
        buckets=[
            pb.BucketConsistency(
                bucket=after.bucket,
                path=consistency_path([leaf_hash(hash_) for hash_ in hashes(after.bucket, after.seq)], before.seq),
            )
            for before, after in zip(older.heads, younger.heads, strict=True)
        ],
    )


def test_every_entry_is_proven_under_every_checkpoint_that_covers_it() -> None:
    for number, sizes in ((1, OLDER), (2, YOUNGER)):
        for bucket, size in enumerate(sizes):
            for seq in range(1, size + 1):
                entry = Receipt(f"partners/acorn/entries/{bucket}-{seq}", hashes(bucket, seq)[-1])
                proof = inclusion(bucket, seq, checkpoint(number, sizes))
                assert verify_inclusion(proof, PUBLIC, entry) == Signed(number, 1_774_000_000_123_456, sum(sizes))


def test_the_message_that_was_kept_is_receipt_enough() -> None:
    kept = pb.Entry(name=ENTRY.name, hash=ENTRY.hash, points=120)
    assert verify_inclusion(inclusion(), PUBLIC, kept).number == 2


def change(field: str, value: object) -> Callable[[pb.InclusionProof], object]:
    return lambda proof: setattr(proof, field, value)


CHANGED: dict[str, tuple[Callable[[pb.InclusionProof], object], str]] = {
    "another entry": (change("entry", "partners/acorn/entries/0-7"), "entry"),
    "another hash": (change("hash", bytes(32)), "entry"),
    "another place": (change("leaf_index", 4), "entry"),
    "another bucket": (change("bucket", 1), "entry"),
    "another size of the same shape": (change("tree_size", 12), "bucket_path"),
    "a size that its path does not fit": (change("tree_size", 99), "path"),
    "no size": (change("tree_size", 0), "path"),
    "another root of the bucket": (change("bucket_root", bytes(32)), "path"),
    "a hash too short": (change("bucket_root", b"x"), "path"),
    "a hash of the path": (lambda proof: proof.path.__setitem__(1, bytes(32)), "path"),
    "a hash less": (lambda proof: proof.path.pop(), "path"),
    "a hash more": (lambda proof: proof.path.append(bytes(32)), "path"),
    "a path of nothing": (lambda proof: proof.path.__setitem__(0, b""), "path"),
    "a hash of the upper path": (lambda proof: proof.bucket_path.__setitem__(0, bytes(32)), "bucket_path"),
    "a hash less above": (lambda proof: proof.bucket_path.pop(), "bucket_path"),
    "too few buckets": (change("bucket_count", 0), "bucket_path"),
    "another tree root": (lambda proof: setattr(proof.checkpoint, "tree_root", bytes(32)), "bucket_path"),
    "another checkpoint": (lambda proof: setattr(proof.checkpoint, "name", "checkpoints/3"), "checkpoint"),
    "no number": (lambda proof: setattr(proof.checkpoint, "name", "checkpoints/02"), "checkpoint"),
    "a long number": (lambda proof: setattr(proof.checkpoint, "name", "checkpoints/" + "9" * 5_000), "checkpoint"),
    "another root of heads": (lambda proof: setattr(proof.checkpoint, "root", bytes(32)), "checkpoint"),
    "another count": (lambda proof: setattr(proof.checkpoint, "entry_count", 1), "checkpoint"),
    "a later second": (lambda proof: setattr(proof.checkpoint.create_time, "seconds", 1), "checkpoint"),
    "a later nanosecond": (lambda proof: setattr(proof.checkpoint.create_time, "nanos", 123_456_001), "checkpoint"),
    "another key": (lambda proof: setattr(proof.checkpoint, "key_id", "x"), "checkpoint"),
    "another signature": (lambda proof: setattr(proof.checkpoint, "signature", bytes(64)), "checkpoint"),
    "no signature of trees": (lambda proof: setattr(proof.checkpoint, "tree_signature", b""), "checkpoint"),
    "the other signature": (
        lambda proof: setattr(proof.checkpoint, "tree_signature", proof.checkpoint.signature),
        "checkpoint",
    ),
}


@pytest.mark.parametrize("what", CHANGED)
def test_a_changed_proof_of_an_entry_is_refused(what: str) -> None:
    proof, (changed, where) = inclusion(), CHANGED[what]
    changed(proof)
    with pytest.raises(NotVerified) as refused:
        verify_inclusion(proof, PUBLIC, ENTRY)
    assert refused.value.where == where


def test_a_proof_of_another_entry_proves_nothing_about_yours() -> None:
    for bucket, seq in ((0, 5), (0, 7), (3, 6)):
        with pytest.raises(NotVerified, match="another entry"):
            verify_inclusion(inclusion(bucket, seq), PUBLIC, ENTRY)
    posing = inclusion(0, 5)
    posing.entry = ENTRY.name
    with pytest.raises(NotVerified, match="another entry"):
        verify_inclusion(posing, PUBLIC, ENTRY)
    with pytest.raises(NotVerified, match="its name"):
        verify_inclusion(posing, PUBLIC, Receipt(ENTRY.name, posing.hash))


def test_another_key_proves_nothing() -> None:
    with pytest.raises(NotVerified, match="another key"):
        verify_inclusion(inclusion(), STRANGER, ENTRY)
    with pytest.raises(NotVerified, match="another key"):
        verify_consistency(consistency(), STRANGER)


def test_every_changed_byte_of_a_proof_is_refused_or_says_the_same() -> None:
    """What survives is an unknown field, or the number of buckets, of which nothing is said."""
    content, told = inclusion().SerializeToString(), verify_inclusion(inclusion(), PUBLIC, ENTRY)
    survived = 0
    for place in range(len(content)):
        changed = pb.InclusionProof()
        try:
            changed.ParseFromString(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
            assert verify_inclusion(changed, PUBLIC, ENTRY) == told
        except (NotVerified, DecodeError):
            continue
        survived += 1
        changed.bucket_count = inclusion().bucket_count
        changed.DiscardUnknownFields()
        assert changed == inclusion(), place
    assert survived < 3


def test_a_journal_that_only_grew_is_proven() -> None:
    older, younger = verify_consistency(consistency(), PUBLIC)
    assert (older.number, older.entry_count) == (1, sum(OLDER))
    assert (younger.number, younger.entry_count) == (2, sum(YOUNGER))
    same = checkpoint(1, OLDER)
    assert verify_consistency(consistency(same, same), PUBLIC) == (older, older)


GROWN: dict[str, tuple[Callable[[pb.ConsistencyProof], object], str]] = {
    "a hash of a path": (lambda proof: proof.buckets[0].path.__setitem__(0, bytes(32)), "bucket 0"),
    "a path less": (lambda proof: proof.buckets.pop(), "buckets"),
    "a hash too much": (lambda proof: proof.buckets[1].path.append(bytes(32)), "bucket 1"),
    "a hash too long": (lambda proof: proof.buckets[0].path.__setitem__(0, bytes(33)), "path"),
    "buckets in another order": (lambda proof: proof.buckets.reverse(), "buckets"),
    "an older size": (lambda proof: setattr(proof.from_checkpoint.heads[0], "seq", 5), "from_checkpoint"),
    "a younger root": (lambda proof: setattr(proof.to_checkpoint.heads[0], "tree_root", bytes(32)), "to_checkpoint"),
    "a younger hash": (lambda proof: setattr(proof.to_checkpoint.heads[0], "hash", bytes(32)), "to_checkpoint"),
    "a head less": (lambda proof: proof.to_checkpoint.heads.pop(), "to_checkpoint"),
    "heads in another order": (lambda proof: proof.to_checkpoint.heads.reverse(), "to_checkpoint"),
    "another signature": (lambda proof: setattr(proof.to_checkpoint, "tree_signature", bytes(64)), "to_checkpoint"),
    "another count": (lambda proof: setattr(proof.from_checkpoint, "entry_count", 1), "from_checkpoint"),
}


@pytest.mark.parametrize("what", GROWN)
def test_a_changed_proof_of_growth_is_refused(what: str) -> None:
    proof, (changed, where) = consistency(), GROWN[what]
    changed(proof)
    with pytest.raises(NotVerified) as refused:
        verify_consistency(proof, PUBLIC)
    assert refused.value.where == where


def test_checkpoints_the_wrong_way_round_are_refused() -> None:
    proof = consistency(checkpoint(1, OLDER), checkpoint(2, OLDER))
    turned = pb.ConsistencyProof(
        from_checkpoint=proof.to_checkpoint, to_checkpoint=proof.from_checkpoint, buckets=proof.buckets
    )
    assert verify_consistency(proof, PUBLIC)[1].number == 2
    with pytest.raises(NotVerified, match="older"):
        verify_consistency(turned, PUBLIC)


def test_a_rewritten_history_is_convicted_though_the_ledger_signed_both() -> None:
    """The same sizes and names, one old entry changed: no path leads from the first root to the second."""
    older, younger = checkpoint(1, OLDER), checkpoint(2, YOUNGER)
    entries = [hashes(0, 13)[0], bytes(32), *hashes(0, 13)[2:]]
    tops = (root([leaf_hash(hash_) for hash_ in entries]), *younger.tree_roots[1:])
    tree = root(bucket_leaves(younger.heads, tops))
    form = signed_tree_form(2, younger.root, tree, younger.entry_count, younger.created_at)
    rewritten = Checkpoint(
        2, younger.heads, younger.root, younger.entry_count, younger.created_at, younger.signature, younger.key_id,
        tops, tree, KEY.sign(form),
    )  # fmt: skip
    proof = consistency(older, rewritten)
    for path in (proof.buckets[0].path, consistency_path([leaf_hash(hash_) for hash_ in entries], 6)):
        tried = pb.ConsistencyProof()
        tried.CopyFrom(proof)
        tried.buckets[0].path[:] = path
        with pytest.raises(NotVerified) as refused:
            verify_consistency(tried, PUBLIC)
        assert refused.value.where == "bucket 0"


@given(st.lists(st.binary(max_size=4), min_size=1, max_size=40), st.data())
def test_the_partners_copy_of_the_rules_says_what_ours_says(leaves: list[bytes], data: st.DataObject) -> None:
    own = [leaf_hash(leaf) for leaf in leaves]
    index, first = data.draw(st.integers(-1, len(own))), data.draw(st.integers(-1, len(own) + 1))
    top = data.draw(st.sampled_from([root(own), root(own[:first]), bytes(32)]))
    spoil: Callable[[list[bytes]], list[bytes]] = data.draw(
        st.sampled_from([lambda path: path, lambda path: path[:-1], lambda path: [*path, top]])
    )
    if 0 <= index < len(own):
        path = spoil(inclusion_path(own, index))
        asked = own[index], index, len(own), path, top
        assert trees.is_included(*asked) == merkle.is_included(*asked)
    assert not trees.is_included(own[0], len(own), len(own), [], top)
    path = spoil(consistency_path(own, first) if 0 <= first <= len(own) else [])
    grown = first, len(own), root(own[: max(0, first)]), top, path
    assert trees.is_consistent(*grown) == merkle.is_consistent(*grown)


def test_it_runs_on_python_alone() -> None:
    """Without site-packages and without our stubs: files of ours and the standard library."""
    protos = Path(proofs.__file__).parents[2]
    code = f"import sys; sys.path.insert(0, {str(protos)!r})\nfrom coalition.statements.proofs import verify_inclusion"
    told = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False)
    assert (told.returncode, told.stderr) == (0, "")
