"""Batches: calculated, submitted, released; what one means for a partner."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer
from coalition.settlement.v1 import batches_pb2 as pb
from coalition.settlement.v1 import settlement_pb2

from services.cli.options import HomeOption, Output, OutputOption
from services.cli.settle.patience import patiently
from services.cli.settle.rehearsing import rehearsal
from services.cli.settle.ways import (
    BLOCKED,
    DONE,
    LOCAL,
    NEEDS_A_PERSON,
    SECONDS,
    PersonOption,
    calls,
    money,
    named,
    pages,
    request_id,
    tell,
)
from services.sandbox.clients import Calls
from shared.rpc.channel import call
from shared.rpc.wire import date_pb

_CALCULATE_SECONDS = 600.0
_CLOSED = {settlement_pb2.WINDOW_STATE_CLOSED}
BatchArgument = Annotated[str, typer.Argument(help="B42")]
WhyOption = Annotated[str, typer.Option("--why", help="The reason, for the record.")]


def run(
    model: Annotated[
        str, typer.Argument(help="models/{id}, or MULTILATERAL, BILATERAL, CYCLES_ONLY.")
    ] = "MULTILATERAL",
    windows: Annotated[
        list[str] | None, typer.Option("--window", help="W42, may be repeated.", show_default="all closed ones")
    ] = None,
    batch: Annotated[str, typer.Option("--batch", help="Go on with this one.")] = "",
    due: Annotated[str, typer.Option(help="Payment day, 2026-12-01.", show_default="by the model")] = "",
    fx_set: Annotated[str, typer.Option("--fx", help="fxSets/{id}, where a currency is converted.")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Calculate only what would be; nothing is stored.")
    ] = False,
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Net closed windows into a batch and submit it for approval. Again: the same batch, one step further."""
    if rehearsal() and not dry_run:
        raise typer.BadParameter("it takes several steps: `coalition settle run --dry-run` shows what they come to")
    settlement = calls(home, person)
    chosen = [named("W", one) for one in windows or []] or _closed(settlement)
    if dry_run:
        wanted = pb.SimulateBatchRequest(windows=chosen)
        simulated = patiently(settlement.batches.SimulateBatch, wanted, "calculating", timeout=_CALCULATE_SECONDS)
        tell({"models": [_shown(one) for one in simulated.models]}, then="coalition settle run", output=output)
        return
    if not batch and not chosen:
        tell({"batch": "", "windows": []}, then="coalition settle close", output=output)
        return
    found = _get(settlement, batch) if batch else _created(settlement, chosen, model, due, fx_set)
    if found.state == pb.BATCH_STATE_DRAFT:
        found = _calculated(settlement, found)
    if found.state == pb.BATCH_STATE_CALCULATED and not _blocking(found):
        found = _submitted(settlement, found)
    _tell(found, output)


def submit(
    batch: BatchArgument, person: PersonOption = LOCAL, output: OutputOption = Output.TEXT, home: HomeOption = None
) -> None:
    """Hand a calculated batch to another person."""
    settlement = calls(home, person)
    _tell(_submitted(settlement, _get(settlement, batch)), output)


def release(
    batch: BatchArgument,
    sha256: Annotated[str, typer.Option(help="The hash that was approved.", show_default="the batch's")] = "",
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Send what was approved: collections first, payments as funding allows."""
    settlement = calls(home, person)
    found = _get(settlement, batch)
    content = bytes.fromhex(sha256) if sha256 else found.content_sha256
    request = pb.ReleaseBatchRequest(
        name=found.name, request_id=request_id("release", found.name, content.hex()), content_sha256=content
    )
    _tell(call(settlement.batches.ReleaseBatch, request, timeout=SECONDS), output)


def revise(
    batch: BatchArgument,
    why: WhyOption,
    due: Annotated[str, typer.Option(help="Another payment day, 2026-12-01.")] = "",
    fx_set: Annotated[str, typer.Option("--fx", help="Other rates: fxSets/{id}.")] = "",
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Take a batch back to DRAFT: its approval is void, its files are withdrawn."""
    settlement = calls(home, person)
    found = _get(settlement, batch)
    request = pb.ReviseBatchRequest(
        name=found.name,
        request_id=request_id("revise", found.name, found.revision, why),
        reason=why,
        due_date=date_pb(day_of(due)) if due else None,
        fx_set=fx_set,
    )
    _tell(call(settlement.batches.ReviseBatch, request, timeout=SECONDS), output)


def cancel(
    batch: BatchArgument,
    why: WhyOption,
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Give a batch up; its windows are free for another."""
    settlement = calls(home, person)
    name = named("B", batch)
    request = pb.CancelBatchRequest(name=name, request_id=request_id("cancel", name, why), reason=why)
    _tell(call(settlement.batches.CancelBatch, request, timeout=SECONDS), output)


def explain(
    batch: BatchArgument,
    partner: Annotated[str, typer.Argument(help="The partner's id.")],
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """How a partner's payment in a batch comes about."""
    found = _get(calls(home, person), batch)
    facts = {
        "batch": found.name,
        "partner": partner,
        "nets": [
            {"lines": money(one.lines), "fees": money(one.fees), "taxes": money(one.taxes), "net": money(one.net)}
            for one in found.nets
            if one.partner == partner
        ],
        "conversions": [
            {"from": money(getattr(one, "from")), "to": money(one.to)}
            for one in found.conversions
            if one.partner == partner
        ],
        "dispositions": [
            {"do": _do(one), "amount": money(one.amount), "opening": money(one.opening), "why": one.reason}
            for one in found.dispositions
            if one.partner == partner
        ],
        "debts": [
            {"debtor": one.debtor, "creditor": one.creditor, "amount": money(one.amount)}
            for one in found.pairs
            if partner in (one.debtor, one.creditor)
        ],
    }
    tell(facts, output=output)


def _closed(settlement: Calls) -> list[str]:
    """Closed windows that no live batch has."""
    found = {
        window.name
        for page in pages(settlement.windows.ListWindows, settlement_pb2.ListWindowsRequest())
        for window in page.windows
        if window.state in _CLOSED
    }
    for page in pages(settlement.batches.ListBatches, pb.ListBatchesRequest()):
        for batch in page.batches:
            if batch.state != pb.BATCH_STATE_CANCELLED:
                found -= {one.window for one in batch.slices}
    return sorted(found, key=lambda name: int(name.removeprefix("windows/")))


def _get(settlement: Calls, batch: str) -> pb.Batch:
    return call(settlement.batches.GetBatch, pb.GetBatchRequest(name=named("B", batch)), timeout=SECONDS)


def _created(settlement: Calls, windows: list[str], model: str, due: str, fx_set: str) -> pb.Batch:
    request = pb.CreateBatchRequest(
        request_id=request_id("run", model, due, fx_set, *windows),
        windows=windows,
        netting="NETTING_UNSPECIFIED" if model.startswith("models/") else f"NETTING_{model}",
        model=model if model.startswith("models/") else "",
        due_date=date_pb(day_of(due)) if due else None,
        fx_set=fx_set,
    )
    created = call(settlement.batches.CreateBatch, request, timeout=SECONDS)
    return call(settlement.batches.GetBatch, pb.GetBatchRequest(name=created.name), timeout=SECONDS)


def _calculated(settlement: Calls, batch: pb.Batch) -> pb.Batch:
    request = pb.CalculateBatchRequest(
        name=batch.name, request_id=request_id("calculate", batch.name, batch.revision, batch.etag)
    )
    return patiently(settlement.batches.CalculateBatch, request, "calculating", timeout=_CALCULATE_SECONDS)


def _submitted(settlement: Calls, batch: pb.Batch) -> pb.Batch:
    request = pb.SubmitBatchRequest(
        name=batch.name, request_id=request_id("submit", batch.name, batch.content_sha256.hex())
    )
    return call(settlement.batches.SubmitBatch, request, timeout=SECONDS)


def _tell(batch: pb.Batch, output: Output) -> None:
    state = pb.BatchState.Name(batch.state).removeprefix("BATCH_STATE_")
    blocking, short = _blocking(batch), batch.name.replace("batches/", "B")
    facts = {
        "batch": batch.name,
        "state": state,
        "revision": batch.revision,
        "sha256": batch.content_sha256.hex(),
        "payments": [
            {"partner": one.partner, "do": _do(one), "amount": money(one.amount)}
            for one in batch.dispositions
            if one.disposing in (pb.DISPOSING_COLLECT, pb.DISPOSING_PAY)
        ],
        "models": [_shown(one) for one in batch.models],
        "blocked": blocking,
    }
    then, code = {
        "DRAFT": (f"coalition settle run --batch {short}", DONE),
        "CALCULATED": (f"coalition settle submit {short}", DONE),
        "PENDING_APPROVAL": (
            f"another person: coalition settle approve {short} --sha256 {batch.content_sha256.hex()}",
            NEEDS_A_PERSON,
        ),
        "APPROVED": (f"coalition settle release {short}", NEEDS_A_PERSON),
        "REJECTED": (f"coalition settle revise {short} --why ...", NEEDS_A_PERSON),
        "RELEASING": ("coalition settle bank import FILE", DONE),
        "IN_PAYMENT": ("coalition settle bank import FILE", DONE),
        "PARTIALLY_SETTLED": ("coalition settle breaks", NEEDS_A_PERSON),
    }.get(state, ("", DONE))
    tell(facts, then=then, code=BLOCKED if blocking and state == "CALCULATED" else code, output=output)


def _blocking(batch: pb.Batch) -> list[str]:
    return [f"{one.condition}: {one.detail}" for one in batch.blocking_conditions if not one.overridden]


def _shown(one: pb.NettingShown) -> dict[str, object]:
    return {
        "model": pb.Netting.Name(one.netting).removeprefix("NETTING_"),
        "moved": money(one.moved),
        "payments": one.payment_count,
        "saving": f"{one.saving_percent.value} %" if one.saving_percent.value else "",
    }


def _do(one: pb.BatchDisposition) -> str:
    return pb.Disposing.Name(one.disposing).removeprefix("DISPOSING_")


def day_of(text: str) -> date:
    """A day as it is written, 2026-12-01."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no day: write 2026-12-01") from None
