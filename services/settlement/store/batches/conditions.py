"""What blocks a batch from being submitted or released. Conditions come and go; they are no states and in no hash."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, text

from services.settlement.domain.batch import Calculation, Disposition, Do
from services.settlement.domain.batch.refusals import BatchBlocked
from services.settlement.domain.breaks import STOPS
from services.settlement.domain.position import PLACES
from services.settlement.store import accounts, quarantine, sending, stops
from services.settlement.store.batches.rows import Batch
from services.settlement.store.breaks import Break
from services.settlement.store.caps import Cap, in_force
from services.settlement.store.positions import has_cover, position
from shared.money import decimal_text, exponent_of, major

CAP_BREACH, FUNDING_SHORT, ACCOUNT_COOLING_OFF = "CAP_BREACH", "FUNDING_SHORT", "ACCOUNT_COOLING_OFF"
QUARANTINE = "QUARANTINE"
OVERRIDABLE = frozenset({CAP_BREACH, FUNDING_SHORT, ACCOUNT_COOLING_OFF, QUARANTINE})
"""A quarantine only for approving again what was lost, with the bytes of the archive: sending asks for itself."""
FLAGGED = frozenset({ACCOUNT_COOLING_OFF})
"""After approval it is shown and stops nothing: what is frozen keeps the account that two people saw."""
STOPPING = frozenset(reason.value for reason in STOPS)
"""They keep a batch from being released, not from being submitted, and nobody overrides them."""

_SHOWN = 5

_HOMELESS = text("""
SELECT partner, currency, clearing_account IS NULL AS no_clearing FROM settlement.instructions
WHERE batch = :batch AND revision = :revision AND state = 'PENDING' ORDER BY partner, currency
""")
_UNTAKEN = text("""
SELECT currency, sum(minor)::text AS minor FROM settlement.openings
WHERE taken_by IS NULL AND partner NOT IN ('@fx', '@default') AND batch <> :batch GROUP BY currency
""")
_PREFUNDED = text("SELECT currency, sum(amount_minor)::text AS minor FROM settlement.prefundings GROUP BY currency")
_OVERRIDDEN = text("""
SELECT condition FROM settlement.batch_overrides WHERE batch = :batch AND content_sha256 = :sha256
""")


class Condition(NamedTuple):
    """One condition, whom it concerns, and whether two people decided to go on in spite of it."""

    name: str
    detail: str
    overridden: bool = False


def standing(
    connection: Connection, batch: Batch, dispositions: Iterable[Disposition], at: datetime
) -> list[Condition]:
    """What blocks a calculated batch now."""
    found = list(dispositions)
    conditions = [
        *_over_caps(connection, found, at),
        *short(found, _free(connection, batch)),
        *_accounts(connection, batch, found, at),
    ]
    conditions += map(_stopping, stops.of(connection, paid_in(found)))
    if why := quarantine.standing(connection):
        conditions.append(Condition(QUARANTINE, why))
    which = {"batch": batch.number, "sha256": batch.content_sha256}
    overridden = set(connection.execute(_OVERRIDDEN, which).scalars())
    return [one._replace(overridden=one.name in overridden) for one in conditions]


def check(
    connection: Connection,
    batch: Batch,
    dispositions: Iterable[Disposition],
    at: datetime,
    but: frozenset[str] = frozenset(),
) -> None:
    """Raises BatchBlocked, unless by those in `but` alone."""
    found = standing(connection, batch, dispositions, at)
    left = [one for one in found if not one.overridden and one.name not in but]
    if left:
        names = ", ".join(one.name for one in left)
        raise BatchBlocked(batch=batch.name, conditions=names, detail="; ".join(one.detail for one in left))


def paid_in(dispositions: Iterable[Disposition]) -> set[str]:
    """The currencies in which a batch pays or collects."""
    return {one.currency for one in dispositions if one.do in {Do.PAY, Do.COLLECT}}


def waiting(connection: Connection, batch: Batch) -> list[Condition]:
    """What the files of a batch that is being released wait for."""
    _, short = sending.looked_at(connection, batch.number)
    stopping = stops.of(connection, {one.currency for one in short})
    missing = [
        f"{one.msg_id} waits for {_text(one.missing_minor, one.currency)}"
        for one in short
        if one.currency not in {stop.currency for stop in stopping}
    ]
    return [*([Condition(FUNDING_SHORT, _some(missing))] if missing else []), *map(_stopping, stopping)]


def over_caps(dispositions: Iterable[Disposition], caps: Mapping[str, Cap]) -> list[Condition]:
    """CAP_BREACH: who would have to pay more than its cap."""
    over = [
        f"{one.partner} owes {_text(-one.net_minor - one.opening_minor, one.currency)}, "
        f"its cap is {_text(caps[one.partner].cap_minor, one.currency)}"
        for one in dispositions
        if one.partner in caps
        and caps[one.partner].currency == one.currency
        and -(one.net_minor + one.opening_minor) > caps[one.partner].cap_minor
    ]
    return [Condition(CAP_BREACH, _some(over))] if over else []


def _stopping(stop: Break) -> Condition:
    return Condition(stop.reason.value, f"{stop.name}: {stop.detail}")


def _over_caps(connection: Connection, dispositions: list[Disposition], at: datetime) -> list[Condition]:
    """By what the batch collects; and by what a partner owes in all, open windows and points at their worst too."""
    caps = in_force(connection, {one.partner for one in dispositions})
    breached = over_caps(dispositions, caps)
    if breached:
        return breached
    over = []
    for partner, cap in sorted(caps.items()):
        owes = position(connection, partner, at, cap.weight)
        if owes.currency == cap.currency and owes.weighed > cap.cap_minor * 10 ** (PLACES - exponent_of(cap.currency)):
            allowed = _text(cap.cap_minor, cap.currency)
            over.append(f"{partner} owes {owes.text(owes.weighed)} {cap.currency} in all, its cap is {allowed}")
        elif not has_cover(connection, partner, at):
            over.append(f"the collateral of {partner} is used up")
    return [Condition(CAP_BREACH, _some(over))] if over else []


def short(dispositions: Iterable[Disposition], free: Mapping[str, int]) -> list[Condition]:
    """FUNDING_SHORT: when everybody has paid and been paid, the clearing account would be overdrawn."""
    left = Calculation.left_of(dispositions)
    missing = [
        f"{_text(-minor - free.get(currency, 0), currency)} is missing"
        for currency, minor in sorted(left.items())
        if minor + free.get(currency, 0) < 0
    ]
    return [Condition(FUNDING_SHORT, _some(missing))] if missing else []


def _accounts(
    connection: Connection, batch: Batch, dispositions: Iterable[Disposition], at: datetime
) -> list[Condition]:
    which = {"batch": batch.number, "revision": batch.revision}
    conditions = []
    homeless = connection.execute(_HOMELESS, which).all()
    if without := [f"{row.partner} {row.currency}" for row in homeless if not row.no_clearing]:
        conditions.append(Condition("ACCOUNT_MISSING", f"no usable bank account: {_some(without)}"))
    if without := sorted({str(row.currency) for row in homeless if row.no_clearing}):
        conditions.append(Condition("CLEARING_ACCOUNT_MISSING", f"no clearing account in {', '.join(without)}"))
    paid = {(one.partner, one.currency) for one in dispositions if one.do in {Do.PAY, Do.COLLECT}}
    cooling = accounts.cooling_off(connection, sorted({partner for partner, _ in paid}), at)
    if hot := [f"{partner} {currency}" for partner, currency in cooling if (partner, currency) in paid]:
        conditions.append(Condition(ACCOUNT_COOLING_OFF, f"the account was changed just now: {_some(hot)}"))
    return conditions


def _free(connection: Connection, batch: Batch) -> dict[str, int]:
    """What is on the clearing account beside what this batch moves, by currency."""
    found: dict[str, int] = {}
    for rows in (connection.execute(_UNTAKEN, {"batch": batch.number}), connection.execute(_PREFUNDED)):
        for row in rows:
            found[row.currency] = found.get(row.currency, 0) + int(row.minor)
    return found


def _text(minor: int, currency: str) -> str:
    return f"{decimal_text(major(minor, exponent_of(currency)))} {currency}"


def _some(of: list[str]) -> str:
    return ", ".join(of[:_SHOWN]) + (f" and {len(of) - _SHOWN} more" if len(of) > _SHOWN else "")
