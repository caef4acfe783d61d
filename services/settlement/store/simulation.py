"""What would be, if: another model, other rates, caps or quotes, debtors that do not pay. Nothing is written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from services.settlement.domain.batch import Basis, Calculation, Disposition, Do, calculated, proven
from services.settlement.domain.default import Share, waterfall
from services.settlement.domain.legs import OPERATOR
from services.settlement.domain.netting import Model
from services.settlement.domain.terms import Cover, Terms
from services.settlement.store import caps, windows
from services.settlement.store.batches import basis as bases
from services.settlement.store.batches import conditions, defaulting, making, slices
from services.settlement.store.batches.conditions import Condition
from services.settlement.store.batches.rows import Batch
from services.settlement.store.caps import Cap
from services.settlement.store.contracts import price_book
from shared.money import Rate


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What is to be otherwise: rates by (partner, leg), caps by partner; how many of the largest debtors do not pay."""

    netting: Model | None = None
    rates: Mapping[tuple[str, str], Rate] = field(default_factory=dict)
    caps: Mapping[str, Cap] = field(default_factory=dict)
    default_of_largest: int = 0
    fx_set: str = ""


class Borne(NamedTuple):
    """What one would bear of a default."""

    defaulter: str
    currency: str
    share: Share


class Ended(NamedTuple):
    """What a partner would come out with in one currency: + it gets, - it pays."""

    minor: int
    do: Do


@dataclass(frozen=True, slots=True)
class Simulated:
    """As things are and if, by (partner, currency)."""

    before: Mapping[tuple[str, str], Ended]
    after: Mapping[tuple[str, str], Ended]
    calculation: Calculation
    conditions: list[Condition]
    borne: list[Borne]


def imagined(model: Model, at: datetime, fx_set: str = "") -> Batch:
    """A batch that is nowhere, for windows that are in none."""
    return Batch(
        number=0, name="batches/0", state="DRAFT", etag=0, revision=1, model=model, named_model="", due_on=at.date(),
        fx_set=fx_set, created_by="", created_at=at, edited_by="", revised_at=at, take=0, content_sha256=b"",
        decided_by="", why="", default_of=0,
    )  # fmt: skip


def simulate(connection: Connection, batch: Batch, numbers: Sequence[int], what: WhatIf) -> Simulated:
    """Of a batch, or of whole windows where it is imagined. Raises WindowNotFound, WindowNotClosed, FxIncomplete."""
    settled = (
        slices.of_batch(connection, batch.number) if batch.number else tuple(slices.of_windows(connection, numbers))
    )
    held = caps.suspended(connection)
    now = bases.supposed(connection, batch, settled, {}, held)
    other = replace(batch, model=what.netting or batch.model, fx_set=what.fx_set or batch.fx_set)
    then = bases.supposed(connection, other, settled, what.rates, held)
    before, after = calculated(now, making.solved), calculated(then, making.solved)
    proven(then, after)
    known = {**caps.in_force(connection, {one.partner for one in after.dispositions}), **what.caps}
    ends = _ends(after.dispositions)
    borne = _defaults(connection, then, after, what.default_of_largest)
    for one in borne:
        debt = ends.get((one.defaulter, one.currency))
        if debt is not None and debt.do is Do.COLLECT:
            ends[one.defaulter, one.currency] = Ended(0, Do.NONE)
        bearer = one.share.bearer
        if bearer in {name for name, _ in ends} or bearer == OPERATOR:
            old = ends.get((bearer, one.currency), Ended(0, Do.CARRY))
            ends[bearer, one.currency] = Ended(old.minor - one.share.minor, old.do)
    blocking = [*conditions.over_caps(after.dispositions, known), *conditions.short(after.dispositions, {})]
    return Simulated(_ends(before.dispositions), ends, after, blocking, borne)


def _ends(dispositions: Sequence[Disposition]) -> dict[tuple[str, str], Ended]:
    return {
        (one.partner, one.currency): Ended(-one.amount_minor if one.do is Do.COLLECT else one.amount_minor, one.do)
        for one in dispositions
    }


def _defaults(connection: Connection, basis: Basis, made: Calculation, largest: int) -> list[Borne]:
    """The waterfalls of the largest debtors of each currency, one after the other."""
    found: list[Borne] = []
    if not largest or not basis.slices:
        return found
    waiting: defaultdict[str, dict[str, int]] = defaultdict(dict)
    debts: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for one in made.dispositions:
        if one.do is Do.PAY:
            waiting[one.currency][one.partner] = one.amount_minor
        elif one.do is Do.COLLECT:
            debts[one.currency].append((-one.amount_minor, one.partner))
    terms = _terms(connection, max(one.window for one in basis.slices))
    for currency, owing in sorted(debts.items()):
        for minus, partner in sorted(owing)[:largest]:
            own = terms.get(partner)
            shares = waterfall(
                -minus,
                own.default_order if own else (Cover.OPERATOR, Cover.SURVIVORS),
                own.covers_in(currency) if own else {},
                defaulting.billed(list(basis.dues), currency),
                waiting[currency],
            )
            for share in shares:
                found.append(Borne(partner, currency, share))
                if share.cover is Cover.SURVIVORS:
                    waiting[currency][share.bearer] -= share.minor
    return found


def _terms(connection: Connection, window: int) -> dict[str, Terms]:
    last = windows.found(connection, f"windows/{window}")
    book = price_book(connection, last.versions_known)
    at = last.to.created_at if last.to else last.opened_at
    found = {partner: book.pricing(partner, at) for partner in book.partners(at + 1)}
    return {partner: book.terms(version) for partner, version in found.items() if version is not None}
