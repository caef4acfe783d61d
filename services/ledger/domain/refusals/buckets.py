"""Buckets that stand still, and a number of them that cannot be."""

from __future__ import annotations

from shared.refusal import Kind, Refusal


class BucketCountChanged(Refusal):
    kind = Kind.NOT_NOW
    message = "This deployment was created with {created} buckets, the settings say {configured}."
    remedy = "Set COALITION_LEDGER_BUCKETS to {created}; it cannot be changed."


class BucketFrozen(Refusal):
    """The checker found a difference there. Only this bucket stands still; what is read from it is as it was."""

    kind = Kind.NOT_NOW
    message = "Bucket {bucket} of the ledger is frozen: it does not agree with its journal."
    remedy = "Nothing was posted. Call the operator; once the bucket is thawed, repeat with the same request id."


class BucketDiffers(Refusal):
    kind = Kind.NOT_NOW
    message = "Bucket {bucket} stays frozen: {subject} {name}: {detail}."
    remedy = "Repair it as the runbook deploy/runbooks/frozen-bucket.md says, then thaw it again."


class BucketNotFrozen(Refusal):
    kind = Kind.NOT_THERE
    message = "Bucket {bucket} is not frozen."
    remedy = "`coalition ledger freezes` lists those that are."
