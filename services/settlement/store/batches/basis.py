"""The basis of a batch, read from the rows of closed windows: they never change, so it can be read again for ever."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal

from sqlalchemy import Connection, text

from services.settlement.domain.batch import Basis, Due, Opening, PaymentTerms, ProofFailed, Proven, Slice
from services.settlement.domain.batch.refusals import ModelDoesNotFit
from services.settlement.domain.legs import OPERATOR, Leg
from services.settlement.domain.lines import Line, booked
from services.settlement.domain.model import SettlementModel
from services.settlement.store import books, reference, windows
from services.settlement.store.batches import defaults, openings, slices
from services.settlement.store.batches.rows import Batch
from services.settlement.store.contracts import price_book
from shared.money import Rate, edition_in_force

_SEALS = text("SELECT window_number, sha256 FROM settlement.seals WHERE window_number = ANY(:numbers)")
_UNPRICED = text("""
SELECT count(*) AS rollups, count(*) FILTER (WHERE v.number IS NULL
    OR (v.number > 1 AND r.latest_at < v.effective_from)) AS unpriced
FROM settlement.all_rollups r
LEFT JOIN settlement.contract_versions v ON v.partner = r.partner AND v.number = r.version
WHERE r.window_number = ANY(:numbers) AND r.subject NOT LIKE 'AMOUNT %'
""")
_FX_DAYS = 5


def fresh(connection: Connection, batch: Batch, held: frozenset[str]) -> Basis:
    """What a batch is calculated from now; free openings become this batch's. `held` are suspended partners.

    Raises FxSetStale, ModelDoesNotFit, ResourceNotFound.
    """
    basis = _without_openings(connection, batch, slices.of_batch(connection, batch.number), {})
    openings.give_back(connection, batch.number)
    taken = openings.take(connection, batch.number, _currencies(basis), batch.default_of)
    return _completed(connection, batch, basis, taken, held)


def again(connection: Connection, batch: Batch, held: frozenset[str]) -> Basis:
    """The basis that it was calculated from: with the openings that it took, and whoever was suspended then."""
    taken = openings.taken(connection, batch.number)
    basis = _without_openings(connection, batch, slices.of_batch(connection, batch.number), {})
    return _completed(connection, batch, basis, taken, held)


def supposed(
    connection: Connection, batch: Batch, settled: tuple[Slice, ...], rates: Mapping[tuple[str, str], Rate],
    held: frozenset[str],
) -> Basis:  # fmt: skip
    """What it would be calculated from, with other rates by (partner, leg): nothing is taken, nothing is written."""
    basis = _without_openings(connection, batch, settled, rates)
    found = openings.taken(connection, batch.number)
    free = openings.free(connection, _currencies(basis), batch.default_of)
    return _completed(connection, batch, basis, (*found, *free), held)


def seals(connection: Connection, basis: Basis) -> list[tuple[int, str]]:
    """The hash that closing gave each window of the basis."""
    numbers = sorted({one.window for one in basis.slices})
    return [(row.window_number, bytes(row.sha256).hex()) for row in connection.execute(_SEALS, {"numbers": numbers})]


def priced(connection: Connection, basis: Basis) -> Proven:
    """P4, as far as rollups can tell: each has one version, none that began after it. Raises ProofFailed."""
    numbers = sorted({one.window for one in basis.slices})
    found = connection.execute(_UNPRICED, {"numbers": numbers}).one()
    if found.unpriced:
        raise ProofFailed(f"P4: {found.unpriced} rollups have no version that was valid")
    return Proven("P4", f"{found.rollups} rollups have one version each")


def edition_of(connection: Connection, basis: Basis) -> str:
    """The edition of ISO 4217 that its last window was booked under; exponents never change behind a batch."""
    numbers = [one.window for one in basis.slices]
    return windows.found(connection, f"windows/{max(numbers)}").currency_edition if numbers else edition_in_force()


def dues_of(window: int, lines: Iterable[Line], currencies: Collection[str]) -> list[Due]:
    """What a window's lines make each owe each, added up by kind; tax apart."""
    sums: defaultdict[tuple[str, str, str, str], int] = defaultdict(int)
    for line in lines:
        key = line.key
        if key.currency in currencies:
            kind = "FEE" if key.leg is Leg.FEE else key.leg.value
            sums[key.debtor, key.creditor, key.currency, kind] += line.booked_minor
            sums[key.debtor, key.creditor, key.currency, "TAX"] += line.tax_minor
    return [Due(window, *key, minor) for key, minor in sorted(sums.items()) if minor or key[3] != "TAX"]


def model_of(connection: Connection, batch: Batch) -> SettlementModel | None:
    """The version of the model that it was made by."""
    if not batch.named_model:
        return None
    name, _, version = batch.named_model.partition("/versions/")
    return reference.model(connection, name, int(version))


def _without_openings(
    connection: Connection, batch: Batch, taken: tuple[Slice, ...], rates: Mapping[tuple[str, str], Rate]
) -> Basis:
    numbers = sorted({one.window for one in taken})
    dues = defaults.dues(connection, batch)
    for number in numbers:
        currencies = {one.currency for one in taken if one.window == number}
        dues += dues_of(number, _at(rates, books.lines_of_window(connection, number)), currencies)
    basis = Basis(batch.number, batch.revision, batch.model, taken, tuple(dues))
    return replace(basis, terms=_terms(connection, numbers[-1]) if numbers else {})


def _at(rates: Mapping[tuple[str, str], Rate], lines: list[Line]) -> list[Line]:
    """Lines booked at other rates. Fees that are a part of what is booked stay as they were."""
    if not rates:
        return lines
    changed = {(line.key.partner, line.key.leg.value) for line in lines} & rates.keys()
    others = [line for line in lines if (line.key.partner, line.key.leg.value) not in changed]
    moved = [
        replace(line, key=line.key._replace(rate=rates[line.key.partner, line.key.leg.value]))
        for line in lines
        if (line.key.partner, line.key.leg.value) in changed
    ]
    # Two lines that were told apart by their rates alone stay two lines.
    apart = [
        replace(line, key=line.key._replace(subject=f"{line.key.subject}#{number}"))
        for number, line in enumerate(moved)
    ]
    return [*others, *booked(apart)]


def _currencies(basis: Basis) -> set[str]:
    """Those in which it settles; none: all that there are."""
    found = {one.currency for one in basis.slices if one.currency}
    return found | {one.currency for one in basis.terms.values() if one.currency and found}


def _completed(
    connection: Connection, batch: Batch, basis: Basis, taken: tuple[Opening, ...], held: frozenset[str]
) -> Basis:
    model = model_of(connection, batch)
    names = {name for due in basis.dues for name in due[1:3]} | {one.partner for one in taken}
    terms = {name: one for name, one in basis.terms.items() if name in names}
    if model is not None:
        strangers = names - {OPERATOR} - model.participants if model.participants else set()
        if strangers:
            raise ModelDoesNotFit(model=batch.named_model, participants=", ".join(sorted(strangers)[:5]))
        terms = {name: _at_least(one, model) for name, one in terms.items()}
    quotes: Mapping[str, Decimal] = {}
    if batch.fx_set:
        fx_set = reference.fx_set(connection, batch.fx_set)
        fx_set.check_fresh(batch.revised_at.date(), model.fx_days if model else _FX_DAYS)
        quotes = fx_set.quotes
    return replace(basis, openings=taken, terms=terms, held=held & names, fx_set=batch.fx_set, quotes=dict(quotes))


def _terms(connection: Connection, window: int) -> dict[str, PaymentTerms]:
    """How each partner is paid: the version in force where the last window ends."""
    last = windows.found(connection, f"windows/{window}")
    book = price_book(connection, last.versions_known)
    found = {}
    at = last.to.created_at if last.to else last.opened_at
    for partner in book.partners(at + 1):
        version = book.in_force(partner, at)
        if version is not None:
            terms = book.terms(version)
            found[partner] = PaymentTerms(terms.paid_in, terms.minimum_payment_minor)
    return found


def _at_least(terms: PaymentTerms, model: SettlementModel) -> PaymentTerms:
    minimum = (model.minimum_minor or {}).get(terms.currency, 0)
    return replace(terms, minimum_minor=max(terms.minimum_minor, minimum))
