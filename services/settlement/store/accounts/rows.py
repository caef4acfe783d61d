"""Bank accounts as rows: read, and asked which one money may go to at a moment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, text

from services.settlement.domain.account import Account, Mandate, Purpose
from services.settlement.domain.contract import OPERATOR
from services.settlement.domain.refusals import BankAccountNotFound

_ONE = text("SELECT * FROM settlement.bank_accounts WHERE name = :name")
_NAMED = text("SELECT * FROM settlement.bank_accounts WHERE name = ANY(:names)")
_PAGE = text("""
SELECT * FROM settlement.bank_accounts WHERE owner = :owner AND number > :after ORDER BY number LIMIT :limit
""")
_USABLE = text("""
SELECT DISTINCT ON (owner, currency) * FROM settlement.bank_accounts
WHERE clearing = :clearing AND owner = ANY(:owners) AND state = 'VERIFIED' AND usable_from <= :at
ORDER BY owner, currency, usable_from DESC, number DESC
""")
# Another account is agreed on already, but money must not follow it yet.
_COOLING = text("""
SELECT DISTINCT owner, currency FROM settlement.bank_accounts
WHERE NOT clearing AND owner = ANY(:owners) AND (state = 'APPROVED' OR (state = 'VERIFIED' AND usable_from > :at))
ORDER BY owner, currency
""")


@dataclass(frozen=True, slots=True)
class Stored:
    """An account's row."""

    name: str
    account: Account
    sha256: bytes
    state: str
    etag: int
    proposal: str
    entered_by: str
    entered_at: datetime
    verified_by: str
    verified_at: datetime | None
    channel: str
    usable_from: datetime | None


def found(connection: Connection, name: str) -> Stored:
    """Raises BankAccountNotFound."""
    return stored_of(connection.execute(_ONE, {"name": name}).mappings().first(), name)


def named(connection: Connection, names: Iterable[str]) -> dict[str, Account]:
    """These accounts, by name."""
    rows = connection.execute(_NAMED, {"names": sorted(set(names))}).mappings()
    return {row["name"]: stored_of(row, row["name"]).account for row in rows}


def page(connection: Connection, owner: str, after: int, limit: int) -> list[Stored]:
    """The accounts of a partner by number."""
    rows = connection.execute(_PAGE, {"owner": owner, "after": after, "limit": limit}).mappings()
    return [stored_of(row, row["name"]) for row in rows]


def usable(connection: Connection, owners: Iterable[str], at: datetime) -> dict[tuple[str, str], Stored]:
    """By partner and currency, the account that money may go to or come from at that moment."""
    return _usable(connection, sorted(set(owners)), clearing=False, at=at)


def clearing(connection: Connection, at: datetime) -> dict[str, Stored]:
    """By currency, the operator's clearing account."""
    rows = _usable(connection, [OPERATOR], clearing=True, at=at)
    return {currency: stored for (_, currency), stored in rows.items()}


def cooling_off(connection: Connection, owners: Iterable[str], at: datetime) -> list[tuple[str, str]]:
    """Partners, with the currency, whose next account money must not follow yet (ACCOUNT_COOLING_OFF)."""
    rows = connection.execute(_COOLING, {"owners": sorted(set(owners)), "at": at})
    return [(row.owner, row.currency) for row in rows]


def _usable(
    connection: Connection, owners: list[str], *, clearing: bool, at: datetime
) -> dict[tuple[str, str], Stored]:
    rows = connection.execute(_USABLE, {"owners": owners, "clearing": clearing, "at": at}).mappings()
    return {(row["owner"], row["currency"]): stored_of(row, row["name"]) for row in rows}


def stored_of(row: RowMapping | None, name: str) -> Stored:
    """A row of bank_accounts. Raises BankAccountNotFound when there is none."""
    if row is None:
        raise BankAccountNotFound(name=name)
    account = Account(
        partner=row["owner"],
        purpose=Purpose.CLEARING if row["clearing"] else Purpose.PARTNER,
        currency=row["currency"],
        holder=row["holder"],
        iban=row["iban"],
        bic=row["bic"],
        mandate=Mandate(row["mandate_id"], row["mandate_signed_on"]) if row["mandate_id"] else None,
        creditor_id=row["creditor_id"],
    )
    return Stored(
        name=row["name"],
        account=account,
        sha256=bytes(row["sha256"]),
        state=row["state"],
        etag=row["etag"],
        proposal=row["proposal"] or "",
        entered_by=row["entered_by"],
        entered_at=row["entered_at"],
        verified_by=row["verified_by"] or "",
        verified_at=row["verified_at"],
        channel=row["channel"] or "",
        usable_from=row["usable_from"],
    )
