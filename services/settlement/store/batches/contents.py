"""What was calculated: bytes under their hash, kept for ever, and calculated again when somebody wants to be sure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from services.settlement.domain.batch import ENGINE, Basis, Calculation, Proven, calculated, content, proven
from services.settlement.domain.batch.content import Filed, Instructed
from services.settlement.domain.batch.refusals import BatchNotFound
from services.settlement.domain.netting import Pair, Pairs, SetOff
from services.settlement.store.batches import basis as bases
from services.settlement.store.batches.rows import Batch
from shared.money import edition

_INSERT = text("""
INSERT INTO settlement.batch_contents (batch, take, revision, content, content_sha256, engine, made_by, made_at)
VALUES (:batch, :take, :revision, :content, :sha256, :engine, :by, :at)
""")
_INSERT_PROOF = text("""
INSERT INTO settlement.batch_proofs (batch, take, proof, says) VALUES (:batch, :take, :proof, :says)
""")
_ONE = text("""
SELECT take, revision, content, content_sha256, engine, made_by, made_at FROM settlement.batch_contents
WHERE batch = :batch AND take = :take
""")
_INSTRUCTIONS = """
SELECT i.end_to_end_id, i.partner, i.currency, i.kind, i.amount_minor, coalesce(encode(a.sha256, 'hex'), '') AS account
FROM settlement.instructions i LEFT JOIN settlement.bank_accounts a ON a.name = i.bank_account WHERE i.batch = :batch
"""
_LIVE = text(f"{_INSTRUCTIONS} AND i.revision = :revision AND i.state <> 'CANCELLED' AND i.supersedes IS NULL")
_THOSE = text(f"{_INSTRUCTIONS} AND i.end_to_end_id = ANY(:ids)")
_FILES = """
SELECT msg_id, encode(sha256, 'hex') AS sha256, currency, control_sum_minor, payments FROM settlement.payment_files
WHERE batch = :batch
"""
_LIVE_FILES = text(f"{_FILES} AND revision = :revision AND state <> 'WITHDRAWN' AND replaces IS NULL")
_THOSE_FILES = text(f"{_FILES} AND msg_id = ANY(:ids)")


class Stored(NamedTuple):
    """One calculation as it was stored."""

    take: int
    revision: int
    content: bytes
    content_sha256: bytes
    engine: str
    made_by: str
    made_at: datetime

    @property
    def document(self) -> dict[str, Any]:
        """The content, read."""
        document: dict[str, Any] = json.loads(self.content)
        return document


class Made(NamedTuple):
    """A calculation that is not stored yet."""

    basis: Basis
    calculation: Calculation
    proofs: tuple[Proven, ...]

    def written(
        self, connection: Connection, instructions: Sequence[Instructed], files: Sequence[Filed], engine: str = ENGINE
    ) -> bytes:
        """Its content."""
        seals = bases.seals(connection, self.basis)
        return content(self.basis, self.calculation, self.proofs, instructions, files, seals, engine)


def save(connection: Connection, batch: Batch, take: int, made: Made, written: bytes, by: str, at: datetime) -> bytes:
    """Keep a calculation; answers with its hash."""
    digest = sha256(written).digest()
    facts = {"batch": batch.number, "take": take, "revision": batch.revision, "content": written, "sha256": digest}
    connection.execute(_INSERT, {**facts, "engine": ENGINE, "by": by, "at": at})
    proofs = [{"batch": batch.number, "take": take, **one._asdict()} for one in made.proofs]
    connection.execute(_INSERT_PROOF, proofs)
    return digest


def found(connection: Connection, batch: Batch, take: int) -> Stored:
    """Raises BatchNotFound: there is no such calculation."""
    row = connection.execute(_ONE, {"batch": batch.number, "take": take}).one_or_none()
    if row is None:
        raise BatchNotFound(batch=f"calculation {take} of {batch.name}")
    return Stored(
        row.take, row.revision, bytes(row.content), bytes(row.content_sha256), row.engine, row.made_by, row.made_at
    )


def paid_by(connection: Connection, batch: Batch) -> tuple[list[Instructed], list[Filed]]:
    """The instructions and files of a revision, from their rows: those that were calculated, not later attempts."""
    which = {"batch": batch.number, "revision": batch.revision}
    rows, files = connection.execute(_LIVE, which), connection.execute(_LIVE_FILES, which)
    return [Instructed(*row) for row in rows], [Filed(*row) for row in files]


def named_in(connection: Connection, batch: Batch, stored: Stored) -> tuple[list[Instructed], list[Filed]]:
    """Those that a content names, as their rows have them, whatever became of them since."""
    ids = [one[0] for one in stored.document["instructions"]]
    msg_ids = [one[0] for one in stored.document["files"]]
    rows = connection.execute(_THOSE, {"batch": batch.number, "ids": ids})
    files = connection.execute(_THOSE_FILES, {"batch": batch.number, "ids": msg_ids})
    return [Instructed(*row) for row in rows], [Filed(*row) for row in files]


def replayed(connection: Connection, batch: Batch, stored: Stored) -> bytes:
    """The content as this engine calculates it from the rows: set-offs and suspensions as stored, all else anew."""
    document = stored.document
    basis = bases.again(connection, batch, frozenset(document["held"]))
    known = {
        one["currency"]: {Pair(debtor, creditor): minor for debtor, creditor, minor in one["set_off"]}
        for one in document["currencies"]
    }

    def looked_up(currency: str, _: Pairs) -> SetOff:
        return known.get(currency, {})

    with edition(bases.edition_of(connection, basis)):
        made = calculated(basis, looked_up)
    proofs = (*proven(basis, made), bases.priced(connection, basis))
    return Made(basis, made, proofs).written(connection, *named_in(connection, batch, stored), stored.engine)
