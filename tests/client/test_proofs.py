"""A partner asks for the proof of an entry of its own, with either client."""

from __future__ import annotations

import asyncio

import grpc
import pytest
from coalition.client import Coalition, EntryNotCovered, aio
from coalition.ledger.v1 import ledger_pb2 as pb

from tests.client.house import PROVE, House, refuse

ENTRY = "partners/grocer/entries/3-17"
PROOF = pb.InclusionProof(entry=ENTRY, hash=bytes(32), leaf_index=16)


@pytest.fixture
def asked(house: House) -> list[pb.GetInclusionProofRequest]:
    """What the house was asked to prove."""
    requests: list[pb.GetInclusionProofRequest] = []

    def answer(request: pb.GetInclusionProofRequest, context: grpc.ServicerContext) -> pb.InclusionProof:
        requests.append(request)
        return PROOF

    house.on(PROVE, answer)
    return requests


def test_the_latest_checkpoint_is_meant_when_none_is_named(
    coalition: Coalition, asked: list[pb.GetInclusionProofRequest]
) -> None:
    assert coalition.inclusion_proof(ENTRY) == PROOF
    assert coalition.inclusion_proof(ENTRY, checkpoint="checkpoints/7") == PROOF
    assert [(one.name, one.checkpoint) for one in asked] == [(ENTRY, ""), (ENTRY, "checkpoints/7")]


def test_the_asynchronous_client_asks_alike(house: House, asked: list[pb.GetInclusionProofRequest]) -> None:
    async def act() -> None:
        async with aio.connect(house.kit) as coalition:
            assert await coalition.inclusion_proof(ENTRY, checkpoint="checkpoints/7") == PROOF

    asyncio.run(act())
    assert [(one.name, one.checkpoint) for one in asked] == [(ENTRY, "checkpoints/7")]


def test_an_entry_that_no_checkpoint_covers_yet_is_told_apart(house: House, coalition: Coalition) -> None:
    def answer(request: pb.GetInclusionProofRequest, context: grpc.ServicerContext) -> pb.InclusionProof:
        refuse(context, grpc.StatusCode.FAILED_PRECONDITION, "ENTRY_NOT_COVERED", {"entry": ENTRY})

    house.on(PROVE, answer)
    with pytest.raises(EntryNotCovered):
        coalition.inclusion_proof(ENTRY)
