"""What lies in the database decides whether a proof is given out: none that would not hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from coalition.ledger.v1 import ledger_pb2 as pb

from services.ledger.api.evidence import Evidence
from services.ledger.domain.entry import Place
from services.ledger.domain.refusals.checkpoints import CheckpointWithoutTrees, TreeCorrupt
from services.ledger.store.readers import Readers
from services.ledger.store.tree import TILE
from shared.refusal import Kind
from tests.ledger.store.forest import BUCKETS, Forest
from tests.support.databases import Databases

NAME = "partners/grocer/entries/0-5"
INCLUSION = pb.GetInclusionProofRequest(name=NAME)
CONSISTENCY = pb.GetConsistencyProofRequest(from_checkpoint="checkpoints/1", to_checkpoint="checkpoints/2")


@pytest.fixture
def forest(databases: Databases) -> Iterator[Forest]:
    with closing(Forest(databases)) as forest:
        forest.grow(0, 2 * TILE)
        forest.taken()
        forest.grow(0, 4 * TILE + 1)
        forest.taken()
        yield forest


@pytest.fixture
def asks(forest: Forest) -> list[Callable[[], object]]:
    """Both proofs."""
    evidence = Evidence(forest.checkpoints, forest.tree, Readers(forest.engine, BUCKETS))
    return [
        lambda: evidence.inclusion(INCLUSION, "grocer", Place(0, 5)),
        lambda: evidence.consistency(CONSISTENCY),
    ]


def test_a_sound_ledger_gives_both_proofs(asks: list[Callable[[], object]]) -> None:
    for ask in asks:
        ask()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger.tree_nodes SET hash = sha256(hash) WHERE bucket = 0 AND level >= 9",
        "UPDATE ledger.checkpoints SET tree_roots[1] = sha256('') WHERE number = 2",
    ],
)
def test_a_proof_that_does_not_hold_is_not_given_out(
    forest: Forest, asks: list[Callable[[], object]], statement: str
) -> None:
    with forest.tampering() as connection:
        connection.execute(statement)
    for ask in asks:
        with pytest.raises(TreeCorrupt) as refused:
            ask()
        assert refused.value.kind is Kind.BUG
        assert refused.value.facts == {"bucket": 0, "checkpoint": "checkpoints/2"}


def test_an_entry_that_was_changed_has_no_proof_any_more(forest: Forest, asks: list[Callable[[], object]]) -> None:
    with forest.tampering() as connection:
        connection.execute("UPDATE ledger.entries SET hash = sha256(hash) WHERE bucket = 0 AND seq = 5")
    with pytest.raises(TreeCorrupt):
        asks[0]()


def test_a_checkpoint_of_the_first_release_proves_no_entry(forest: Forest, asks: list[Callable[[], object]]) -> None:
    with forest.tampering() as connection:
        connection.execute("UPDATE ledger.checkpoints SET tree_roots = NULL, tree_root = NULL, tree_signature = NULL")
    for ask in asks:
        with pytest.raises(CheckpointWithoutTrees):
            ask()
