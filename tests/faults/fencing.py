"""Who wrote what: a witness in the database notes each posting, its epoch and the process that made it.

Production has no triggers on the ledger's tables; this one belongs to the test, and to a database that ends with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import psycopg

_INSTALL = """
CREATE SCHEMA witness;
CREATE TABLE witness.notes (
    number bigint GENERATED ALWAYS AS IDENTITY, bucket int, seq bigint, epoch bigint, taken boolean, process text
);
CREATE FUNCTION witness.note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO witness.notes (bucket, seq, epoch, taken, process)
    VALUES (NEW.bucket, NEW.seq, NEW.epoch, NEW.epoch <> OLD.epoch, current_setting('application_name'));
    RETURN NULL;
END $$;
CREATE TRIGGER witness AFTER UPDATE ON ledger.heads FOR EACH ROW
WHEN (NEW.seq <> OLD.seq OR NEW.epoch <> OLD.epoch) EXECUTE FUNCTION witness.note();
"""
_NOTES = "SELECT bucket, seq, epoch, taken, process FROM witness.notes ORDER BY bucket, number"


class Note(NamedTuple):
    """One change of a head: `taken` when a process took the bucket, else it posted there."""

    bucket: int
    seq: int
    epoch: int
    taken: bool
    process: str


def install(address: str) -> None:
    """Once, after the migrations, as the administrator."""
    with psycopg.connect(address, autocommit=True) as admin:
        if admin.execute("SELECT to_regclass('witness.notes')").fetchone() == (None,):
            admin.execute(_INSTALL)


def noted(address: str) -> list[Note]:
    """Everything, in the order in which each bucket saw it."""
    with psycopg.connect(address) as admin:
        return [Note(*row) for row in admin.execute(_NOTES)]


def stale_writes(notes: list[Note]) -> Iterator[str]:
    """Postings by a process that was not the one to take the bucket last. One head is locked at a time by one only."""
    holders: dict[int, Note] = {}
    for note in notes:
        holder = holders.get(note.bucket)
        if note.taken:
            if holder and note.epoch <= holder.epoch:
                yield f"stale write: bucket {note.bucket} was taken at epoch {note.epoch} after {holder.epoch}"
            holders[note.bucket] = note
        elif holder is None or (note.epoch, note.process) != (holder.epoch, holder.process):
            now = f"{holder.process} held it at {holder.epoch}" if holder else "nobody held it"
            yield f"stale write: {note.process} wrote {note.bucket}-{note.seq} at epoch {note.epoch}, {now}"
