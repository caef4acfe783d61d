"""Partners and their stores in their tables."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from services.identity.domain.partners import (
    OPERATOR,
    Partner,
    PartnerAlreadyExists,
    PartnerNotFound,
    Store,
    StoreAlreadyExists,
)
from services.identity.store.rows import AnyRow
from services.identity.store.tables import PARTNERS, STORES
from shared.db.sessions import Sessions


class Partners:
    """Partners and stores: added, found and listed."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def add(self, partner: Partner, within: float) -> None:
        """Raises PartnerAlreadyExists."""
        row = {
            "partner_id": partner.partner_id,
            "display_name": partner.display_name,
            "created_at": partner.created_at,
        }
        statement = insert(PARTNERS).values(row).on_conflict_do_nothing().returning(PARTNERS.c.partner_id)
        with self._sessions.writing(within) as connection:
            if partner.partner_id == OPERATOR or connection.execute(statement).first() is None:
                raise PartnerAlreadyExists(partner=partner.partner_id)

    def get(self, partner_id: str, within: float) -> Partner:
        """Raises PartnerNotFound."""
        with self._sessions.reading(within) as connection:
            return known(connection, partner_id)

    def page(self, after: str, size: int, within: float) -> Sequence[Partner]:
        """The partners behind `after`, by id."""
        statement = select(PARTNERS).where(PARTNERS.c.partner_id > after).order_by(PARTNERS.c.partner_id).limit(size)
        with self._sessions.reading(within) as connection:
            return [_partner(row) for row in connection.execute(statement)]

    def add_store(self, store: Store, within: float) -> None:
        """Raises PartnerNotFound, StoreAlreadyExists."""
        row = {
            "partner_id": store.partner_id,
            "store_id": store.store_id,
            "display_name": store.display_name,
            "created_at": store.created_at,
        }
        statement = insert(STORES).values(row).on_conflict_do_nothing().returning(STORES.c.store_id)
        with self._sessions.writing(within) as connection:
            known(connection, store.partner_id)
            if connection.execute(statement).first() is None:
                raise StoreAlreadyExists(partner=store.partner_id, store=store.store_id)

    def stores_page(self, partner_id: str, after: str, size: int, within: float) -> Sequence[Store]:
        """The stores of a partner behind `after`, by id. Raises PartnerNotFound."""
        statement = (
            select(STORES)
            .where(STORES.c.partner_id == partner_id, STORES.c.store_id > after)
            .order_by(STORES.c.store_id)
            .limit(size)
        )
        with self._sessions.reading(within) as connection:
            known(connection, partner_id)
            return [
                Store(row.partner_id, row.store_id, row.display_name, row.created_at)
                for row in connection.execute(statement)
            ]


def known(connection: Connection, partner_id: str) -> Partner:
    """The partner of that id. Raises PartnerNotFound."""
    row = connection.execute(select(PARTNERS).where(PARTNERS.c.partner_id == partner_id)).first()
    if row is None:
        raise PartnerNotFound(partner=partner_id)
    return _partner(row)


def _partner(row: AnyRow) -> Partner:
    return Partner(row.partner_id, row.display_name, row.created_at)
