"""Windows over the wire: closed once, whoever asks and however often."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import grpc
import pytest
from coalition.settlement.v1 import settlement_pb2 as pb

from tests.ledger.till import Till, till_of
from tests.settlement.api.desk import SECONDS, fresh_id, open_window, refused, replayed, verdict, version
from tests.support.platform import RunningPlatform
from tests.support.refused import Refused
from tests.support.together import at_once, until


def test_a_repeat_with_the_same_id_gets_the_same_closing(platform: RunningPlatform) -> None:
    till = till_of(platform)
    till.award(till.grant(), 1003)
    close = platform.operator.windows.CloseWindow
    request = pb.CloseWindowRequest(name=open_window(platform).name, request_id=fresh_id())
    first, call = close.with_call(request, timeout=SECONDS)
    assert not replayed(call)
    assert first.state == pb.WINDOW_STATE_CLOSED
    (net,) = (net for net in first.nets if net.partner == till.partner.id)
    assert (net.billed.units, net.billed.nanos, net.net.units, net.net.nanos) == (12, 40_000_000, -12, -40_000_000)
    assert first.nets[-1].partner == "operator"
    assert sum(one.net.units * 10**9 + one.net.nanos for one in first.nets if one.net.currency_code == "USD") == 0
    again, call = close.with_call(request, timeout=SECONDS)
    assert replayed(call)
    assert again == first == platform.operator.windows.GetWindow(pb.GetWindowRequest(name=first.name), timeout=SECONDS)


def test_another_id_or_another_number_is_refused(platform: RunningPlatform) -> None:
    close = platform.operator.windows.CloseWindow
    closed = platform.close_window()
    here = open_window(platform)
    number = int(here.name.removeprefix("windows/"))

    def told(name: str) -> tuple[str, str]:
        return refused(lambda: close(pb.CloseWindowRequest(name=name, request_id=fresh_id()), timeout=SECONDS))

    assert told(closed.name) == ("FAILED_PRECONDITION", "WINDOW_NOT_OPEN")
    assert told(f"windows/{number + 1}") == ("NOT_FOUND", "WINDOW_NOT_FOUND")
    assert told("windows/0") == ("NOT_FOUND", "WINDOW_NOT_FOUND")
    for name in ("windows/open", "windows/", "windows/-1", "windows/1\x00", "windows/1\n", "windows/" + "9" * 19, "x"):
        assert told(name) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
    assert open_window(platform).name == here.name


def test_the_id_of_one_closing_does_not_close_the_next_window(platform: RunningPlatform) -> None:
    request = pb.CloseWindowRequest(name=open_window(platform).name, request_id=fresh_id())
    platform.operator.windows.CloseWindow(request, timeout=SECONDS)
    request.name = open_window(platform).name
    assert refused(lambda: platform.operator.windows.CloseWindow(request, timeout=SECONDS)) == (
        "ALREADY_EXISTS",
        "REQUEST_ID_REUSED",
    )
    for bad in ("", "x", "00000000-0000-0000-0000-00000000000g"):
        request.request_id = bad
        assert refused(lambda: platform.operator.windows.CloseWindow(request, timeout=SECONDS))[0] == "INVALID_ARGUMENT"


def test_of_two_people_who_close_at_once_one_wins(platform: RunningPlatform) -> None:
    name = open_window(platform).name

    def close(request_id: str) -> str:
        request = pb.CloseWindowRequest(name=name, request_id=request_id)
        try:
            return platform.operator.windows.CloseWindow(request, timeout=SECONDS).to_checkpoint
        except grpc.RpcError as error:
            reason = Refused(error).reason  # ABORTED while the other closes it, and when it is closed, just too late
            return "refused" if reason in {"WINDOW_CLOSED_BY_ANOTHER", "WINDOW_NOT_OPEN"} else reason

    one, other = fresh_id(), fresh_id()
    answers = at_once([partial(close, id_) for id_ in (one, one, other, other)])
    assert answers[0] == answers[1]
    assert answers[2] == answers[3]
    assert sorted({*answers})[1] == "refused"
    assert len({*answers}) == 2
    assert any(answer.startswith("checkpoints/") for answer in answers)


def test_windows_are_adjacent_and_listed_in_order(platform: RunningPlatform) -> None:
    for _ in range(3):
        platform.close_window()
    found: list[pb.Window] = []
    token = ""
    while True:
        request = pb.ListWindowsRequest(page_size=2, page_token=token)
        page = platform.operator.windows.ListWindows(request, timeout=SECONDS)
        found += page.windows
        assert len(page.windows) <= 2
        token = page.next_page_token
        if not token:
            break
    assert [window.name for window in found] == [f"windows/{number}" for number in range(1, len(found) + 1)]
    assert found[0].from_checkpoint == ""
    for one, following in pairwise(found):
        assert (one.state, one.to_checkpoint) == (pb.WINDOW_STATE_CLOSED, following.from_checkpoint)
        assert one.close_time.ToMicroseconds() >= one.open_time.ToMicroseconds()
        assert not one.nets
    assert found[-1].state == pb.WINDOW_STATE_OPEN
    bad = pb.ListWindowsRequest(page_token="x" * 30)
    assert refused(lambda: platform.operator.windows.ListWindows(bad, timeout=SECONDS))[1] == "INVALID_PAGE_TOKEN"


def test_an_entry_without_a_contract_keeps_the_window_open_until_it_is_published(platform: RunningPlatform) -> None:
    stranger = platform.partner(terms=None)
    till = Till(platform, stranger)
    till.award(till.grant(), 50)
    request = pb.CloseWindowRequest(name=open_window(platform).name, request_id=fresh_id())
    close = platform.operator.windows.CloseWindow
    waits = Refused.of(lambda: close(request, timeout=SECONDS))
    try:
        assert (waits.code.name, waits.reason) == ("FAILED_PRECONDITION", "WINDOW_WAITS")
        assert waits.metadata["waitsFor"] == "SUSPENSE"
        assert waits.well_formed()
        status = platform.operator.windows.GetIngestStatus(pb.GetIngestStatusRequest(), timeout=SECONDS)
        assert status.suspense_count == 1
        window = platform.operator.windows.GetWindow(pb.GetWindowRequest(name=request.name), timeout=SECONDS)
        assert window.state == pb.WINDOW_STATE_CLOSING
        following = pb.CloseWindowRequest(name=open_window(platform).name, request_id=fresh_id())
        told = refused(lambda: close(following, timeout=SECONDS))
        assert told == ("FAILED_PRECONDITION", "EARLIER_WINDOW_CLOSING")
    finally:
        platform.agree(stranger.id, version("0.05"))
    closed = close(request, timeout=SECONDS)
    (net,) = (net for net in closed.nets if net.partner == stranger.id)
    assert (net.billed.units, net.billed.nanos) == (2, 500_000_000)
    assert platform.close_window().state == pb.WINDOW_STATE_CLOSED


def test_with_little_time_it_says_what_it_waits_for_and_goes_on_afterwards(platform: RunningPlatform) -> None:
    request = pb.CloseWindowRequest(name=open_window(platform).name, request_id=fresh_id())
    close = platform.operator.windows.CloseWindow
    hurried = Refused.of(lambda: close(request, timeout=0.45))
    assert (hurried.code.name, hurried.reason) in {
        ("FAILED_PRECONDITION", "WINDOW_WAITS"),
        ("DEADLINE_EXCEEDED", hurried.reason),
    }
    assert close(request, timeout=SECONDS).state == pb.WINDOW_STATE_CLOSED


def test_what_is_posted_while_a_window_closes_is_in_exactly_one_window(platform: RunningPlatform) -> None:
    till = till_of(platform)
    grant = till.grant()

    def award() -> None:
        for _ in range(15):
            till.award(grant, 1)

    at_once([award, award, platform.close_window, award])
    platform.close_window()
    request = pb.ListStatementsRequest(parent=till.partner.name)
    found = till.partner.calls.statements.ListStatements(request, timeout=SECONDS).statements
    assert sum(one.net.units * 10**9 + one.net.nanos for one in found) == -540_000_000, "45 x 0.012, however it was cut"
    assert verdict(platform).WhichOneof("event") == "summary"


def test_the_state_of_the_ingest_is_told_by_bucket(platform: RunningPlatform) -> None:
    till = till_of(platform)
    entry = till.award(till.grant(), 1)

    def reached() -> bool:
        status = platform.operator.windows.GetIngestStatus(pb.GetIngestStatusRequest(), timeout=SECONDS)
        assert [bucket.bucket for bucket in status.buckets] == list(range(len(status.buckets)))
        assert {bucket.stopped_because for bucket in status.buckets} == {""}
        found = status.buckets[entry.bucket]
        return found.seq > entry.seq or (found.seq, found.hash) == (entry.seq, entry.hash)

    until(reached)


def test_the_books_are_verified_with_progress(platform: RunningPlatform) -> None:
    till = till_of(platform)
    till.award(till.grant(), 5)
    platform.close_window()
    *progress, last = platform.operator.windows.VerifyBooks(pb.VerifyBooksRequest(), timeout=60)
    assert last.WhichOneof("event") == "summary", last
    assert last.summary.windows >= 1
    assert last.summary.statements >= 1
    assert {event.WhichOneof("event") for event in progress} <= {"progress"}


@pytest.mark.parametrize("name", ["windows/999999999", "windows/0"])
def test_a_window_that_is_not_there_is_not_found(platform: RunningPlatform, name: str) -> None:
    call = platform.operator.windows.GetWindow
    assert refused(lambda: call(pb.GetWindowRequest(name=name), timeout=SECONDS)) == ("NOT_FOUND", "WINDOW_NOT_FOUND")


def test_partners_have_no_business_with_windows(platform: RunningPlatform) -> None:
    windows = platform.partner().calls.windows
    for call in (
        lambda: windows.GetWindow(pb.GetWindowRequest(name="windows/open"), timeout=SECONDS),
        lambda: windows.CloseWindow(pb.CloseWindowRequest(name="windows/1", request_id=fresh_id()), timeout=SECONDS),
        lambda: windows.ListWindows(pb.ListWindowsRequest(), timeout=SECONDS),
        lambda: windows.GetIngestStatus(pb.GetIngestStatusRequest(), timeout=SECONDS),
        lambda: list(windows.VerifyBooks(pb.VerifyBooksRequest(), timeout=SECONDS)),
    ):
        assert refused(call)[0] == "PERMISSION_DENIED"
