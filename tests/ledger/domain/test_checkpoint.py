"""What a checkpoint signs, byte for byte: whoever was given one checks it without us."""

from __future__ import annotations

from hashlib import sha256

import pytest

from services.ledger.domain.apply import Head, bucket_of
from services.ledger.domain.checkpoint import bucket_leaves, heads_root, signed_form, signed_tree_form
from tests.ledger.domain.book import ANNA

HEADS = (Head(0, 3, bytes([1]) * 32), Head(1, 0, bytes(32)))
ROOTS = (bytes([2]) * 32, bytes([3]) * 32)


def leaf(form: bytes) -> bytes:
    return sha256(b"\x00" + form).digest()


def test_the_root_over_the_heads_is_the_published_one() -> None:
    first = leaf(b'{"bucket":0,"hash":"%s","seq":3}' % (b"01" * 32))
    second = leaf(b'{"bucket":1,"hash":"%s","seq":0}' % (b"00" * 32))
    assert heads_root(HEADS) == sha256(b"\x01" + first + second).digest()


def test_the_leaves_over_the_buckets_say_how_far_each_tree_goes() -> None:
    assert bucket_leaves(HEADS, ROOTS) == [
        leaf(b'{"bucket":0,"root":"%s","seq":3}' % (b"02" * 32)),
        leaf(b'{"bucket":1,"root":"%s","seq":0}' % (b"03" * 32)),
    ]


def test_every_bucket_has_a_tree() -> None:
    with pytest.raises(ValueError, match="shorter"):
        bucket_leaves(HEADS, ROOTS[:1])


def test_the_first_version_is_signed_as_it_always_was() -> None:
    root = b"ab" * 32
    assert signed_form(7, bytes.fromhex(root.decode()), 12, 99) == (
        b'{"created_at":99,"entry_count":12,"number":7,"root":"%s","v":1}' % root
    )


def test_the_second_version_signs_the_tree_too() -> None:
    root, tree = b"ab" * 32, b"cd" * 32
    assert signed_tree_form(7, bytes.fromhex(root.decode()), bytes.fromhex(tree.decode()), 12, 99) == (
        b'{"created_at":99,"entry_count":12,"number":7,"root":"%s","tree_root":"%s","v":2}' % (root, tree)
    )


def test_a_wallet_lives_in_one_bucket_for_ever() -> None:
    assert bucket_of(ANNA, 64) == ANNA.int % 64
