"""What can be said of reference data before anybody approves it; it is looked at again then."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from services.settlement.domain.proposal import Kind
from services.settlement.store.reference.calendars import calendar
from services.settlement.store.reference.fx_sets import check_set, fx_set_of
from shared.canonical import Canonical


def check(connection: Connection, kind: Kind, name: str, content: Canonical) -> None:
    """Raises AlreadyPublished, FxQuoteRefused, FxQuoteInverted, ResourceNotFound."""
    if kind is Kind.FX_SET and isinstance(content, Mapping):
        check_set(connection, fx_set_of(name, content))
    elif kind is Kind.MODEL and isinstance(content, Mapping):
        calendar(connection, str(content["calendar"]))
