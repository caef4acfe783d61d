"""Proofs over gRPC: whoever may ask gets one, checks it with a public key alone, and is told why there is none."""

from __future__ import annotations

from functools import partial

import pytest
from coalition.ledger.v1 import ledger_pb2 as pb
from coalition.ledger.v1.ledger_pb2_grpc import LedgerServiceStub
from coalition.statements.proofs import Receipt, verify_consistency, verify_inclusion
from coalition.statements.verify import NotVerified, public_key

from shared.merkle import leaf_hash, root
from tests.ledger.till import SECONDS, Till, award, capture, fresh_id, reverse, till_of
from tests.support.platform import RunningPlatform
from tests.support.refused import Refused

MANY = 700
"""More than two tiles of 256."""


@pytest.fixture(scope="module")
def till(platform: RunningPlatform) -> Till:
    return till_of(platform)


@pytest.fixture(scope="module")
def operator(platform: RunningPlatform) -> LedgerServiceStub:
    return platform.operator.ledger


@pytest.fixture(scope="module")
def key(platform: RunningPlatform) -> bytes:
    return public_key((platform.home.keys / "checkpoint.pub").read_bytes())


@pytest.fixture(scope="module")
def older(operator: LedgerServiceStub) -> pb.Checkpoint:
    """Before the entries of this module."""
    return taken(operator)


@pytest.fixture(scope="module")
def entries(till: Till, older: pb.Checkpoint) -> list[pb.Entry]:
    """Many entries of one wallet, so of one bucket, and some of other kinds."""
    grant = till.grant()
    items = [award(grant, 1 + number) for number in range(MANY)]
    answers = [
        till.ledger.BatchAwardPoints(pb.BatchAwardPointsRequest(items=items[start : start + 350]), timeout=SECONDS)
        for start in range(0, MANY, 350)
    ]
    found = [result.entry for answer in answers for result in answer.results]
    given, hold = till.award(till.grant(), 50), till.hold(grant, 20)
    found += [given, till.ledger.CaptureHold(capture(hold, 5), timeout=SECONDS), till.redeem(grant, 3)]
    return [*found, till.ledger.ReverseAward(reverse(given), timeout=SECONDS)]


@pytest.fixture(scope="module")
def younger(operator: LedgerServiceStub, entries: list[pb.Entry]) -> pb.Checkpoint:
    return taken(operator)


def taken(operator: LedgerServiceStub) -> pb.Checkpoint:
    return operator.TakeCheckpoint(pb.TakeCheckpointRequest(request_id=fresh_id()), timeout=SECONDS)


def inclusion(ledger: LedgerServiceStub, entry: str, checkpoint: str = "") -> pb.InclusionProof:
    return ledger.GetInclusionProof(pb.GetInclusionProofRequest(name=entry, checkpoint=checkpoint), timeout=SECONDS)


def consistency(ledger: LedgerServiceStub, older: str, younger: str) -> pb.ConsistencyProof:
    request = pb.GetConsistencyProofRequest(from_checkpoint=older, to_checkpoint=younger)
    return ledger.GetConsistencyProof(request, timeout=SECONDS)


def test_a_partner_proves_each_of_its_entries_offline(
    till: Till, entries: list[pb.Entry], younger: pb.Checkpoint, key: bytes
) -> None:
    for entry in [*entries[::37], *entries[-4:]]:
        for checkpoint in (younger.name, "checkpoints/latest", ""):
            proof = inclusion(till.ledger, entry.name, checkpoint)
            signed = verify_inclusion(proof, key, entry)
            assert signed.number >= int(younger.name.removeprefix("checkpoints/"))
            assert (proof.bucket, proof.leaf_index, proof.hash) == (entry.bucket, entry.seq - 1, entry.hash)
            assert not proof.checkpoint.heads, "where other buckets end is nobody's business"


def test_a_proof_tells_a_partner_nothing_of_others(
    till: Till, entries: list[pb.Entry], younger: pb.Checkpoint, platform: RunningPlatform
) -> None:
    stranger = till_of(platform)
    missing = f"partners/{till.partner.id}/entries/0-999999999"
    posing = entries[0].name.replace(till.partner.id, stranger.partner.id)
    for asking, name in ((stranger, entries[0].name), (stranger, posing), (till, missing)):
        refused = Refused.of(partial(inclusion, asking.ledger, name))
        assert (refused.code.name, refused.reason) == ("NOT_FOUND", "ENTRY_NOT_FOUND")


def test_the_operator_proves_anybodys_entry(
    operator: LedgerServiceStub, entries: list[pb.Entry], younger: pb.Checkpoint, key: bytes
) -> None:
    signed = verify_inclusion(inclusion(operator, entries[5].name, younger.name), key, entries[5])
    assert (signed.number, signed.entry_count) == (int(younger.name.rpartition("/")[2]), younger.entry_count)


def test_an_entry_that_was_posted_later_is_not_covered_yet(
    till: Till, operator: LedgerServiceStub, entries: list[pb.Entry], older: pb.Checkpoint, key: bytes
) -> None:
    refused = Refused.of(partial(inclusion, till.ledger, entries[0].name, older.name))
    assert (refused.code.name, refused.reason) == ("FAILED_PRECONDITION", "ENTRY_NOT_COVERED")
    assert refused.metadata["checkpoint"] == older.name
    entry = till.award(till.grant())
    assert Refused.of(partial(inclusion, till.ledger, entry.name)).reason == "ENTRY_NOT_COVERED"
    later = taken(operator)
    assert verify_inclusion(inclusion(till.ledger, entry.name, later.name), key, entry).number > 1


def test_a_checkpoint_that_was_never_taken_proves_nothing(
    till: Till, operator: LedgerServiceStub, entries: list[pb.Entry], older: pb.Checkpoint
) -> None:
    for ask in (
        partial(inclusion, till.ledger, entries[0].name, "checkpoints/999999999"),
        partial(consistency, operator, older.name, "checkpoints/999999999"),
        partial(consistency, operator, "checkpoints/0", older.name),
    ):
        refused = Refused.of(ask)
        assert (refused.code.name, refused.reason) == ("NOT_FOUND", "CHECKPOINT_NOT_FOUND")


def test_the_journal_only_grew_between_two_checkpoints(
    operator: LedgerServiceStub, older: pb.Checkpoint, younger: pb.Checkpoint, key: bytes
) -> None:
    proof = consistency(operator, older.name, younger.name)
    before, after = verify_consistency(proof, key)
    assert after.entry_count - before.entry_count >= MANY
    assert (proof.from_checkpoint, proof.to_checkpoint) == (older, younger)
    assert verify_consistency(consistency(operator, older.name, "checkpoints/latest"), key)
    same = consistency(operator, younger.name, younger.name)
    assert not any(one.path for one in same.buckets)
    assert verify_consistency(same, key)


def test_a_proof_goes_from_the_older_to_the_younger(
    operator: LedgerServiceStub, older: pb.Checkpoint, younger: pb.Checkpoint
) -> None:
    refused = Refused.of(partial(consistency, operator, younger.name, older.name))
    assert (refused.code.name, refused.reason) == ("INVALID_ARGUMENT", "CHECKPOINTS_OUT_OF_ORDER")
    assert refused.fields == ["from_checkpoint"]


def test_a_plain_reader_builds_every_signed_tree_from_the_feed(
    operator: LedgerServiceStub, younger: pb.Checkpoint, entries: list[pb.Entry]
) -> None:
    for head in younger.heads:
        leaves: list[bytes] = []
        while len(leaves) < head.seq:
            cursor = [pb.BucketPosition(bucket=head.bucket, seq=len(leaves))]
            page = operator.ReadJournal(pb.ReadJournalRequest(cursor=cursor), timeout=SECONDS).entries
            leaves += [leaf_hash(entry.hash) for entry in page[: head.seq - len(leaves)]]
        assert root(leaves) == head.tree_root


def test_a_proof_that_was_changed_on_its_way_is_not_believed(
    till: Till, entries: list[pb.Entry], younger: pb.Checkpoint, key: bytes
) -> None:
    proof = inclusion(till.ledger, entries[300].name, younger.name)
    with pytest.raises(NotVerified):
        verify_inclusion(proof, key, entries[301])
    with pytest.raises(NotVerified):
        verify_inclusion(proof, key, Receipt(entries[300].name, bytes(32)))
    for field in ("tree_size", "leaf_index", "bucket"):
        changed = pb.InclusionProof()
        changed.CopyFrom(proof)
        setattr(changed, field, getattr(proof, field) + 1)
        with pytest.raises(NotVerified):
            verify_inclusion(changed, key, entries[300])
