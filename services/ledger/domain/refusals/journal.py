"""The journal, and sums over it."""

from __future__ import annotations

from shared.refusal import Kind, Refusal


class JournalCorrupt(Refusal):
    """An entry cannot follow from the state before it."""

    kind = Kind.BUG
    message = "Entry {entry} does not follow from the journal before it: {detail}."
    remedy = "Run `coalition verify` and call the operator."


class CursorOutOfRange(Refusal):
    kind = Kind.OUTSIDE
    message = "Bucket {bucket} ends at {last_seq}, the cursor stands at {seq}."
    remedy = "Read the buckets from 0 to {bucket_count} exclusive, from a seq that was read before."


class TotalsOutOfRange(Refusal):
    kind = Kind.OUTSIDE
    message = "A sum over the whole programme is beyond 64 bits."
    remedy = "Read the journal."
