"""Checkpoints, and the proofs that lead to them."""

from __future__ import annotations

from shared.refusal import Kind, Refusal


class CheckpointNotFound(Refusal):
    kind = Kind.NOT_THERE
    message = "There is no checkpoint {checkpoint}."
    remedy = "Check the name, or take one."


class CheckpointWithoutTrees(Refusal):
    """Of the release before trees were kept: its heads are signed, but nothing that a proof could lead to."""

    kind = Kind.NOT_NOW
    message = "{checkpoint} was signed without the trees that a proof leads to."
    remedy = "Name a later checkpoint."


class CheckpointsOutOfOrder(Refusal):
    kind = Kind.MALFORMED
    message = "{from_checkpoint} was taken after {to_checkpoint}."
    remedy = "Name the older one in from_checkpoint."


class EntryNotCovered(Refusal):
    kind = Kind.NOT_NOW
    message = "{entry} was posted after {checkpoint} was taken."
    remedy = "Name a later checkpoint, or ask again when the next one has been taken."


class TreeCorrupt(Refusal):
    """A proof that does not hold is not given out."""

    kind = Kind.BUG
    message = "What is stored of bucket {bucket} does not lead to the root that {checkpoint} signed."
    remedy = "Run `coalition verify` and call the operator."
