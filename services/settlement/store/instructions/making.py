"""Making instructions when a batch is calculated, another attempt when one failed; taking back what is unsent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Connection, text

from services.settlement.domain.batch import Disposition, Do
from services.settlement.domain.instruction import Method
from services.settlement.domain.machines import FILE, INSTRUCTION
from services.settlement.domain.refusals import PaymentFileReleased
from services.settlement.domain.terms import Collection
from services.settlement.formats import ids
from services.settlement.store import accounts, contracts, transitions
from services.settlement.store.instructions.rows import SELF, TABLE, Stored
from shared.instants import micros

_ATTEMPTS = text("""
SELECT partner, max(attempt) AS attempts FROM settlement.instructions WHERE batch = :batch GROUP BY partner
""")
_INSERT = text("""
INSERT INTO settlement.instructions (name, end_to_end_id, batch, revision, partner, currency, attempt, kind, method,
    amount_minor, reference, due_on, account, bank_account, clearing_account, supersedes, created_at, state)
VALUES (:name, :end_to_end_id, :batch, :revision, :partner, :currency, :attempt, :kind, :method,
    :amount_minor, :reference, :due_on, :account, :bank_account, :clearing_account, :supersedes, :at, 'PENDING')
""")
_UNSENT = text("""
SELECT name FROM settlement.instructions WHERE batch = :batch AND state IN ('PENDING', 'FROZEN') ORDER BY name
""")
_GONE = text("""
SELECT name FROM settlement.instructions
WHERE batch = :batch AND state NOT IN ('PENDING', 'FROZEN', 'CANCELLED', 'SUPERSEDED', 'CARRIED') LIMIT 1
""")
_FILES = text("SELECT name, state FROM settlement.payment_files WHERE batch = :batch ORDER BY name")


class Obstacle(NamedTuple):
    """Why an instruction has no account to go to: ACCOUNT_MISSING, CLEARING_ACCOUNT_MISSING."""

    condition: str
    partner: str
    currency: str


def make(
    connection: Connection, batch: int, revision: int, dispositions: Iterable[Disposition], due_on: date, at: datetime
) -> list[Obstacle]:
    """Instructions for what is to be collected and paid; answers with those that lack an account.

    Money is collected by direct debit where the contract says so and the partner's account has a mandate for it;
    otherwise the partner pays in.
    """
    wanted = [one for one in dispositions if one.do in {Do.COLLECT, Do.PAY}]
    own = accounts.usable(connection, (one.partner for one in wanted), at)
    clearing = accounts.clearing(connection, at)
    paying_in = _paying_in(connection, {one.partner for one in wanted if one.do is Do.COLLECT}, at)
    attempts = {row.partner: row.attempts for row in connection.execute(_ATTEMPTS, {"batch": batch})}
    rows, obstacles = [], []
    for one in sorted(wanted, key=lambda one: (one.partner, one.currency)):
        attempts[one.partner] = attempts.get(one.partner, 0) + 1
        account, into = own.get((one.partner, one.currency)), clearing.get(one.currency)
        may_collect = account is not None and account.account.mandate and one.partner not in paying_in
        method = _method(one.do, may_collect=bool(may_collect))
        if into is None:
            obstacles.append(Obstacle("CLEARING_ACCOUNT_MISSING", "operator", one.currency))
        if account is None and method is not Method.PAY_IN:
            obstacles.append(Obstacle("ACCOUNT_MISSING", one.partner, one.currency))
        row = _row(
            batch, revision, one.partner, one.currency, attempts[one.partner], method, one.amount_minor, due_on, at
        )
        rows.append({**row, **_ends(account, into)})
    _insert(connection, rows, "CalculateBatch", SELF, at)
    return obstacles


def another(connection: Connection, old: Stored, account: accounts.Stored, by: str, at: datetime) -> str:
    """The next attempt at what was rejected or returned, to another account; answers with its name."""
    attempts = {row.partner: row.attempts for row in connection.execute(_ATTEMPTS, {"batch": old.batch})}
    attempt, into = attempts[old.partner] + 1, accounts.clearing(connection, at).get(old.currency)
    row = _row(old.batch, old.revision, old.partner, old.currency, attempt, old.method, old.amount_minor, at.date(), at)
    _insert(connection, [{**row, **_ends(account, into), "supersedes": old.name}], "SupersedeInstruction", by, at)
    return str(row["name"])


def cancel(connection: Connection, batch: int, act: str, by: str, at: datetime) -> None:
    """Take back what was not released: `act` is ReviseBatch, CancelBatch or default. Raises PaymentFileReleased."""
    if gone := connection.execute(_GONE, {"batch": batch}).scalar():
        raise PaymentFileReleased(name=gone)
    files = {row.name: row.state for row in connection.execute(_FILES, {"batch": batch})}
    for name, state in files.items():
        if state not in {"BUILT", "APPROVED", "WITHDRAWN", "REJECTED"}:
            raise PaymentFileReleased(name=name)
    unsent = connection.execute(_UNSENT, {"batch": batch}).scalars().all()
    withdrawn = [name for name, state in files.items() if state in {"BUILT", "APPROVED"}]
    transitions.move_all(connection, INSTRUCTION, TABLE, unsent, "CANCELLED", act, by=by, at=at)
    transitions.move_all(connection, FILE, "payment_files", withdrawn, "WITHDRAWN", act, by=by, at=at)


def _insert(connection: Connection, rows: Sequence[dict[str, object]], act: str, by: str, at: datetime) -> None:
    if rows:
        connection.execute(_INSERT, list(rows))
        transitions.begin_all(connection, INSTRUCTION, [str(row["name"]) for row in rows], "PENDING", act, by=by, at=at)


def _paying_in(connection: Connection, partners: Iterable[str], at: datetime) -> set[str]:
    """Those whose contract says that they pay in."""
    book = contracts.price_book(connection, contracts.versions_known(connection))
    found = {partner: book.in_force(partner, micros(at)) for partner in partners}
    return {one for one, version in found.items() if version and book.terms(version).collection is Collection.PAY_IN}


def _method(do: Do, *, may_collect: bool) -> Method:
    if do is Do.PAY:
        return Method.CREDIT_TRANSFER
    return Method.DIRECT_DEBIT if may_collect else Method.PAY_IN


def _row(
    batch: int,
    revision: int,
    partner: str,
    currency: str,
    attempt: int,
    method: Method,
    amount_minor: int,
    due_on: date,
    at: datetime,
) -> dict[str, object]:
    end_to_end_id = ids.end_to_end_id(batch, partner, attempt)
    return {
        "name": f"batches/{batch}/instructions/{end_to_end_id}",
        "end_to_end_id": end_to_end_id,
        "batch": batch,
        "revision": revision,
        "partner": partner,
        "currency": currency,
        "attempt": attempt,
        "kind": "PAY" if method is Method.CREDIT_TRANSFER else "COLLECT",
        "method": method.value,
        "amount_minor": amount_minor,
        "reference": ids.reference(end_to_end_id) if method is Method.PAY_IN else "",
        "due_on": due_on,
        "supersedes": None,
        "at": at,
    }


def _ends(account: accounts.Stored | None, clearing: accounts.Stored | None) -> dict[str, object]:
    """Both ends of a payment as they are fixed in its row."""
    return {
        "account": account.account.iban if account else "",
        "bank_account": account.name if account else None,
        "clearing_account": clearing.name if clearing else None,
    }
