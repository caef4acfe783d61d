"""Making batches, and calculating them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, datetime

from sqlalchemy import Connection

from services.settlement.domain.batch import Disposition, Do, ProofFailed, calculated, proven
from services.settlement.domain.batch.refusals import BatchUnproven
from services.settlement.domain.machines import BATCH
from services.settlement.domain.netting import Model, Pairs, SetOff
from services.settlement.domain.proposal import Kind
from services.settlement.formats.solver import largest_set_off
from services.settlement.store import caps, files, instructions, proposals, reference, transitions
from services.settlement.store.batches import basis as bases
from services.settlement.store.batches import contents, rows, slices
from services.settlement.store.batches.contents import Made, Stored
from services.settlement.store.batches.rows import Batch
from shared.money import edition


def create(
    connection: Connection,
    windows: Sequence[int],
    currencies: Collection[str],
    by: str,
    at: datetime,
    *,
    netting: Model | None = None,
    model: str = "",
    due_on: date | None = None,
    fx_set: str = "",
) -> Batch:
    """A batch in DRAFT over slices that nobody else has. What is not said, the model says.

    Raises WindowNotFound, WindowNotClosed, SliceTaken, NothingToSettle, ResourceNotFound.
    """
    rows.lock(connection)
    named = reference.model(connection, model) if model else None
    wanted = slices.free(connection, sorted(set(windows)), currencies or (named.currencies if named else ()))
    if fx_set:
        reference.fx_set(connection, fx_set)
    if due_on is None and named is not None:
        due_on = reference.calendar(connection, named.calendar).business_day(at.date(), named.payment_days)
    batch = rows.insert(
        connection,
        netting or (named.netting if named else Model.MULTILATERAL),
        by,
        at,
        due_on=due_on or at.date(),
        named_model=f"{named.name}/versions/{named.version}" if named else "",
        fx_set=fx_set,
    )
    slices.take(connection, batch.number, wanted)
    transitions.begin(connection, BATCH, batch.name, "DRAFT", "CreateBatch", by=by, at=at)
    return batch


def calculate(connection: Connection, batch: Batch, by: str, at: datetime, etag: int | None = None) -> Batch:
    """A locked batch calculated: DRAFT or CALCULATED becomes CALCULATED. Where nothing is otherwise nothing changes.

    Everything that is written takes its time from the revision's row, so a rerun after a crash gives the same bytes.
    Raises TransitionRefused, EtagMismatch, FxIncomplete, FxSetStale, ModelDoesNotFit, BatchUnproven.
    """
    if etag not in {None, batch.etag}:
        raise transitions.EtagMismatch(name=batch.name, etag=batch.etag)
    BATCH.check(batch.name, batch.state, "CALCULATED", "CalculateBatch")
    batch = _quoted(connection, batch)
    made = calculation(connection, batch)
    if batch.take and batch.state == "CALCULATED":
        stored = contents.found(connection, batch, batch.take)
        if _says_the_same(connection, batch, made, stored):
            return batch
        instructions.cancel(connection, batch.number, "ReviseBatch", by, at)
    instructions.make(
        connection, batch.number, batch.revision, made.calculation.dispositions, batch.due_on, batch.revised_at
    )
    files.build(connection, batch.number, batch.revision, batch.revised_at)
    written = made.written(connection, *contents.paid_by(connection, batch))
    digest = contents.save(connection, batch, batch.take + 1, made, written, by, at)
    rows.change(connection, batch, take=batch.take + 1, content_sha256=digest, edited_by=by)
    proposals.void(connection, Kind.OVERRIDE, batch.name, by=by, at=at, why="calculated anew")
    transitions.move(
        connection, BATCH, rows.TABLE, batch.name, "CALCULATED", "CalculateBatch", by=by, evidence=digest, at=at
    )
    return rows.found(connection, batch.name)


def calculation(connection: Connection, batch: Batch) -> Made:
    """What a batch comes to now; free openings become its own. Raises FxIncomplete, BatchUnproven."""
    basis = bases.fresh(connection, batch, caps.suspended(connection))
    try:
        with edition(bases.edition_of(connection, basis)):
            made = calculated(basis, solved)
        return Made(basis, made, (*proven(basis, made), bases.priced(connection, basis)))
    except ProofFailed as failed:
        raise BatchUnproven(batch=batch.name, why=str(failed)) from failed


def looked_at(connection: Connection, batch: Batch) -> None:
    """Whether a draft could be calculated; nothing is written. Raises as `calculate`."""
    if not batch.fx_set and (newest := reference.newest_fx_set(connection, batch.revised_at.date())):
        batch = replace(batch, fx_set=newest.name)
    settled = slices.of_batch(connection, batch.number)
    calculated(bases.supposed(connection, batch, settled, {}, caps.suspended(connection)), solved)


def quoted_by(connection: Connection, batch: Batch, fx_set: str) -> Batch:
    """With another FX set, while it may be calculated. Raises ResourceNotFound, TransitionRefused."""
    BATCH.check(batch.name, batch.state, "CALCULATED", "CalculateBatch")
    reference.fx_set(connection, fx_set)
    rows.change(connection, batch, fx_set=fx_set)
    return replace(batch, fx_set=fx_set)


def dispositions_of(stored: Stored) -> list[Disposition]:
    """The dispositions of a stored calculation."""
    return [
        Disposition(partner, currency, net, opening, Do(do), amount, why)
        for partner, currency, net, opening, do, amount, why in stored.document["dispositions"]
    ]


def solved(currency: str, pairs: Pairs) -> SetOff:
    """The largest set-off of a matrix."""
    return largest_set_off(pairs)


def _quoted(connection: Connection, batch: Batch) -> Batch:
    """With the newest FX set of its day noted in its row, unless somebody named one. There may be none."""
    newest = None if batch.fx_set else reference.newest_fx_set(connection, batch.revised_at.date())
    if newest is None:
        return batch
    rows.change(connection, batch, fx_set=newest.name)
    return replace(batch, fx_set=newest.name)


def _says_the_same(connection: Connection, batch: Batch, made: Made, stored: Stored) -> bool:
    """Whether it would be the same bytes with the instructions and files that there are, and none lacks its account."""
    paid, filed = contents.paid_by(connection, batch)
    waiting = instructions.of_batch(connection, batch.number, state="PENDING")
    return not waiting and made.written(connection, paid, filed) == stored.content
