"""Batches over gRPC: the conversation of two persons, and what each of them is refused."""

from __future__ import annotations

from coalition.settlement.v1 import batches_pb2 as pb
from coalition.settlement.v1 import settlement_pb2

from tests.ledger.till import Till
from tests.settlement.api.desk import replayed
from tests.settlement.batches.wire import SECONDS, agree, fresh
from tests.support.platform import RunningPlatform
from tests.support.refused import Refused


def closed(platform: RunningPlatform) -> str:
    return platform.close_window().name


def create(platform: RunningPlatform, *windows: str) -> pb.Batch:
    request = pb.CreateBatchRequest(request_id=fresh(), windows=windows)
    return platform.operator.batches.CreateBatch(request, timeout=SECONDS)


def submitted(platform: RunningPlatform, batch: pb.Batch) -> pb.Batch:
    request = pb.CalculateBatchRequest(name=batch.name, request_id=fresh(), submit=True)
    return platform.operator.batches.CalculateBatch(request, timeout=SECONDS)


def test_an_empty_window_is_settled_by_two_persons_in_five_calls(platform: RunningPlatform) -> None:
    closed(platform)  # with whatever other tests have done
    window = closed(platform)
    batch = submitted(platform, create(platform, window))
    assert (batch.state, batch.revision) == (pb.BATCH_STATE_PENDING_APPROVAL, 1)
    mine = pb.ApproveBatchRequest(name=batch.name, request_id=fresh(), content_sha256=batch.content_sha256)
    own = Refused.of(lambda: platform.operator.batches.ApproveBatch(mine, timeout=SECONDS))
    assert (own.code.name, own.reason) == ("PERMISSION_DENIED", "OWN_BATCH")
    other = pb.ApproveBatchRequest(name=batch.name, request_id=fresh(), content_sha256=bytes(32))
    colleague = platform.sandbox.colleague.batches
    changed = Refused.of(lambda: colleague.ApproveBatch(other, timeout=SECONDS))
    assert (changed.code.name, changed.reason) == ("ABORTED", "CONTENT_CHANGED")
    first, call = colleague.ApproveBatch.with_call(mine, timeout=SECONDS)
    assert (first.state, replayed(call)) == (pb.BATCH_STATE_APPROVED, False)
    again, call = colleague.ApproveBatch.with_call(mine, timeout=SECONDS)
    assert (again, replayed(call)) == (first, True)
    release = pb.ReleaseBatchRequest(name=batch.name, request_id=fresh(), content_sha256=batch.content_sha256)
    released = platform.operator.batches.ReleaseBatch(release, timeout=SECONDS)
    assert released.state == pb.BATCH_STATE_SETTLED
    settled = platform.operator.windows.GetWindow(settlement_pb2.GetWindowRequest(name=window), timeout=SECONDS)
    assert settled.state == settlement_pb2.WINDOW_STATE_SETTLED


def test_a_batch_tells_nets_models_pairs_and_what_blocks_it(platform: RunningPlatform) -> None:
    closed(platform)
    till = Till(platform, platform.partner(terms=None))
    agree(platform, till.partner.id)
    grant = till.grant()
    till.award(grant, 1_003)
    till.redeem(grant, 7)
    window = closed(platform)
    batches = platform.operator.batches
    batch = create(platform, window)
    taken = Refused.of(lambda: create(platform, window))
    assert (taken.code.name, taken.reason) == ("FAILED_PRECONDITION", "SLICE_TAKEN")
    calculate = pb.CalculateBatchRequest(name=batch.name, request_id=fresh())
    batch = batches.CalculateBatch(calculate, timeout=SECONDS)
    assert [(one.partner, one.net.units, one.net.nanos) for one in batch.nets] == [
        ("operator", 11, 980_000_000),
        (till.partner.id, -11, -980_000_000),
    ]
    assert {one.netting: (one.moved.units, one.payment_count) for one in batch.models} == {
        pb.NETTING_MULTILATERAL: (11, 2),
        pb.NETTING_BILATERAL: (11, 1),
        pb.NETTING_CYCLES_ONLY: (11, 1),
    }
    assert [one.condition for one in batch.blocking_conditions] == ["CLEARING_ACCOUNT_MISSING"]
    submit = pb.SubmitBatchRequest(name=batch.name, request_id=fresh(), etag=batch.etag)
    blocked = Refused.of(lambda: batches.SubmitBatch(submit, timeout=SECONDS))
    assert (blocked.code.name, blocked.reason) == ("FAILED_PRECONDITION", "BATCH_BLOCKED")
    override = pb.OverrideBatchRequest(
        name=batch.name, request_id=fresh(), reason="please", conditions=["CLEARING_ACCOUNT_MISSING"]
    )
    assert Refused.of(lambda: batches.OverrideBatch(override, timeout=SECONDS)).reason == "CONDITION_STANDS"
    simulate = pb.SimulateBatchRequest(name=batch.name, what_if=pb.WhatIf(netting=pb.NETTING_BILATERAL))
    assert list(batches.SimulateBatch(simulate, timeout=SECONDS).differences) == []
    revise = pb.ReviseBatchRequest(name=batch.name, request_id=fresh(), reason="once more", etag="999999")
    assert Refused.of(lambda: batches.ReviseBatch(revise, timeout=SECONDS)).reason == "ETAG_MISMATCH"
    revise.etag = batch.etag
    assert batches.ReviseBatch(revise, timeout=SECONDS).revision == 2
    calculate.request_id = fresh()
    batches.CalculateBatch(calculate, timeout=SECONDS)
    compare = pb.CompareRevisionsRequest(name=batch.name)
    paths = {one.path for one in batches.CompareRevisions(compare, timeout=SECONDS).differences}
    assert "revision" in paths
    cancel = pb.CancelBatchRequest(name=batch.name, request_id=fresh(), reason="a test")
    assert batches.CancelBatch(cancel, timeout=SECONDS).state == pb.BATCH_STATE_CANCELLED
    assert create(platform, window).state == pb.BATCH_STATE_DRAFT


def test_a_batch_that_is_not_there_is_not_found(platform: RunningPlatform) -> None:
    missing = pb.GetBatchRequest(name="batches/999999")
    found = Refused.of(lambda: platform.operator.batches.GetBatch(missing, timeout=SECONDS))
    assert (found.code.name, found.reason) == ("NOT_FOUND", "BATCH_NOT_FOUND")
