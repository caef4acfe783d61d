"""Another schema that the journal is replayed into."""

from __future__ import annotations

from shared.refusal import Kind, Refusal


class NoSuchRebuild(Refusal):
    kind = Kind.NOT_THERE
    message = "There is no rebuild in schema {schema}."
    remedy = "Leave the schema out to begin a new one."


class OwnerMayNotCreate(Refusal):
    kind = Kind.NOT_ALLOWED
    message = "The owner of the schema may not create another one in database {database}."
    remedy = "As an administrator: GRANT CREATE ON DATABASE {database} TO {owner}."
