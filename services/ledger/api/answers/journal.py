"""The journal itself: its entries and the checkpoints over them."""

from __future__ import annotations

from coalition.ledger.v1 import ledger_pb2 as pb

from services.ledger.api.answers.values import instant_pb
from services.ledger.domain.apply import Head
from services.ledger.domain.chain import canonical
from services.ledger.domain.checkpoint import Checkpoint
from services.ledger.domain.entry import Entry


def journal_entry_pb(entry: Entry) -> pb.JournalEntry:
    return pb.JournalEntry(bucket=entry.bucket, seq=entry.seq, hash=entry.hash, canonical=canonical(entry))


def checkpoint_pb(checkpoint: Checkpoint) -> pb.Checkpoint:
    return pb.Checkpoint(
        name=f"checkpoints/{checkpoint.number}",
        heads=map(_head_pb, checkpoint.heads, checkpoint.tree_roots or [b""] * len(checkpoint.heads)),
        root=checkpoint.root,
        entry_count=checkpoint.entry_count,
        create_time=instant_pb(checkpoint.created_at),
        signature=checkpoint.signature,
        key_id=checkpoint.key_id,
        tree_root=checkpoint.tree_root,
        tree_signature=checkpoint.tree_signature,
    )


def _head_pb(head: Head, tree_root: bytes) -> pb.Head:
    return pb.Head(bucket=head.bucket, seq=head.seq, hash=head.hash, tree_root=tree_root)
