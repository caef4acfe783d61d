"""What a window holds, over the wire: its entries, what waits in it, what two people let go, and its seal."""

from __future__ import annotations

import uuid

import pytest
from coalition.settlement.v1 import settlement_pb2 as pb

from tests.ledger.till import Till, till_of
from tests.settlement.api.desk import SECONDS, fresh_id, open_window, refused, replayed
from tests.support.platform import RunningPlatform
from tests.support.together import until


def suspended(platform: RunningPlatform, window: str) -> list[pb.SuspendedEntry]:
    request = pb.ListSuspenseRequest(parent=window)
    return list(platform.operator.windows.ListSuspense(request, timeout=SECONDS).entries)


def test_a_windows_entries_are_listed_page_by_page_and_agree_with_what_it_counted(platform: RunningPlatform) -> None:
    till = till_of(platform)
    grant = till.grant()
    made = [till.award(grant, points) for points in (1, 2, 3)]
    window = platform.close_window()
    found, token = list[pb.WindowEntry](), ""
    while True:
        request = pb.ListWindowEntriesRequest(parent=window.name, page_size=2, page_token=token)
        page = platform.operator.windows.ListWindowEntries(request, timeout=SECONDS)
        assert len(page.entries) <= 2
        found += page.entries
        token = page.next_page_token
        if not token:
            break
    own = [entry for entry in found if entry.debtor == till.partner.id]
    assert [(entry.bucket, entry.seq, entry.points) for entry in own] == [
        (entry.bucket, entry.seq, entry.points) for entry in made
    ]
    assert {entry.leg for entry in own} == {pb.LEG_ISSUANCE}
    assert {entry.contract_version for entry in own} == {f"{till.partner.name}/contract/versions/1"}
    assert [(entry.bucket, entry.seq) for entry in found] == sorted((entry.bucket, entry.seq) for entry in found)
    bad = pb.ListWindowEntriesRequest(parent=window.name, page_token="x" * 30)
    assert refused(lambda: platform.operator.windows.ListWindowEntries(bad, timeout=SECONDS))[1] == "INVALID_PAGE_TOKEN"


def test_a_closed_window_has_a_seal_and_is_verified_without_its_entries(platform: RunningPlatform) -> None:
    window = platform.close_window()
    assert len(window.seal_sha256) == 32
    request = pb.VerifyWindowRequest(name=window.name)
    assert not platform.operator.windows.VerifyWindow(request, timeout=SECONDS).HasField("difference")
    still_open = pb.VerifyWindowRequest(name=open_window(platform).name)
    told = refused(lambda: platform.operator.windows.VerifyWindow(still_open, timeout=SECONDS))
    assert told == ("FAILED_PRECONDITION", "WINDOW_NOT_CLOSED")


def test_two_people_let_a_window_close_without_what_waits_in_it(platform: RunningPlatform) -> None:
    till = Till(platform, platform.partner(f"stranger-{uuid.uuid4().hex[:12]}", terms=None))
    entry = till.award(till.grant(), 50)
    window = open_window(platform)
    until(lambda: len(suspended(platform, window.name)) == 1)
    (waiting,) = suspended(platform, window.name)
    assert (waiting.bucket, waiting.seq, waiting.reason) == (entry.bucket, entry.seq, "NO_CONTRACT")
    waive = platform.operator.windows.WaiveSuspense
    request = pb.WaiveSuspenseRequest(name=window.name, request_id=fresh_id(), why="the partner is gone")
    waiver = waive(request, timeout=SECONDS)
    assert (waiver.window, waiver.entry_count) == (window.name, 1)
    again, call = waive.with_call(request, timeout=SECONDS)
    assert replayed(call)
    assert again == waiver
    assert platform.approve(waiver.proposal).sha256 == waiver.sha256
    assert [one.waiver for one in suspended(platform, window.name)] == [waiver.proposal]
    closed = platform.close_window()
    assert closed.name == window.name
    assert till.partner.id not in {net.partner for net in closed.nets}
    nothing = pb.WaiveSuspenseRequest(name=closed.name, request_id=fresh_id(), why="again")
    assert refused(lambda: waive(nothing, timeout=SECONDS)) == ("FAILED_PRECONDITION", "NOTHING_TO_WAIVE")


def test_an_early_close_is_proposed_and_happens_when_another_person_approves(platform: RunningPlatform) -> None:
    window = open_window(platform)
    request = pb.CloseWindowRequest(name=window.name, request_id=fresh_id(), early_because="the year ends")
    answer = platform.operator.windows.CloseWindow(request, timeout=SECONDS)
    assert (answer.state, answer.name) == (pb.WINDOW_STATE_OPEN, window.name)
    platform.approve(answer.proposal)

    def closed() -> bool:
        found = platform.operator.windows.GetWindow(pb.GetWindowRequest(name=window.name), timeout=SECONDS)
        return found.state == pb.WINDOW_STATE_CLOSED and bool(found.statements_root)

    until(closed)


@pytest.mark.parametrize("name", ["windows/999999999", "windows/0"])
def test_what_is_not_there_is_not_found(platform: RunningPlatform, name: str) -> None:
    windows = platform.operator.windows
    for call in (
        lambda: windows.VerifyWindow(pb.VerifyWindowRequest(name=name), timeout=SECONDS),
        lambda: windows.ListWindowEntries(pb.ListWindowEntriesRequest(parent=name), timeout=SECONDS),
        lambda: windows.ListSuspense(pb.ListSuspenseRequest(parent=name), timeout=SECONDS),
        lambda: windows.WaiveSuspense(
            pb.WaiveSuspenseRequest(name=name, request_id=fresh_id(), why="x"), timeout=SECONDS
        ),
    ):
        assert refused(call) == ("NOT_FOUND", "WINDOW_NOT_FOUND")
