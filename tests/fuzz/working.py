"""The good calls of a busy day, before any bad message: what they bring into memory stays for good ones.

Threads and connections begin when they are first needed, what is remembered of grants and request ids fills up, and
the C library keeps some of what was once needed at the same time. None of that is the doing of bad messages.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Final

import grpc
from coalition.ledger.v1 import ledger_pb2 as pb
from google.protobuf.message import Message

from services.sandbox.services import BUCKETS
from tests.fuzz.sending import AT_ONCE, send
from tests.ledger.till import SECONDS, Till, award, hold, redeem

_WALLETS: Final = 200
_BATCH: Final = 500
_FEW: Final = 8
_MOST: Final = 300
"""Of each call: more changes nothing, and each VerifyJournal reads every entry again."""


def work(till: Till, partner: grpc.Channel, operator: grpc.Channel, calls: int) -> None:
    """So many of each, at most 300, of large ones fewer and fewer at once. All of them succeed."""
    some, grants = random.Random(calls), [till.grant() for _ in range(_WALLETS)]
    funded = pb.BatchAwardPointsRequest(items=[award(grant, 100_000) for grant in grants])
    entry = till.ledger.BatchAwardPoints(funded, timeout=SECONDS).results[0].entry.name

    def one() -> str:
        return some.choice(grants)

    def batch() -> list[pb.AwardPointsRequest]:
        return [award(one(), 5) for _ in range(min(calls, _BATCH))]

    start = [pb.BucketPosition(bucket=bucket, seq=0) for bucket in range(BUCKETS)]
    day: Sequence[tuple[str, int, int, Callable[[], Message]]] = (  # name, one for so many calls, at once
        ("AwardPoints", 1, AT_ONCE, lambda: award(one(), 1_000)),
        ("HoldPoints", 4, AT_ONCE, lambda: hold(one(), 1)),
        ("RedeemPoints", 1, AT_ONCE, lambda: redeem(one(), 1)),
        ("GetBalance", 1, AT_ONCE, lambda: pb.GetBalanceRequest(grant=one())),
        ("GetEntry", 1, AT_ONCE, lambda: pb.GetEntryRequest(name=entry)),
        ("ListEntries", 1, AT_ONCE, lambda: pb.ListEntriesRequest(parent=till.partner.name, grant=one())),
        ("BatchAwardPoints", 300, _FEW, lambda: pb.BatchAwardPointsRequest(items=batch())),
        ("StreamAwardPoints", 300, 1, lambda: pb.StreamAwardPointsRequest(items=batch())),
        ("ReadJournal", 30, 1, lambda: pb.ReadJournalRequest(cursor=start)),
    )
    service = pb.DESCRIPTOR.services_by_name["LedgerService"]
    for name, rarer, at_once, made in day:
        line = operator if name == "ReadJournal" else partner
        contents = (made().SerializeToString() for _ in range(min(calls, _MOST) // rarer + 1))
        said = send(line, f"/{service.full_name}/{name}", service.methods_by_name[name], contents, at_once)
        assert set(said.codes) == {"OK"}, (name, said)
