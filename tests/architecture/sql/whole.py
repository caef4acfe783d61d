"""What may ask every bucket: reports, sums and the work of the clock, never a posting."""

from __future__ import annotations

_STORE = "services/ledger/store/"

WHOLE: dict[tuple[str, str], str] = {
    (f"{_STORE}adjustments.py", "_PAGE"): "what waits for a second person, across all buckets",
    (f"{_STORE}freezes.py", "_ALL"): "what is frozen, across all buckets",
    (f"{_STORE}importing/__init__.py", "_FROZEN"): "an import goes to all buckets",
    (f"{_STORE}leases.py", "_LEASES"): "who has which stripe: a row for each of 16",
    (f"{_STORE}partitions.py", "_LEAVE_LANDMARKS"): "each shard leaves its own",
    (f"{_STORE}readers.py", "_FLOWS"): "sums of the whole ledger, for settlement and for reports",
    (f"{_STORE}readers.py", "_HEADS"): "heads are read as committed, one by one: a checkpoint needs no snapshot",
    (f"{_STORE}readers.py", "_OUTSTANDING"): "a sum of the whole ledger",
    (f"{_STORE}checkpoints.py", "_HEADS"): "heads are read as committed, one by one: a checkpoint needs no snapshot",
    (f"{_STORE}tree/__init__.py", "_BEHIND"): "which buckets have grown",
    (f"{_STORE}verifier/claims.py", "_COUNT"): "claims live in a bucket of their own",
    (f"{_STORE}verifier/claims.py", "_STRAY"): "claims live in a bucket of their own",
    (f"{_STORE}verifier/places.py", "_HEADS"): "the verifier reads everything",
    (f"{_STORE}verifier/places.py", "_CLAIMS_NOWHERE"): "the verifier looks for buckets that do not exist",
    (f"{_STORE}verifier/places.py", "_NOWHERE.format(table=table)"): "the verifier looks for buckets that do not exist",
    (f"{_STORE}verifier/slices.py", "_AWARDED"): "the verifier reads everything",
    (f"{_STORE}verifier/slices.py", "_SLICES"): "the verifier reads everything",
    (f"{_STORE}verifier/slices.py", "_BEYOND"): "an allowance is dealt to the slices of all stripes",
    (f"{_STORE}verifier/transfers.py", "_NOT_ARRIVED"): "both legs of a transfer, which live in two buckets",
    (f"{_STORE}verifier/transfers.py", "_FROM_NOWHERE"): "both legs of a transfer, which live in two buckets",
    (f"{_STORE}verifier/transfers.py", "_OPEN"): "both legs of a transfer, which live in two buckets",
}
"""Module and name of a statement, and why it asks all buckets."""

ACROSS = {
    (f"{_STORE}verifier/claims.py", "_STRAY"),
    (f"{_STORE}verifier/transfers.py", "_NOT_ARRIVED"),
    (f"{_STORE}verifier/transfers.py", "_FROM_NOWHERE"),
    (f"{_STORE}verifier/transfers.py", "_OPEN"),
}
"""Of these, what compares one bucket with another. A cluster does it with `citus.enable_repartition_joins`."""

COLD_SETTINGS = {
    f"{_STORE}verifier/look.py": "a long look must not be cut short; on a cluster it is the coordinator's",
    f"{_STORE}leases.py": "whoever takes a lease does not wait for long; it locks one row",
}
