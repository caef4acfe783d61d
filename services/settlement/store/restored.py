"""How settlement notices that its database was restored: the archive and the bank know of files that no row does.

A file that two people approved again, with the bytes that the archive holds, agrees: sending it again sends the same
bytes, and the bank's duplicate check says that the first ones arrived.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Protocol

from sqlalchemy import Connection, text

_FILES = text("""
SELECT msg_id, sha256 FROM settlement.payment_files
WHERE msg_id = ANY(:names) AND state IN ('APPROVED', 'RELEASED', 'TRANSMITTED', 'ACKNOWLEDGED', 'REJECTED')
""")
_SINCE = text("SELECT since FROM settlement.quarantines WHERE lifted_at IS NULL")
_UNSEEN = text("""
SELECT a.name FROM settlement.bank_accounts a
WHERE a.clearing AND a.state <> 'ENTERED' AND NOT EXISTS (
    SELECT FROM settlement.bank_statements s JOIN settlement.bank_messages m ON m.sha256 = s.sha256
    WHERE s.account = a.name AND m.imported_at > :since
) ORDER BY a.name LIMIT 1
""")
_STRANGE = text("""
SELECT l.end_to_end_id FROM settlement.bank_lines l
WHERE l.end_to_end_id ~ '^B[0-9]+-' AND NOT EXISTS (
    SELECT FROM settlement.instructions i
    WHERE i.end_to_end_id = l.end_to_end_id AND i.state NOT IN ('PENDING', 'FROZEN')
) ORDER BY l.end_to_end_id LIMIT 1
""")


class Archived(Protocol):
    """What was ever about to be sent, outside of the database."""

    def names(self) -> list[str]: ...

    def found(self, msg_id: str) -> bytes | None: ...


def archive_disagrees(archive: Archived) -> Callable[[Connection], str]:
    """Says what the archive has that the rows do not; empty when they agree. This is what is looked at on a start."""

    def disagreement(connection: Connection) -> str:
        names = archive.names()
        rows = {row.msg_id: bytes(row.sha256) for row in connection.execute(_FILES, {"names": names})}
        strange = [name for name in names if rows.get(name) != sha256(archive.found(name) or b"").digest()]
        if not strange:
            return ""
        return f"the archive holds {len(strange)} files that no approved row has, {strange[0]} the first"

    return disagreement


def all_disagree(archive: Archived) -> Callable[[Connection], str]:
    """What must be empty before a quarantine is lifted: archive, bank statements and rows."""
    of_archive = archive_disagrees(archive)

    def disagreement(connection: Connection) -> str:
        since = connection.execute(_SINCE).scalar()
        if why := of_archive(connection):
            return why
        if since and (account := connection.execute(_UNSEEN, {"since": since}).scalar()):
            return f"no statement of {account} was imported since the quarantine began"
        if strange := connection.execute(_STRANGE).scalar():
            return f"the bank booked {strange}, of which no row says that it was sent"
        return ""

    return disagreement
