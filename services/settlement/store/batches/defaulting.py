"""A partner does not pay: what was not released to the others is taken back, the loss runs down the order of its
contract, and a new batch, to be approved anew, pays the others what is left. Nobody who was paid is asked for it back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Connection, text

from services.settlement.domain.batch import Due
from services.settlement.domain.batch.refusals import NothingUnpaid
from services.settlement.domain.default import Share, waterfall
from services.settlement.domain.machines import BATCH, FILE, INSTRUCTION
from services.settlement.domain.proposal import ContentChanged, Kind, Proposal
from services.settlement.domain.terms import Cover, Terms
from services.settlement.store import instructions, proposals, transitions, windows
from services.settlement.store.batches import contents, defaults, openings, rows, slices
from services.settlement.store.batches.following import follow
from services.settlement.store.batches.rows import Batch
from services.settlement.store.contracts import price_book
from shared.canonical import Canonical, canonical

_UNPAID = text("""
SELECT currency, sum(amount_minor)::text AS minor FROM settlement.instructions
WHERE batch = :batch AND partner = :partner AND kind = 'COLLECT'
    AND state IN ('SENT', 'UNKNOWN', 'REJECTED', 'RETURNED')
GROUP BY currency
""")
_UNRELEASED = text("""
SELECT i.name, i.partner, i.currency, i.amount_minor, i.msg_id FROM settlement.instructions i
JOIN settlement.payment_files f ON f.msg_id = i.msg_id
WHERE i.batch = :batch AND i.kind = 'PAY' AND i.state = 'FROZEN' AND f.state IN ('BUILT', 'APPROVED') ORDER BY i.name
""")
_DECLARE = text("""
INSERT INTO settlement.defaults (batch, partner, currency, proposal, unpaid_minor, document, successor, declared_at)
VALUES (:batch, :partner, :currency, :proposal, :unpaid, :document, :successor, :at)
""")


def propose(
    connection: Connection, batch: Batch, partner: str, covers: Mapping[str, Mapping[Cover, int]], why: str, by: str,
    at: datetime,
) -> Proposal:  # fmt: skip
    """`covers`: by currency, what a guarantee really brings in, where that is not what the contract says, and what the
    operator bears first. Raises NothingUnpaid.
    """
    content: Canonical = {
        "why": why,
        "covers": {
            currency: {cover.value: minor for cover, minor in given.items()} for currency, given in covers.items()
        },
        "shares": _written(shares(connection, batch, partner, covers)),
    }
    return proposals.propose(connection, Kind.DEFAULT, f"{batch.name}/{partner}", content, by, at)


def shares(
    connection: Connection, batch: Batch, partner: str, covers: Mapping[str, Mapping[Cover, int]]
) -> dict[str, list[Share]]:
    """Who bears what, by currency. Raises NothingUnpaid."""
    unpaid = {
        row.currency: int(row.minor) for row in connection.execute(_UNPAID, {"batch": batch.number, "partner": partner})
    }
    if not unpaid:
        raise NothingUnpaid(partner=partner, batch=batch.name)
    terms = _terms(connection, batch, partner)
    waiting: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in connection.execute(_UNRELEASED, {"batch": batch.number}):
        waiting[row.currency][row.partner] += row.amount_minor
    dues = [Due(0, *one) for one in contents.found(connection, batch, batch.take).document["dues"]]
    return {
        currency: waterfall(
            minor,
            terms.default_order if terms else (Cover.OPERATOR, Cover.SURVIVORS),
            {**_contracted(connection, partner, currency, terms), **covers.get(currency, {})},
            billed(dues, currency),
            waiting[currency],
        )
        for currency, minor in sorted(unpaid.items())
    }


def billed(dues: list[Due], currency: str) -> dict[str, int]:
    """What each owes before any netting, in one currency."""
    found: defaultdict[str, int] = defaultdict(int)
    for due in dues:
        if due.currency == currency and due.minor:
            found[due.debtor if due.minor > 0 else due.creditor] += abs(due.minor)
    return dict(found)


def effect(connection: Connection, proposal: Proposal, by: str, at: datetime) -> None:
    """What an approved DEFAULT does. Raises ContentChanged when the shares are not those that were approved."""
    number, partner = proposal.subject.removeprefix("batches/").split("/")
    batch = rows.locked(connection, f"batches/{number}")
    content = cast("dict[str, Any]", proposal.content)  # written above
    covers = {
        currency: {Cover(cover): minor for cover, minor in given.items()}
        for currency, given in content["covers"].items()
    }
    found = shares(connection, batch, partner, covers)
    if _written(found) != content["shares"]:
        raise ContentChanged(name=proposal.name)
    _stopped(connection, batch, by, at)
    rows.lock(connection)
    successor = rows.insert(
        connection, batch.model, proposal.proposed_by, at, due_on=at.date(), default_of=batch.number
    )
    transitions.begin(
        connection, BATCH, successor.name, "DRAFT", "CreateBatch", by=proposal.proposed_by, why=proposal.name, at=at
    )
    for currency, borne in found.items():
        document = canonical({"shares": [[share.cover.value, share.bearer, share.minor] for share in borne]})
        facts = {"batch": batch.number, "partner": partner, "currency": currency, "proposal": proposal.name}
        facts |= {"unpaid": sum(share.minor for share in borne), "document": document}
        connection.execute(_DECLARE, {**facts, "successor": successor.number, "at": at})
    follow(connection, batch.number, at)


def _stopped(connection: Connection, batch: Batch, by: str, at: datetime) -> None:
    """Payments that were not released are cancelled, and what they would have paid is open."""
    stopped = connection.execute(_UNRELEASED, {"batch": batch.number}).all()
    files = sorted({f"files/{row.msg_id}" for row in stopped})
    transitions.move_all(connection, FILE, "payment_files", files, "WITHDRAWN", "default", by=by, at=at)
    names = [row.name for row in stopped]
    transitions.move_all(connection, INSTRUCTION, instructions.TABLE, names, "CANCELLED", "default", by=by, at=at)
    for row in stopped:
        openings.carry(
            connection, batch.number, row.partner, row.currency, row.amount_minor, "DEFAULT", at, instruction=row.name
        )


def _terms(connection: Connection, batch: Batch, partner: str) -> Terms | None:
    """The contract in force where the batch's last window ends."""
    settled = slices.of_batch(connection, batch.number)
    if not settled:
        return None
    window = windows.found(connection, f"windows/{settled[-1].window}")
    book = price_book(connection, window.versions_known)
    version = book.pricing(partner, window.to.created_at if window.to else window.opened_at)
    return book.terms(version) if version is not None else None


def _contracted(connection: Connection, partner: str, currency: str, terms: Terms | None) -> dict[Cover, int]:
    return defaults.covers_left(connection, partner, currency, terms) if terms is not None else {}


def _written(found: Mapping[str, list[Share]]) -> Canonical:
    return {
        currency: [[share.cover.value, share.bearer, share.minor] for share in borne]
        for currency, borne in found.items()
    }
