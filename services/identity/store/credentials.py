"""Credentials in their table: their secrets are there as hashes only."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from services.identity.domain.partners import Credential, CredentialNotFound
from services.identity.store.partners import known
from services.identity.store.rows import AnyRow
from services.identity.store.tables import CREDENTIALS
from shared.db.sessions import Sessions


class Credentials:
    """What partners exchange for tokens."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def add(self, credential: Credential, within: float) -> None:
        """Raises PartnerNotFound."""
        row = {
            "credential_id": credential.credential_id,
            "partner_id": credential.partner_id,
            "display_name": credential.display_name,
            "secret_hash": credential.secret_hash,
            "created_at": credential.created_at,
        }
        with self._sessions.writing(within) as connection:
            known(connection, credential.partner_id)
            connection.execute(insert(CREDENTIALS).values(row))

    def revoke(self, partner_id: str, credential_id: UUID, at: datetime, within: float) -> Credential:
        """End a credential; one that has ended keeps the time of its end. Raises CredentialNotFound."""
        statement = (
            update(CREDENTIALS)
            .where(CREDENTIALS.c.partner_id == partner_id, CREDENTIALS.c.credential_id == credential_id)
            .values(revoked_at=func.coalesce(CREDENTIALS.c.revoked_at, at))
            .returning(CREDENTIALS)
        )
        with self._sessions.writing(within) as connection:
            row = connection.execute(statement).first()
        if row is None:
            raise CredentialNotFound(credential=f"partners/{partner_id}/credentials/{credential_id}")
        return _credential(row)

    def find(self, partner_id: str, credential_id: UUID, within: float) -> Credential | None:
        """The credential, ended or not."""
        statement = select(CREDENTIALS).where(
            CREDENTIALS.c.partner_id == partner_id, CREDENTIALS.c.credential_id == credential_id
        )
        with self._sessions.reading(within) as connection:
            row = connection.execute(statement).first()
        return _credential(row) if row else None


def _credential(row: AnyRow) -> Credential:
    return Credential(
        partner_id=row.partner_id,
        credential_id=row.credential_id,
        display_name=row.display_name,
        secret_hash=row.secret_hash,
        created_at=row.created_at,
        revoked_at=row.revoked_at,
    )
