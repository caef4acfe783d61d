"""The ledger as settlement calls it: pages of the journal and checkpoints, their signatures checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

import grpc
from coalition.ledger.v1 import ledger_pb2 as pb
from coalition.ledger.v1 import ledger_pb2_grpc as rpc
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from google.protobuf.duration_pb2 import Duration

from services.settlement.api.bell import Bell
from services.settlement.domain.journal import FeedEntry
from services.settlement.domain.refusals import LedgerMismatch
from services.settlement.domain.window import Edge
from shared.canonical import Canonical, canonical
from shared.credentials.keys import key_id
from shared.instants import micros
from shared.merkle import leaf_hash, root
from shared.refusal import Kind
from shared.rpc import wire
from shared.rpc.channel import call, calling_metadata
from shared.rpc.remote import RemoteRefusal, remote_refusal

_SECONDS = 30.0
_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Page:
    """Entries by bucket, then seq; whether there is more; how many buckets the ledger has."""

    entries: list[FeedEntry]
    more: bool
    bucket_count: int


class Journal:
    """Reads what the ledger wrote. Raises RemoteRefusal when it cannot."""

    def __init__(self, channel: grpc.Channel, checkpoint_key: Ed25519PublicKey) -> None:
        self._stub = rpc.LedgerServiceStub(channel)
        self._key = checkpoint_key
        self._key_id = key_id(checkpoint_key)

    def page(self, cursor: Mapping[int, int], size: int, wait_seconds: int = 0, bell: Bell | None = None) -> Page:
        """The next entries of these buckets; when there is none, waits for a first one, or until the bell rings."""
        request = pb.ReadJournalRequest(
            cursor=[pb.BucketPosition(bucket=bucket, seq=seq) for bucket, seq in cursor.items()],
            page_size=size,
            wait=Duration(seconds=wait_seconds),
        )
        if bell is None or not wait_seconds:
            answer = call(self._stub.ReadJournal, request, timeout=_SECONDS)
        elif (heard := self._read(request, _SECONDS + wait_seconds, bell)) is not None:
            answer = heard
        else:
            return Page([], more=True, bucket_count=0)
        entries = [FeedEntry(entry.bucket, entry.seq, entry.hash, entry.canonical) for entry in answer.entries]
        return Page(entries, answer.more, answer.bucket_count)

    def _read(self, request: pb.ReadJournalRequest, timeout: float, bell: Bell) -> pb.ReadJournalResponse | None:
        """The answer, or None when the bell rang before it came."""
        reading = self._stub.ReadJournal.future(request, timeout=timeout, metadata=calling_metadata())
        reading.add_done_callback(lambda _: bell.look())
        bell.wait_for(reading.done, timeout)
        if not reading.done():
            reading.cancel()
            return None
        try:
            return reading.result()
        except grpc.RpcError as error:
            raise remote_refusal(error) from error

    def bucket_after(self, bucket: int, seq: int) -> list[FeedEntry]:
        """The next entries of one bucket; none where the ledger has no such place."""
        try:
            return self.page({bucket: seq}, _MOST).entries
        except RemoteRefusal as refusal:
            if refusal.kind is Kind.OUTSIDE:
                return []
            raise

    def bucket_count(self) -> int:
        """How many buckets the ledger has."""
        return self.page({0: 0}, 1).bucket_count

    def checkpoint(self, request_id: UUID) -> Edge:
        """A checkpoint taken now, or by the same request before. Raises LedgerMismatch when it does not hold."""
        request = pb.TakeCheckpointRequest(request_id=str(request_id))
        return self.edge(call(self._stub.TakeCheckpoint, request, timeout=_SECONDS))

    def edge(self, answer: pb.Checkpoint) -> Edge:
        """A checkpoint as we keep it. Raises LedgerMismatch when it does not hold."""
        edge = Edge(
            checkpoint=int(answer.name.removeprefix("checkpoints/")),
            seqs=tuple(head.seq for head in answer.heads),
            hashes=tuple(head.hash for head in answer.heads),
            root=answer.root,
            created_at=micros(wire.instant(answer.create_time)),
            signature=answer.signature,
            key_id=answer.key_id,
            tree_root=answer.tree_root,
            tree_signature=answer.tree_signature,
        )
        self.check(edge)
        if edge.tree_root and edge.tree_root != _tree_root(answer.heads):
            raise LedgerMismatch(checkpoint=edge.checkpoint, detail="its tree root does not follow from its trees")
        return edge

    def check(self, edge: Edge) -> None:
        """Raises LedgerMismatch when root, count or a signature of a checkpoint do not hold."""
        heads = [
            leaf_hash(canonical({"bucket": bucket, "hash": hash_.hex(), "seq": seq}))
            for bucket, (seq, hash_) in enumerate(zip(edge.seqs, edge.hashes, strict=True))
        ]
        if root(heads) != edge.root:
            raise LedgerMismatch(checkpoint=edge.checkpoint, detail="its root does not follow from its heads")
        if edge.key_id != self._key_id or not self._signed(edge):
            raise LedgerMismatch(checkpoint=edge.checkpoint, detail="its signature is not the ledger's")

    def _signed(self, edge: Edge) -> bool:
        form: dict[str, Canonical] = {
            "created_at": edge.created_at,
            "entry_count": edge.entry_count,
            "number": edge.checkpoint,
            "root": edge.root.hex(),
        }
        try:
            self._key.verify(edge.signature, canonical(form | {"v": 1}))
            if edge.tree_root or edge.tree_signature:
                self._key.verify(edge.tree_signature, canonical(form | {"tree_root": edge.tree_root.hex(), "v": 2}))
        except InvalidSignature:
            return False
        return True


def _tree_root(heads: Iterable[pb.Head]) -> bytes:
    """The root over the buckets' trees, as the ledger's contract says."""
    leaves = [canonical({"bucket": head.bucket, "root": head.tree_root.hex(), "seq": head.seq}) for head in heads]
    return root([leaf_hash(leaf) for leaf in leaves])
