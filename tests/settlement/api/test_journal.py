"""A checkpoint is believed when its root follows from its heads and the ledger signed it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import grpc
import pytest
from coalition.ledger.v1 import ledger_pb2 as pb
from google.protobuf.timestamp_pb2 import Timestamp

from services.settlement.api.journal import Journal
from services.settlement.domain.refusals import LedgerMismatch
from services.settlement.domain.window import Edge
from shared.refusal import Kind
from shared.rpc.remote import RemoteRefusal
from tests.settlement import paper
from tests.settlement.paper import day
from tests.settlement.reckoning import STATEMENT_KEY


@pytest.fixture(scope="module")
def written() -> paper.Journal:
    written = paper.Journal()
    written.award(5)
    return written


@pytest.fixture(scope="module")
def journal(written: paper.Journal) -> Iterator[Journal]:
    """As settlement has it, with a ledger that is nowhere."""
    with grpc.insecure_channel("127.0.0.1:1") as nowhere:
        yield Journal(nowhere, written.key.public_key())


def test_a_checkpoint_of_the_ledger_is_believed(journal: Journal, written: paper.Journal) -> None:
    journal.check(written.checkpoint(day(1)))
    journal.check(paper.Journal().checkpoint(day(1)))


def test_one_of_the_first_release_is_believed_still(journal: Journal) -> None:
    before = paper.Journal(trees=False)
    before.award(5)
    edge = before.checkpoint(day(1))
    assert not edge.tree_root
    journal.check(edge)
    assert journal.edge(answered(before, edge)) == edge


def test_one_is_kept_as_it_was_answered(journal: Journal, written: paper.Journal) -> None:
    edge = written.checkpoint(day(1))
    assert journal.edge(answered(written, edge)) == edge


def test_a_tree_root_must_follow_from_the_buckets_trees(journal: Journal, written: paper.Journal) -> None:
    answer = answered(written, written.checkpoint(day(1)))
    answer.heads[0].tree_root = bytes(32)
    with pytest.raises(LedgerMismatch, match="trees"):
        journal.edge(answer)


def answered(written: paper.Journal, edge: Edge) -> pb.Checkpoint:
    """As the ledger says it."""
    heads = [
        pb.Head(bucket=bucket, seq=seq, hash=hash_, tree_root=written.tree_root(bucket))
        for bucket, (seq, hash_) in enumerate(zip(edge.seqs, edge.hashes, strict=True))
    ]
    return pb.Checkpoint(
        name=f"checkpoints/{edge.checkpoint}",
        heads=heads,
        root=edge.root,
        entry_count=edge.entry_count,
        create_time=Timestamp(seconds=edge.created_at // 1_000_000),
        signature=edge.signature,
        key_id=edge.key_id,
        tree_root=edge.tree_root,
        tree_signature=edge.tree_signature,
    )


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda edge: replace(edge, seqs=(2, 0)), "root"),
        (lambda edge: replace(edge, hashes=(edge.hashes[0], b"\x01" * 32)), "root"),
        (lambda edge: replace(edge, seqs=(1,), hashes=edge.hashes[:1]), "root"),
        (lambda edge: replace(edge, root=bytes(32)), "root"),
        (lambda edge: replace(edge, created_at=edge.created_at + 1), "signature"),
        (lambda edge: replace(edge, checkpoint=edge.checkpoint + 1), "signature"),
        (lambda edge: replace(edge, signature=bytes(64)), "signature"),
        (lambda edge: replace(edge, signature=b""), "signature"),
        (lambda edge: replace(edge, key_id="other"), "signature"),
        (lambda edge: replace(edge, tree_root=bytes(32)), "signature"),
        (lambda edge: replace(edge, tree_root=b""), "signature"),
        (lambda edge: replace(edge, tree_signature=bytes(64)), "signature"),
        (lambda edge: replace(edge, tree_signature=b""), "signature"),
        (lambda edge: replace(edge, tree_signature=edge.signature), "signature"),
    ],
)
def test_one_that_was_changed_is_not(
    journal: Journal, written: paper.Journal, change: Callable[[Edge], Edge], why: str
) -> None:
    with pytest.raises(LedgerMismatch, match=why):
        journal.check(change(written.checkpoint(day(1))))


def test_one_of_another_ledger_is_not(journal: Journal) -> None:
    other = paper.Journal()
    other.key = STATEMENT_KEY
    with pytest.raises(LedgerMismatch, match="signature"):
        journal.check(other.checkpoint(day(1)))


def test_a_ledger_that_is_nowhere_is_a_refusal(journal: Journal) -> None:
    with pytest.raises(RemoteRefusal) as refused:
        journal.page({0: 0}, 1)
    assert refused.value.kind is Kind.DOWN
