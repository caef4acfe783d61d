"""The journal as others read it: pages, the feed, checkpoints, and a chain that anybody can check."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable
from functools import partial
from hashlib import sha256
from uuid import uuid4

import pytest
from coalition.ledger.v1 import ledger_pb2 as pb
from coalition.ledger.v1.ledger_pb2_grpc import LedgerServiceStub

from shared.credentials.keys import key_id, load_public
from tests.ledger.till import SECONDS, Till, after, capture, fresh_id, receipt, refund, reverse, till_of
from tests.support.platform import RunningPlatform
from tests.support.refused import Refused


@pytest.fixture
def operator(platform: RunningPlatform) -> LedgerServiceStub:
    return platform.operator.ledger


def _everything(operator: LedgerServiceStub, page_size: int = 0) -> list[pb.JournalEntry]:
    """The whole journal, as a reader that begins with nothing finds it."""
    count = operator.ReadJournal(pb.ReadJournalRequest(cursor=[pb.BucketPosition()]), timeout=SECONDS).bucket_count
    cursor = [pb.BucketPosition(bucket=bucket) for bucket in range(count)]
    found: list[pb.JournalEntry] = []
    while True:
        page = operator.ReadJournal(pb.ReadJournalRequest(cursor=cursor, page_size=page_size), timeout=SECONDS)
        found += page.entries
        cursor = list(page.cursor)
        if not page.more:
            return found


def _ends(operator: LedgerServiceStub) -> list[pb.BucketPosition]:
    """A cursor at the end of every bucket."""
    checkpoint = operator.TakeCheckpoint(pb.TakeCheckpointRequest(request_id=fresh_id()), timeout=SECONDS)
    return [pb.BucketPosition(bucket=head.bucket, seq=head.seq) for head in checkpoint.heads]


def _root(leaves: list[bytes]) -> bytes:
    """RFC 6962, written out once more: a reader has only the RFC."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + _root(leaves[:split]) + _root(leaves[split:])).digest()


def _canonical(form: dict[str, object]) -> bytes:
    return json.dumps(form, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def test_entries_come_in_pages_that_lose_and_repeat_nothing(till: Till) -> None:
    entries = [till.award(till.grant(), 1 + number) for number in range(23)]
    for size in (1, 5, 23, 0, 5000):
        found: list[pb.Entry] = []
        token = ""
        while True:
            request = pb.ListEntriesRequest(parent=till.partner.name, page_size=size, page_token=token)
            page = till.ledger.ListEntries(request, timeout=SECONDS)
            assert len(page.entries) <= (size or 100)
            found += page.entries
            token = page.next_page_token
            if not token:
                break
        assert found == sorted(entries, key=lambda entry: (entry.bucket, entry.seq))


def test_entries_of_one_wallet_are_listed_by_its_grant(till: Till) -> None:
    grant = till.grant()
    entries = [till.award(grant, 10), till.redeem(grant, 4)]
    till.award(till.grant(), 10)
    request = pb.ListEntriesRequest(parent=till.partner.name, grant=grant, page_size=1)
    first = till.ledger.ListEntries(request, timeout=SECONDS)
    request.page_token = first.next_page_token
    second = till.ledger.ListEntries(request, timeout=SECONDS)
    assert [*first.entries, *second.entries] == entries
    assert not second.next_page_token


def test_the_next_page_of_a_wallet_may_be_asked_for_with_a_fresh_grant(till: Till) -> None:
    wallet = uuid4()
    entries = [till.award(till.grant(wallet)) for _ in range(2)]
    request = pb.ListEntriesRequest(parent=till.partner.name, grant=till.grant(wallet), page_size=1)
    request.page_token = till.ledger.ListEntries(request, timeout=SECONDS).next_page_token
    request.grant = till.grant(wallet)
    assert list(till.ledger.ListEntries(request, timeout=SECONDS).entries) == entries[1:]


def test_a_page_token_continues_its_own_query_only(till: Till, platform: RunningPlatform) -> None:
    grant = till.grant()
    for _ in range(3):
        till.award(grant)
    request = pb.ListEntriesRequest(parent=till.partner.name, page_size=1)
    token = till.ledger.ListEntries(request, timeout=SECONDS).next_page_token
    stranger = till_of(platform)
    foreign = [
        (till, pb.ListEntriesRequest(parent=till.partner.name, grant=grant, page_token=token)),
        (till, pb.ListEntriesRequest(parent=till.partner.name, page_token=token[:-3] + "AAA")),
        (till, pb.ListEntriesRequest(parent=till.partner.name, page_token="!")),
        (stranger, pb.ListEntriesRequest(parent=stranger.partner.name, page_token=token)),
    ]
    for asking, query in foreign:
        refused = Refused.of(partial(asking.ledger.ListEntries, query, timeout=SECONDS))
        assert (refused.code.name, refused.reason) == ("INVALID_ARGUMENT", "INVALID_PAGE_TOKEN")
        assert refused.fields == ["page_token"]


def test_the_operator_lists_any_partners_entries(till: Till, operator: LedgerServiceStub) -> None:
    entry = till.award(till.grant())
    request = pb.ListEntriesRequest(parent=till.partner.name)
    assert list(operator.ListEntries(request, timeout=SECONDS).entries) == [entry]
    assert operator.GetEntry(pb.GetEntryRequest(name=entry.name), timeout=SECONDS) == entry


def test_a_plain_reader_recomputes_every_hash_of_the_feed(till: Till, operator: LedgerServiceStub) -> None:
    grant = till.grant()
    given = till.award(grant, 100, receipt_ref=receipt())
    till.ledger.RefundRedemption(refund(till.redeem(grant, 10)), timeout=SECONDS)
    till.ledger.CaptureHold(capture(till.hold(grant, 20), 15), timeout=SECONDS)
    last = till.ledger.ReverseAward(reverse(given), timeout=SECONDS)
    checkpoint = operator.TakeCheckpoint(pb.TakeCheckpointRequest(request_id=fresh_id()), timeout=SECONDS)
    heads = {bucket: (0, bytes(32)) for bucket in range(len(checkpoint.heads))}
    reached: dict[tuple[int, int], bytes] = {}
    for entry in _everything(operator, page_size=7):
        seq, previous = heads[entry.bucket]
        form = json.loads(entry.canonical)
        assert (entry.seq, form["seq"], form["bucket"]) == (seq + 1, entry.seq, entry.bucket)
        assert _canonical(form) == entry.canonical
        assert sha256(previous + entry.canonical).digest() == entry.hash
        assert sum(form["balance"].values()) >= 0
        heads[entry.bucket] = (entry.seq, entry.hash)
        reached[entry.bucket, entry.seq] = entry.hash
    assert reached[last.bucket, last.seq] == last.hash
    for head in checkpoint.heads:
        assert head.seq == 0 or reached[head.bucket, head.seq] == head.hash


def test_a_checkpoint_can_be_checked_with_the_public_key_alone(
    platform: RunningPlatform, operator: LedgerServiceStub
) -> None:
    request = pb.TakeCheckpointRequest(request_id=fresh_id())
    checkpoint = operator.TakeCheckpoint(request, timeout=SECONDS)
    leaves = [
        sha256(b"\x00" + _canonical({"bucket": head.bucket, "hash": head.hash.hex(), "seq": head.seq})).digest()
        for head in checkpoint.heads
    ]
    assert [head.bucket for head in checkpoint.heads] == list(range(len(leaves)))
    assert checkpoint.root == _root(leaves)
    assert checkpoint.entry_count == sum(head.seq for head in checkpoint.heads)
    signed = _canonical(
        {
            "created_at": checkpoint.create_time.ToMicroseconds(),
            "entry_count": checkpoint.entry_count,
            "number": int(checkpoint.name.removeprefix("checkpoints/")),
            "root": checkpoint.root.hex(),
            "v": 1,
        }
    )
    public = load_public(platform.home.keys / "checkpoint.pub")
    public.verify(checkpoint.signature, signed)
    assert checkpoint.key_id == key_id(public)
    again, call = operator.TakeCheckpoint.with_call(request, timeout=SECONDS)
    assert again == checkpoint
    assert dict(call.trailing_metadata())["idempotent-replay"] == "true"
    for name in (checkpoint.name, "checkpoints/latest"):
        found = operator.GetCheckpoint(pb.GetCheckpointRequest(name=name), timeout=SECONDS)
        assert int(found.name.rpartition("/")[2]) >= int(checkpoint.name.rpartition("/")[2])


def test_a_checkpoint_that_was_never_taken_is_not_found(operator: LedgerServiceStub) -> None:
    refused = Refused.of(
        lambda: operator.GetCheckpoint(pb.GetCheckpointRequest(name="checkpoints/999999999"), timeout=SECONDS)
    )
    assert (refused.code.name, refused.reason) == ("NOT_FOUND", "CHECKPOINT_NOT_FOUND")


def test_a_reader_that_waits_gets_the_next_entry_when_it_is_there(till: Till, operator: LedgerServiceStub) -> None:
    wallet = uuid4()
    before = till.award(till.grant(wallet))  # in its bucket nobody else does anything, but for the clock's work
    cursor = [pb.BucketPosition(bucket=before.bucket, seq=before.seq)]
    answers: list[pb.ReadJournalResponse] = []
    request = pb.ReadJournalRequest(cursor=cursor, wait=after(seconds=15))
    waiting = threading.Thread(target=lambda: answers.append(operator.ReadJournal(request, timeout=SECONDS)))
    waiting.start()
    time.sleep(0.3)
    entry = till.award(till.grant(wallet))
    waiting.join()
    (answer,) = answers
    assert (entry.bucket, entry.seq) in _places(answer.entries)


def test_a_reader_that_does_not_wait_gets_an_empty_page_at_once(operator: LedgerServiceStub) -> None:
    cursor = _ends(operator)[:1]
    answer = operator.ReadJournal(pb.ReadJournalRequest(cursor=cursor), timeout=SECONDS)
    assert (list(answer.entries), list(answer.cursor), answer.more) == ([], cursor, False)


def test_a_wait_ends_with_an_empty_page_and_the_same_cursor(operator: LedgerServiceStub) -> None:
    cursor = [pb.BucketPosition(bucket=0, seq=_ends(operator)[0].seq)]
    answer = operator.ReadJournal(pb.ReadJournalRequest(cursor=cursor, wait=after(milliseconds=300)), timeout=SECONDS)
    assert (list(answer.cursor), answer.more) == (cursor, bool(answer.entries))


def test_only_the_buckets_that_a_reader_names_are_read(till: Till, operator: LedgerServiceStub) -> None:
    entries = [till.award(till.grant()) for _ in range(10)]
    bucket = entries[0].bucket
    answer = operator.ReadJournal(pb.ReadJournalRequest(cursor=[pb.BucketPosition(bucket=bucket)]), timeout=SECONDS)
    assert {entry.bucket for entry in answer.entries} == {bucket}


@pytest.mark.parametrize("cursor", [[(0, 10**15)], [(64, 0)], [(2**31 - 1, 1)], [(0, 0), (9999, 0)]])
def test_a_cursor_beyond_the_journal_is_out_of_range(
    operator: LedgerServiceStub, cursor: list[tuple[int, int]]
) -> None:
    positions = [pb.BucketPosition(bucket=bucket, seq=seq) for bucket, seq in cursor]
    refused = Refused.of(lambda: operator.ReadJournal(pb.ReadJournalRequest(cursor=positions), timeout=SECONDS))
    assert (refused.code.name, refused.reason) == ("OUT_OF_RANGE", "CURSOR_OUT_OF_RANGE")
    assert refused.metadata["bucketCount"] == "64"


def test_totals_grow_by_what_was_moved(till: Till, operator: LedgerServiceStub) -> None:
    before = operator.GetTotals(pb.GetTotalsRequest(), timeout=SECONDS)
    grant = till.grant()
    given = till.award(grant, 100)
    spent = till.redeem(grant, 60)
    till.ledger.RefundRedemption(refund(spent, 20), timeout=SECONDS)
    till.ledger.ReverseAward(reverse(given), timeout=SECONDS)
    totals = operator.GetTotals(pb.GetTotalsRequest(), timeout=SECONDS)
    (mine,) = [row for row in totals.partners if row.partner == till.partner.id]
    assert mine == pb.PartnerTotals(partner=till.partner.id, awarded=100, reversed=60, redeemed=60, refunded=20)
    assert totals.outstanding - before.outstanding == _flowed(totals) - _flowed(before)


def test_the_running_ledger_verifies(till: Till, operator: LedgerServiceStub) -> None:
    till.award(till.grant(uuid4()))
    *progress, last = operator.VerifyJournal(pb.VerifyJournalRequest(), timeout=60)
    assert last.WhichOneof("event") == "summary", last
    assert {message.WhichOneof("event") for message in progress} == {"progress"}
    assert last.summary.entries == progress[-1].progress.entries == progress[-1].progress.total


def _flowed(totals: pb.Totals) -> int:
    """What these flows left in wallets. Other tests adjust and transfer, too, and that is none of them."""
    return totals.awarded - totals.reversed - totals.redeemed + totals.refunded - totals.expired


def _places(entries: Iterable[pb.JournalEntry]) -> set[tuple[int, int]]:
    return {(entry.bucket, entry.seq) for entry in entries}
