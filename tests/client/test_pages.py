"""Lists are iterators; a page is asked for when it is needed, and a token goes on where it was."""

from __future__ import annotations

import grpc
import pytest
from coalition.client import Coalition, was_replayed
from coalition.ledger.v1 import ledger_pb2 as pb

from tests.client.house import AWARD, LIST, House

ENTRIES = [pb.Entry(name=f"partners/grocer/entries/0-{seq}") for seq in range(1, 8)]


@pytest.fixture
def asked(house: House) -> list[pb.ListEntriesRequest]:
    """Seven entries in pages of three, and what was asked for."""
    requests: list[pb.ListEntriesRequest] = []

    def answer(request: pb.ListEntriesRequest, context: grpc.ServicerContext) -> pb.ListEntriesResponse:
        requests.append(request)
        start = int(request.page_token or 0)
        end = start + 3
        return pb.ListEntriesResponse(
            entries=ENTRIES[start:end], next_page_token=str(end) if end < len(ENTRIES) else ""
        )

    house.on(LIST, answer)
    return requests


def test_a_list_is_all_its_pages(coalition: Coalition, asked: list[pb.ListEntriesRequest]) -> None:
    assert list(coalition.list_entries(page_size=3)) == ENTRIES
    assert [(one.parent, one.page_size, one.page_token) for one in asked] == [
        ("partners/grocer", 3, ""),
        ("partners/grocer", 3, "3"),
        ("partners/grocer", 3, "6"),
    ]


def test_pages_are_asked_for_when_they_are_needed(coalition: Coalition, asked: list[pb.ListEntriesRequest]) -> None:
    entries = iter(coalition.list_entries())
    assert [next(entries).name, next(entries).name] == [ENTRIES[0].name, ENTRIES[1].name]
    assert len(asked) == 1


def test_a_token_goes_on_where_it_was(coalition: Coalition, asked: list[pb.ListEntriesRequest]) -> None:
    first = next(coalition.list_entries().pages())
    assert list(coalition.list_entries(page_token=first.next_page_token)) == ENTRIES[3:]


def test_a_list_may_be_walked_twice(coalition: Coalition, asked: list[pb.ListEntriesRequest]) -> None:
    entries = coalition.list_entries()
    assert list(entries) == list(entries)


def test_a_replay_is_told_from_a_first_answer(house: House, coalition: Coalition) -> None:
    seen: set[str] = set()

    def award(request: pb.AwardPointsRequest, context: grpc.ServicerContext) -> pb.Entry:
        if request.request_id in seen:
            context.set_trailing_metadata((("idempotent-replay", "true"),))
        seen.add(request.request_id)
        return pb.Entry()

    house.on(AWARD, award)
    calls = [coalition.ledger.AwardPoints.with_call(pb.AwardPointsRequest(request_id="one"))[1] for _ in range(2)]
    assert [was_replayed(call) for call in calls] == [False, True]
