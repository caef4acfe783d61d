"""Batches verified: what was approved is what is stored, follows from its rows and moved as the machine allows."""

from __future__ import annotations

from hashlib import sha256

from sqlalchemy import Connection

from services.settlement.domain.batch import ProofFailed
from services.settlement.store import transitions
from services.settlement.store.batches import contents, rows
from services.settlement.store.batches.contents import Stored
from services.settlement.store.batches.rows import Batch
from shared.refusal import Refusal
from shared.verifying import Differs

_PAGE = 1_000


def check_batches(connection: Connection) -> int:
    """Every batch; answers how many. Raises Differs at the first that does not agree."""
    seen, after = 0, 0
    while found := rows.page(connection, after, _PAGE):
        for batch in found:
            check_batch(connection, batch)
        seen, after = seen + len(found), found[-1].number
    return seen


def check_batch(connection: Connection, batch: Batch) -> None:
    """P1, P4, P5 and P6 of its newest calculation, the hashes of all, its chain. Raises Differs."""
    if broken := transitions.broken(transitions.chain(connection, batch.name), batch.state):
        raise Differs("batch", batch.name, broken)
    try:
        newest = [_intact(connection, batch, take) for take in range(1, batch.take + 1)][-1:]
        if not batch.content_sha256 or batch.state == "CANCELLED":
            return  # what a cancelled batch took in, others have now
        if [one.content_sha256 for one in newest] != [batch.content_sha256]:
            raise Differs("batch", batch.name, "the row holds another hash than its newest calculation")
        again = [contents.replayed(connection, batch, one) for one in newest]
    except (ProofFailed, Refusal) as failed:
        raise Differs("batch", batch.name, f"it cannot be calculated again: {failed}") from failed
    if again != [one.content for one in newest]:
        raise Differs("batch", batch.name, "calculated again from its rows it is other bytes")


def _intact(connection: Connection, batch: Batch, take: int) -> Stored:
    stored = contents.found(connection, batch, take)
    if sha256(stored.content).digest() != stored.content_sha256:
        raise Differs("batch", f"{batch.name} calculation {take}", "its content does not have its hash")
    return stored
