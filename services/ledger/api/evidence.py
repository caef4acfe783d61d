"""Proofs that a partner or an auditor can check without us. None is given out that does not hold."""

from __future__ import annotations

from coalition.ledger.v1 import ledger_pb2 as pb

from services.ledger.api.answers import checkpoint_pb
from services.ledger.domain.checkpoint import Checkpoint, bucket_leaves
from services.ledger.domain.entry import Place
from services.ledger.domain.refusals.checkpoints import (
    CheckpointsOutOfOrder,
    CheckpointWithoutTrees,
    EntryNotCovered,
    TreeCorrupt,
)
from services.ledger.domain.refusals.entries import EntryNotFound
from services.ledger.store.checkpoints import Checkpoints
from services.ledger.store.readers import Readers
from services.ledger.store.tree import Tree
from shared.merkle import inclusion_path, is_consistent, is_included, leaf_hash

_LATEST = "checkpoints/latest"


class Evidence:
    """Finds what a proof is about, asks the trees for its paths, and checks them before they leave."""

    def __init__(self, checkpoints: Checkpoints, tree: Tree, readers: Readers) -> None:
        self._checkpoints = checkpoints
        self._tree = tree
        self._readers = readers

    def inclusion(self, request: pb.GetInclusionProofRequest, partner: str, place: Place) -> pb.InclusionProof:
        """That the partner's entry lies under a checkpoint. Raises EntryNotFound, EntryNotCovered, as `_signed`."""
        entry = self._readers.entry(place)
        if entry is None or entry.partner != partner:
            raise EntryNotFound(entry=request.name)
        checkpoint = self._signed(request.checkpoint or _LATEST)
        size, bucket_root = checkpoint.heads[place.bucket].seq, checkpoint.tree_roots[place.bucket]
        if place.seq > size:
            raise EntryNotCovered(entry=request.name, checkpoint=_name(checkpoint))
        index = place.seq - 1
        path = self._tree.inclusion(place.bucket, index, size)
        if not is_included(leaf_hash(entry.hash), index, size, path, bucket_root):
            raise TreeCorrupt(bucket=place.bucket, checkpoint=_name(checkpoint))
        buckets = bucket_leaves(checkpoint.heads, checkpoint.tree_roots)
        return pb.InclusionProof(
            entry=request.name,
            hash=entry.hash,
            leaf_index=index,
            tree_size=size,
            path=path,
            bucket=place.bucket,
            bucket_root=bucket_root,
            bucket_count=len(buckets),
            bucket_path=inclusion_path(buckets, place.bucket),
            checkpoint=_without_heads(checkpoint),
        )

    def consistency(self, request: pb.GetConsistencyProofRequest) -> pb.ConsistencyProof:
        """That every bucket only grew between two checkpoints. Raises CheckpointsOutOfOrder, as `_signed`."""
        older, younger = self._signed(request.from_checkpoint), self._signed(request.to_checkpoint)
        if older.number > younger.number:
            names = {"from_checkpoint": _name(older), "to_checkpoint": _name(younger)}
            raise CheckpointsOutOfOrder(field="from_checkpoint", **names)
        sizes = [(before.seq, after.seq) for before, after in zip(older.heads, younger.heads, strict=True)]
        paths = self._tree.consistency(sizes)
        for bucket, (first, second) in enumerate(sizes):
            if not is_consistent(first, second, older.tree_roots[bucket], younger.tree_roots[bucket], paths[bucket]):
                raise TreeCorrupt(bucket=bucket, checkpoint=_name(younger))
        return pb.ConsistencyProof(
            from_checkpoint=checkpoint_pb(older),
            to_checkpoint=checkpoint_pb(younger),
            buckets=[pb.BucketConsistency(bucket=bucket, path=path) for bucket, path in enumerate(paths)],
        )

    def _signed(self, name: str) -> Checkpoint:
        """The checkpoint of a name. Raises CheckpointNotFound, CheckpointWithoutTrees."""
        checkpoint = self._checkpoints.found(name.removeprefix("checkpoints/"))
        if not checkpoint.tree_root:
            raise CheckpointWithoutTrees(checkpoint=_name(checkpoint))
        return checkpoint


def _name(checkpoint: Checkpoint) -> str:
    return f"checkpoints/{checkpoint.number}"


def _without_heads(checkpoint: Checkpoint) -> pb.Checkpoint:
    """All that is signed: a partner need not know where each bucket ends."""
    answer = checkpoint_pb(checkpoint)
    del answer.heads[:]
    return answer
