"""A few bytes can break a rule; what is said about many of them has an end, and nobody is let through for it."""

from __future__ import annotations

import time
import tracemalloc

from coalition.ledger.v1 import ledger_pb2 as pb

from shared.rpc.batch import parted
from shared.rpc.invalid import FieldViolation
from shared.rpc.validation import violations_of

GOOD = pb.AwardPointsRequest(
    request_id="0b9d2c1e-5a34-4f6b-9c8d-7e6f5a4b3c2d",
    grant="g" * 40,
    receipt_ref=pb.ReceiptRef(store="S1", terminal="T1", receipt_no="1"),
    lines=[pb.AwardLine(issuer="grocer", points=5)] * 3,
)
GOOD.receipt_ref.business_date.year, GOOD.receipt_ref.business_date.month, GOOD.receipt_ref.business_date.day = (
    2026,
    3,
    1,
)
EMPTY = b"\x0a\x00"


def batch(**broken: pb.AwardPointsRequest) -> pb.BatchAwardPointsRequest:
    """500 items of three lines each, all good but those that are named by their index."""
    items = [broken.get(f"at_{index}", GOOD) for index in range(500)]
    return pb.BatchAwardPointsRequest(items=items)


def test_a_message_of_empty_items_is_refused_at_once_and_in_little_memory() -> None:
    crowd = pb.BatchAwardPointsRequest.FromString(EMPTY * (4 * 1024 * 1024 // len(EMPTY)))
    violations_of(pb.BatchAwardPointsRequest(), "items")  # the rules are compiled
    began = time.thread_time()
    (violation,) = violations_of(crowd, "items")
    took = time.thread_time() - began
    assert (violation.field, violation.rule) == ("items", "repeated.max_items")
    assert took < 2
    assert min(_peak(crowd) for _ in range(3)) < 1_000_000


def _peak(crowd: pb.BatchAwardPointsRequest) -> int:
    """Bytes that the refusal takes, and whatever other threads of this process take meanwhile."""
    tracemalloc.start()
    violations_of(crowd, "items")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def test_one_item_that_is_a_crowd_spoils_itself_alone() -> None:
    crowd = pb.AwardPointsRequest()
    crowd.CopyFrom(GOOD)
    crowd.lines.extend([pb.AwardLine()] * 100_000)
    envelope, spoiled = parted(violations_of(batch(at_7=crowd), "items"), "items")
    assert envelope == []
    assert [(index, len(refusal.violations)) for index, refusal in spoiled.items()] == [(7, 1)]


def test_in_a_large_batch_every_broken_item_is_found_and_told_its_first_violation() -> None:
    broken = pb.AwardPointsRequest()
    broken.CopyFrom(GOOD)
    broken.request_id = broken.grant = ""
    envelope, spoiled = parted(violations_of(batch(at_0=broken, at_499=broken), "items"), "items")
    assert envelope == []
    assert {index: [one.field for one in refusal.violations] for index, refusal in spoiled.items()} == {
        0: ["request_id"],
        499: ["request_id"],
    }


def test_a_large_batch_that_is_good_is_good() -> None:
    assert violations_of(batch(), "items") == []


def test_a_crowd_that_is_no_batch_is_told_its_first_violation() -> None:
    crowd = pb.AwardPointsRequest(lines=[pb.AwardLine()] * 30_000)
    (violation,) = violations_of(crowd)
    assert isinstance(violation, FieldViolation)
