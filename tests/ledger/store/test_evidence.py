"""Whatever is changed in entries, nodes or checkpoints, by whoever may: the checks convict it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from uuid import uuid4

import pytest

from services.ledger.domain.apply import Head
from services.ledger.domain.checkpoint import bucket_leaves, heads_root, signed_form, signed_tree_form
from services.ledger.store.tree import TILE
from shared.merkle import EMPTY_ROOT, root
from shared.verifying import Difference
from tests.ledger.store.forest import AT, Forest, entry_hash
from tests.ledger.store.vault import PATIENCE, Vault, award, wallet_in
from tests.support.databases import Databases


@pytest.fixture(scope="module")
def _woods(databases: Databases) -> Iterator[Forest]:
    """Three checkpoints: one of the first release, two with trees; every complete node stored."""
    with closing(Forest(databases)) as forest:
        forest.grow(0, TILE + 1)
        before_trees(forest)
        forest.grow(0, 3 * TILE + 10)
        forest.grow(1, 7)
        forest.taken()
        forest.grow(0, 4 * TILE + 20)
        forest.taken()
        assert forest.difference() is None
        yield forest


@pytest.fixture
def forest(_woods: Forest) -> Iterator[Forest]:
    """As it was before, after each test."""
    with _woods.tampering() as connection:
        for table in ("entries", "tree_nodes", "checkpoints"):
            connection.execute(f"CREATE TABLE kept_{table} AS TABLE ledger.{table}")
        yield _woods
        for table in ("entries", "tree_nodes", "checkpoints"):
            connection.execute(f"DELETE FROM ledger.{table}")
            connection.execute(f"INSERT INTO ledger.{table} SELECT * FROM kept_{table}")
            connection.execute(f"DROP TABLE kept_{table}")
    assert _woods.difference() is None


def before_trees(forest: Forest) -> None:
    """A checkpoint as the first release took it."""
    heads = [Head(bucket, len(leaves), hash_at(bucket, len(leaves))) for bucket, leaves in enumerate(forest.leaves)]
    top, count, at = heads_root(heads), sum(head.seq for head in heads), int(AT.timestamp()) * 1_000_000
    with forest.tampering() as connection:
        connection.execute(
            "INSERT INTO ledger.checkpoints"
            " (number, request_id, seqs, hashes, root, entry_count, created_at, signature, key_id)"
            " VALUES (1, %s, %s, %s, %s, %s, %s, %s, 'key-1')",
            [
                uuid4(),
                [head.seq for head in heads],
                [head.hash for head in heads],
                top,
                count,
                AT,
                forest.key.sign(signed_form(1, top, count, at)),
            ],
        )


def hash_at(bucket: int, seq: int) -> bytes:
    return entry_hash(bucket, seq) if seq else bytes(32)


ZERO = r"'\x" + "00" * 32 + "'"
TAMPERED = {
    "an old entry": (
        f"UPDATE ledger.entries SET hash = {ZERO} WHERE bucket = 0 AND seq = 5",
        ("checkpoint", "checkpoints/2"),
    ),
    "an entry of a bucket with few": (
        f"UPDATE ledger.entries SET hash = {ZERO} WHERE bucket = 1 AND seq = 7",
        ("checkpoint", "checkpoints/2"),
    ),
    "an entry that the last checkpoint alone covers": (
        f"UPDATE ledger.entries SET hash = {ZERO} WHERE bucket = 0 AND seq = 4 * 256 + 20",
        ("checkpoint", "checkpoints/3"),
    ),
    "the end of a bucket": (
        "DELETE FROM ledger.entries WHERE bucket = 0 AND seq > 4 * 256",
        ("checkpoint", "checkpoints/3"),
    ),
    "a node": (f"UPDATE ledger.tree_nodes SET hash = {ZERO} WHERE level = 8 AND position = 2", ("tree", "0/8/2")),
    "a high node": (f"UPDATE ledger.tree_nodes SET hash = {ZERO} WHERE level = 10", ("tree", "0/10/0")),
    "a node taken away": ("DELETE FROM ledger.tree_nodes WHERE level = 8 AND position = 1", ("tree", "0/8/3")),
    "the last node taken away": ("DELETE FROM ledger.tree_nodes WHERE level = 8 AND position = 3", ("tree", "0/9/1")),
    "a high node taken away": ("DELETE FROM ledger.tree_nodes WHERE level = 10", ("tree", "0/10/0")),
    "a node too much": (
        f"INSERT INTO ledger.tree_nodes (bucket, level, position, hash) VALUES (0, 8, 4, {ZERO})",
        ("tree", "0/8/4"),
    ),
    "a node of an empty bucket": (
        f"INSERT INTO ledger.tree_nodes (bucket, level, position, hash) VALUES (3, 8, 0, {ZERO})",
        ("tree", "3/8/0"),
    ),
    "a node too high": (
        f"INSERT INTO ledger.tree_nodes (bucket, level, position, hash) VALUES (0, 40, 0, {ZERO})",
        ("tree", "0/40/0"),
    ),
    "a node below tiles": (
        f"INSERT INTO ledger.tree_nodes (bucket, level, position, hash) VALUES (0, 1, 0, {ZERO})",
        ("tree", "0/1/0"),
    ),
    "a signed head": (
        f"UPDATE ledger.checkpoints SET hashes[1] = {ZERO} WHERE number = 2",
        ("checkpoint", "checkpoints/2"),
    ),
    "a signed root": (f"UPDATE ledger.checkpoints SET root = {ZERO} WHERE number = 1", ("checkpoint", "checkpoints/1")),
    "a bucket's signed tree": (
        f"UPDATE ledger.checkpoints SET tree_roots[2] = {ZERO} WHERE number = 3",
        ("checkpoint", "checkpoints/3"),
    ),
    "one signed tree less": (
        "UPDATE ledger.checkpoints SET tree_roots = tree_roots[1:3] WHERE number = 3",
        ("checkpoint", "checkpoints/3"),
    ),
    "the signed tree of trees": (
        f"UPDATE ledger.checkpoints SET tree_root = {ZERO} WHERE number = 2",
        ("checkpoint", "checkpoints/2"),
    ),
    "a signature": (
        "UPDATE ledger.checkpoints SET signature = set_byte(signature, 9, get_byte(signature, 9) # 1) WHERE number = 2",
        ("checkpoint", "checkpoints/2"),
    ),
    "a tree's signature": (
        "UPDATE ledger.checkpoints SET tree_signature = signature WHERE number = 2",
        ("checkpoint", "checkpoints/2"),
    ),
    "when it was taken": (
        "UPDATE ledger.checkpoints SET created_at = created_at - interval '1 microsecond' WHERE number = 3",
        ("checkpoint", "checkpoints/3"),
    ),
    "its trees taken away": (
        "UPDATE ledger.checkpoints SET tree_roots = NULL, tree_root = NULL, tree_signature = NULL WHERE number = 3",
        ("checkpoint", "checkpoints/3"),
    ),
    "a checkpoint taken away": ("DELETE FROM ledger.checkpoints WHERE number = 2", ("checkpoint", "checkpoints/2")),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_what_was_changed_is_found_and_named(forest: Forest, what: str) -> None:
    statement, expected = TAMPERED[what]
    with forest.tampering() as connection:
        connection.execute(statement)
    found = forest.difference()
    assert found is not None
    assert (found.subject, found.name) == expected, found.detail


def test_an_entry_that_no_checkpoint_covers_yet_is_found_by_the_nodes(forest: Forest) -> None:
    with forest.tampering() as connection:
        connection.execute("DELETE FROM ledger.checkpoints")
        connection.execute(f"UPDATE ledger.entries SET hash = {ZERO} WHERE bucket = 0 AND seq = 600")
    found = forest.difference()
    assert found is not None
    assert (found.subject, found.name) == ("tree", "0/8/2")


def test_who_holds_the_key_and_rewrites_all_is_convicted_by_what_was_given_out(forest: Forest) -> None:
    """Entry, nodes and checkpoint changed and signed anew: the database agrees, the two signed roots do not."""
    given_out = forest.checkpoints.found("3")
    leaves = list(forest.leaves[0])
    with forest.tampering() as connection:
        connection.execute("DELETE FROM ledger.tree_nodes")
        connection.execute("DELETE FROM ledger.checkpoints")
        connection.execute(f"UPDATE ledger.entries SET hash = {ZERO} WHERE bucket = 0 AND seq = 600")
    forest.checkpoints.taken(uuid4(), AT)
    assert forest.difference() is None
    again = forest.checkpoints.found("1")
    assert again.heads == given_out.heads
    assert again.tree_root != given_out.tree_root
    assert given_out.tree_roots[0] == root(leaves)


def test_the_roots_of_a_checkpoint_are_those_over_the_entries(forest: Forest) -> None:
    checkpoint = forest.checkpoints.found("latest")
    assert list(checkpoint.tree_roots) == [root(leaves) for leaves in forest.leaves]
    assert checkpoint.tree_roots[3] == EMPTY_ROOT
    assert checkpoint.tree_root == root(bucket_leaves(checkpoint.heads, checkpoint.tree_roots))
    number, top, count, at = checkpoint.number, checkpoint.root, checkpoint.entry_count, checkpoint.created_at
    forest.key.public_key().verify(checkpoint.signature, signed_form(number, top, count, at))
    form = signed_tree_form(number, top, checkpoint.tree_root, count, at)
    forest.key.public_key().verify(checkpoint.tree_signature, form)


@pytest.mark.parametrize(
    ("statement", "subject", "name"),
    [
        (f"UPDATE ledger.tree_nodes SET hash = {ZERO}", "tree", "5/8/0"),
        ("DELETE FROM ledger.checkpoints WHERE number = 1", "checkpoint", "checkpoints/1"),
        (f"UPDATE ledger.checkpoints SET tree_root = {ZERO}", "checkpoint", "checkpoints/1"),
        (f"UPDATE ledger.entries SET hash = {ZERO} WHERE bucket = 5 AND seq = 77", "entry", "5-77"),
    ],
)
def test_the_verifier_finds_it_in_a_whole_ledger(own_vault: Vault, statement: str, subject: str, name: str) -> None:
    wallet = wallet_in(5)
    own_vault.writer.post_all([award(wallet) for _ in range(TILE + 9)], PATIENCE)
    for _ in range(2):
        own_vault.checkpoints.taken(uuid4(), own_vault.clock.now())
    assert own_vault.check().checkpoints == 2
    with own_vault.tampering() as connection:
        assert connection.execute(statement).rowcount > 0
    found = own_vault.verified()
    assert isinstance(found, Difference)
    assert (found.subject, found.name) == (subject, name)
