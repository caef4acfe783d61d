"""Batches to messages."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from coalition.settlement.v1 import batches_pb2 as pb
from google.type.decimal_pb2 import Decimal as DecimalMessage

from services.settlement.domain.batch import Slice
from services.settlement.domain.netting import Shown, gross
from services.settlement.store.batches.conditions import Condition
from services.settlement.store.batches.contents import Stored
from services.settlement.store.batches.openings import Open
from services.settlement.store.batches.rows import Batch
from services.settlement.store.simulation import Simulated
from shared.rpc import wire

_MOST_BYTES = 4 * 1024 * 1024
"""Of a content that goes into a message; what is larger is in the evidence pack."""


def batch_pb(
    batch: Batch, slices: Iterable[Slice], conditions: Iterable[Condition] = (), proposal: str = ""
) -> pb.Batch:
    """A batch without what was calculated."""
    return pb.Batch(
        name=batch.name,
        state=f"BATCH_STATE_{batch.state}",
        etag=str(batch.etag),
        revision=batch.revision,
        slices=[pb.WindowSlice(window=f"windows/{one.window}", currency=one.currency) for one in slices],
        netting=f"NETTING_{batch.model.value}",
        model=batch.named_model,
        due_date=wire.date_pb(batch.due_on),
        fx_set=batch.fx_set,
        creator=batch.created_by,
        editor=batch.edited_by,
        decider=batch.decided_by,
        reason=batch.why,
        create_time=wire.timestamp(batch.created_at),
        content_sha256=batch.content_sha256,
        blocking_conditions=[condition_pb(one) for one in conditions],
        proposal=proposal,
        calculation=batch.take,
    )


def with_content(message: pb.Batch, stored: Stored) -> pb.Batch:
    """With all that was calculated, read from the bytes that are approved."""
    document, fits = stored.document, len(stored.content) <= _MOST_BYTES
    message.content = stored.content if fits else b""
    message.nets.extend(_net(*one) for one in document["nets"])
    message.dispositions.extend(_disposition(*one) for one in document["dispositions"])
    for one in document["currencies"]:
        _currency(message, one, pairs=fits)
    if document["fx"]:
        message.conversions.extend(_conversion(*one) for one in document["fx"]["conversions"])
    message.proofs.extend(pb.BatchProof(proof=proof, says=says) for proof, says in document["proofs"])
    return message


def condition_pb(one: Condition) -> pb.BlockingCondition:
    """One condition."""
    return pb.BlockingCondition(condition=one.name, detail=one.detail, overridden=one.overridden)


def opening_pb(one: Open) -> pb.Opening:
    """What a batch left open."""
    return pb.Opening(
        name=one.name,
        batch=f"batches/{one.batch}",
        partner=one.partner,
        amount=wire.money_pb(one.minor, one.currency),
        reason=one.why,
        carry_time=wire.timestamp(one.carried_at),
    )


def simulation_pb(found: Simulated) -> pb.BatchSimulation:
    """What would change, partner by partner."""
    differences = []
    for key in sorted(found.before.keys() | found.after.keys()):
        before, after = found.before.get(key), found.after.get(key)
        if before != after:
            partner, currency = key
            was, would = before.minor if before else 0, after.minor if after else 0
            differences.append(
                pb.SimulatedDifference(
                    partner=partner,
                    before=wire.money_pb(was, currency),
                    after=wire.money_pb(would, currency),
                    difference=wire.money_pb(would - was, currency),
                    disposing_before=f"DISPOSING_{before.do.value if before else 'NONE'}",
                    disposing_after=f"DISPOSING_{after.do.value if after else 'NONE'}",
                )
            )
    shares = [
        pb.DefaultShare(
            defaulter=one.defaulter,
            cover=one.share.cover.value,
            bearer=one.share.bearer,
            amount=wire.money_pb(one.share.minor, one.currency),
        )
        for one in found.borne
    ]
    shown = [
        _model(one, currency, gross(found.calculation.pairs[currency]))
        for currency, models in found.calculation.shown.items()
        for one in models
    ]
    return pb.BatchSimulation(
        differences=differences,
        models=shown,
        blocking_conditions=[condition_pb(one) for one in found.conditions],
        shares=shares,
        defaulters=sorted({one.defaulter for one in found.borne}),
    )


def _net(partner: str, currency: str, lines: int, fees: int, taxes: int, net: int) -> pb.BatchNet:
    return pb.BatchNet(
        partner=partner,
        lines=wire.money_pb(lines, currency),
        fees=wire.money_pb(fees, currency),
        taxes=wire.money_pb(taxes, currency),
        net=wire.money_pb(net, currency),
    )


def _disposition(
    partner: str, currency: str, net: int, opening: int, do: str, amount: int, why: str
) -> pb.BatchDisposition:
    return pb.BatchDisposition(
        partner=partner,
        net=wire.money_pb(net, currency),
        opening=wire.money_pb(opening, currency),
        disposing=f"DISPOSING_{do}",
        amount=wire.money_pb(amount, currency),
        reason=why,
    )


def _currency(message: pb.Batch, document: dict[str, Any], *, pairs: bool) -> None:
    currency = document["currency"]
    set_off = {(debtor, creditor): minor for debtor, creditor, minor in document["set_off"]}
    for debtor, creditor, minor in document["pairs"] if pairs else ():
        message.pairs.add(
            debtor=debtor,
            creditor=creditor,
            amount=wire.money_pb(minor, currency),
            set_off=wire.money_pb(set_off.get((debtor, creditor), 0), currency),
        )
    for payer, payee, minor in document["between"]:
        message.direct_payments.add(payer=payer, payee=payee, amount=wire.money_pb(minor, currency))
    for one in document["models"]:
        message.models.add(
            netting=f"NETTING_{one['model']}",
            currency=currency,
            gross=wire.money_pb(document["gross"], currency),
            moved=wire.money_pb(one["moved"], currency),
            payment_count=one["payments"],
            saving_percent=_percent(one["saving"]),
        )


def _model(one: Shown, currency: str, owed: int) -> pb.NettingShown:
    return pb.NettingShown(
        netting=f"NETTING_{one.model.value}",
        currency=currency,
        gross=wire.money_pb(owed, currency),
        moved=wire.money_pb(one.moved_minor, currency),
        payment_count=len(one.payments),
        saving_percent=_percent(one.saving or ""),
    )


def _percent(saving: str) -> DecimalMessage | None:
    return wire.decimal_pb(Decimal(saving)) if saving else None


def _conversion(
    partner: str, currency: str, minor: int, target: str, target_minor: int, rounding: str
) -> pb.BatchConversion:
    message = pb.BatchConversion(partner=partner, to=wire.money_pb(target_minor, target), fx_rounding=rounding)
    getattr(message, "from").CopyFrom(wire.money_pb(minor, currency))
    return message
