"""Bad input: each gets the refusal that its contract names, nothing is lost, and the next good call works."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest
from coalition.ledger.v1 import ledger_pb2 as pb
from cryptography.fernet import Fernet
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import error_details_pb2 as details
from google.type.date_pb2 import Date

from services.ledger.access import ACCESS
from shared.credentials.grants import Grant, GrantRing, Scope
from shared.rpc.caller import Role
from tests.ledger.till import (
    SECONDS,
    Till,
    after,
    award,
    capture,
    fresh_id,
    hold,
    receipt,
    redeem,
    refund,
    release,
    reverse,
    till_of,
)
from tests.support.platform import RunningPlatform
from tests.support.refused import Refused

SERVICE = "/coalition.ledger.v1.LedgerService/"
MOST = 2**63 - 1
MOST_AT_ONCE = 10**12

pytestmark = pytest.mark.usefixtures("unharmed")


@pytest.fixture
def stranger(platform: RunningPlatform) -> Till:
    return till_of(platform)


Call = Callable[[], object]


def _refused(call: Call, code: str, reason: str) -> Refused:
    refused = Refused.of(call)
    assert (refused.code.name, refused.reason) == (code, reason), refused.text
    assert refused.well_formed()
    return refused


def _with_grant(till: Till, grant: str) -> dict[str, Call]:
    """Every call that takes a grant."""
    return {
        "AwardPoints": lambda: till.award(grant, 1),
        "HoldPoints": lambda: till.hold(grant, 1),
        "RedeemPoints": lambda: till.redeem(grant, 1),
        "GetBalance": lambda: till.balance(grant),
        "ListEntries": lambda: till.ledger.ListEntries(
            pb.ListEntriesRequest(parent=till.partner.name, grant=grant), timeout=SECONDS
        ),
    }


GRANT_CALLS = ("AwardPoints", "HoldPoints", "RedeemPoints", "GetBalance", "ListEntries")


@pytest.mark.parametrize("method", GRANT_CALLS)
def test_a_grant_that_is_none_is_not_found(till: Till, method: str) -> None:
    genuine = till.grant()
    tampered = genuine[:40] + ("A" if genuine[40] != "A" else "B") + genuine[41:]
    elsewhere = GrantRing.of_keys(Fernet.generate_key()).seal(_grant(till))
    for token in ("gibberish", tampered, elsewhere):
        _refused(_with_grant(till, token)[method], "NOT_FOUND", "GRANT_INVALID")


@pytest.mark.parametrize("method", GRANT_CALLS)
def test_another_partners_grant_looks_like_none(till: Till, stranger: Till, method: str) -> None:
    theirs = _refused(_with_grant(till, stranger.grant())[method], "NOT_FOUND", "GRANT_INVALID")
    nobodys = _refused(_with_grant(till, "gibberish")[method], "NOT_FOUND", "GRANT_INVALID")
    assert theirs.text == nobodys.text


@pytest.mark.parametrize("method", GRANT_CALLS)
def test_an_expired_grant_says_so(till: Till, method: str) -> None:
    now = till.platform.clock.now()
    token = till.grant(expires_at=now)
    refused = _refused(_with_grant(till, token)[method], "FAILED_PRECONDITION", "GRANT_EXPIRED")
    assert refused.metadata == {"expiredAt": now.isoformat()}
    assert refused.detail(details.PreconditionFailure)


@pytest.mark.parametrize("method", ["HoldPoints", "RedeemPoints"])
def test_a_grant_to_award_cannot_spend(till: Till, method: str) -> None:
    wallet = uuid4()
    till.award(till.grant(wallet), 100)
    token = till.grant(wallet, Scope.AWARD)
    _refused(_with_grant(till, token)[method], "PERMISSION_DENIED", "GRANT_SCOPE")
    assert till.available(token) == 100


@pytest.mark.parametrize("method", ["HoldPoints", "RedeemPoints"])
def test_a_grant_with_a_limit_spends_no_more_than_that(till: Till, method: str) -> None:
    wallet = uuid4()
    till.award(till.grant(wallet), 100)
    limited = till.grant(wallet, max_redeem_points=30)
    spend = till.hold if method == "HoldPoints" else till.redeem
    refused = _refused(lambda: spend(limited, 31), "PERMISSION_DENIED", "GRANT_SCOPE_EXCEEDED")
    assert refused.metadata == {"allowed": "30", "requested": "31"}
    spend(limited, 30)


def test_a_request_id_used_for_something_else_names_the_first_entry(till: Till) -> None:
    grant = till.grant()
    request = award(grant, 100)
    first = till.ledger.AwardPoints(request, timeout=SECONDS)
    other = award(grant, 101, request_id=request.request_id)
    refused = _refused(lambda: till.ledger.AwardPoints(other, timeout=SECONDS), "ALREADY_EXISTS", "REQUEST_ID_REUSED")
    assert refused.metadata == {"requestId": request.request_id, "entry": first.name}
    spend = redeem(grant, 100, request_id=request.request_id)
    _refused(lambda: till.ledger.RedeemPoints(spend, timeout=SECONDS), "ALREADY_EXISTS", "REQUEST_ID_REUSED")
    assert till.available(grant) == 100


def test_a_receipt_awarded_twice_names_the_first_entry(till: Till) -> None:
    paper = receipt()
    first = till.award(till.grant(), receipt_ref=paper)
    refused = _refused(lambda: till.award(till.grant(), receipt_ref=paper), "ALREADY_EXISTS", "RECEIPT_ALREADY_USED")
    assert refused.metadata == {"entry": first.name}
    assert till.ledger.GetEntry(pb.GetEntryRequest(name=refused.metadata["entry"]), timeout=SECONDS) == first


def test_two_partners_may_have_receipts_of_the_same_number(till: Till, stranger: Till) -> None:
    paper = receipt()
    till.award(till.grant(), receipt_ref=paper)
    stranger.award(stranger.grant(), receipt_ref=paper)


@pytest.mark.parametrize("points", [0, -1, -(2**63)])
def test_points_that_are_none_or_fewer_are_refused(till: Till, points: int) -> None:
    grant = till.grant()
    given = till.award(grant, 10)
    spent = till.redeem(grant, 1)
    placed = till.hold(grant, 1)
    calls: dict[str, Call] = {
        "lines[0].points": lambda: till.award(grant, points),
        "points": lambda: till.hold(grant, points),
        "points ": lambda: till.redeem(grant, points),
        "points  ": lambda: till.ledger.CaptureHold(capture(placed, points), timeout=SECONDS),
        "points   ": lambda: till.ledger.RefundRedemption(refund(spent, points), timeout=SECONDS),
        "lines[0].points ": lambda: till.ledger.ReverseAward(reverse(given, points), timeout=SECONDS),
    }
    for field, call in calls.items():
        assert _refused(call, "INVALID_ARGUMENT", "INVALID_REQUEST").fields == [field.strip()]


def test_points_beyond_64_bits_cannot_be_said_and_no_line_awards_more_than_is_sane(till: Till) -> None:
    grant = till.grant()
    with pytest.raises(ValueError, match="out of range"):
        award(grant, MOST + 1)
    till.award(grant, 5)
    for points in (MOST_AT_ONCE + 1, MOST):
        _refused(lambda points=points: till.award(grant, points), "INVALID_ARGUMENT", "INVALID_REQUEST")  # type: ignore[misc]
    two = [pb.AwardLine(points=MOST_AT_ONCE)]
    _refused(lambda: till.award(till.grant(), 1, lines=two), "INVALID_ARGUMENT", "ISSUER_TWICE")
    _refused(lambda: till.redeem(grant, MOST), "FAILED_PRECONDITION", "INSUFFICIENT_POINTS")
    assert till.available(grant) == 5


@pytest.mark.parametrize("method", ["HoldPoints", "RedeemPoints"])
def test_nobody_holds_or_spends_beyond_the_balance(till: Till, method: str) -> None:
    grant = till.grant()
    till.award(grant, 100)
    till.hold(grant, 30)
    spend = till.hold if method == "HoldPoints" else till.redeem
    refused = _refused(lambda: spend(grant, 71), "FAILED_PRECONDITION", "INSUFFICIENT_POINTS")
    assert refused.metadata == {"available": "70", "requested": "71", "maxRedeemablePoints": "70"}
    failed = refused.detail(details.PreconditionFailure)
    assert failed
    assert [violation.type for violation in failed.violations] == ["INSUFFICIENT_POINTS"]
    assert spend(grant, 70).points == 70


def test_a_refused_request_id_may_be_tried_again(till: Till) -> None:
    grant = till.grant()
    request = redeem(grant, 10)
    _refused(lambda: till.ledger.RedeemPoints(request, timeout=SECONDS), "FAILED_PRECONDITION", "INSUFFICIENT_POINTS")
    till.award(grant, 10)
    answer, call = till.ledger.RedeemPoints.with_call(request, timeout=SECONDS)
    assert answer.points == 10
    assert "idempotent-replay" not in dict(call.trailing_metadata())


def test_a_capture_above_its_hold_is_refused(till: Till) -> None:
    grant = till.grant()
    till.award(grant)
    placed = till.hold(grant, 30)
    refused = _refused(
        lambda: till.ledger.CaptureHold(capture(placed, 31), timeout=SECONDS),
        "FAILED_PRECONDITION",
        "CAPTURE_EXCEEDS_HOLD",
    )
    assert refused.metadata["held"] == "30"
    assert till.ledger.CaptureHold(capture(placed, 30), timeout=SECONDS).points == 30
    _refused(
        lambda: till.ledger.CaptureHold(capture(placed, 30), timeout=SECONDS), "FAILED_PRECONDITION", "HOLD_CLOSED"
    )
    _refused(lambda: till.ledger.ReleaseHold(release(placed), timeout=SECONDS), "FAILED_PRECONDITION", "HOLD_CLOSED")


def test_a_reversal_above_its_award_is_refused(till: Till) -> None:
    given = till.award(till.grant(), 100)
    till.ledger.ReverseAward(reverse(given, 40), timeout=SECONDS)
    refused = _refused(
        lambda: till.ledger.ReverseAward(reverse(given, 61), timeout=SECONDS),
        "FAILED_PRECONDITION",
        "REVERSAL_EXCEEDS_AWARD",
    )
    assert (refused.metadata["reversible"], refused.metadata["requested"]) == ("60", "61")


def test_a_refund_above_its_redemption_is_refused(till: Till) -> None:
    grant = till.grant()
    till.award(grant)
    spent = till.redeem(grant, 50)
    refused = _refused(
        lambda: till.ledger.RefundRedemption(refund(spent, 51), timeout=SECONDS),
        "FAILED_PRECONDITION",
        "REFUND_EXCEEDS_REDEMPTION",
    )
    assert refused.metadata["refundable"] == "50"


def test_verbs_for_the_wrong_kind_of_entry_are_refused(till: Till) -> None:
    grant = till.grant()
    given = till.award(grant)
    spent = till.redeem(grant, 50)
    _refused(lambda: till.ledger.ReverseAward(reverse(spent), timeout=SECONDS), "FAILED_PRECONDITION", "NOT_AN_AWARD")
    _refused(
        lambda: till.ledger.RefundRedemption(refund(given), timeout=SECONDS),
        "FAILED_PRECONDITION",
        "NOT_A_REDEMPTION",
    )
    no_hold = pb.Hold(name=given.name.replace("entries", "holds"))
    _refused(lambda: till.ledger.CaptureHold(capture(no_hold), timeout=SECONDS), "NOT_FOUND", "HOLD_NOT_FOUND")


def test_what_belongs_to_another_partner_looks_like_nothing(till: Till, stranger: Till) -> None:
    grant = till.grant()
    given, placed, spent = till.award(grant), till.hold(grant, 10), till.redeem(grant, 10)
    balance = till.balance(grant)

    def calls(renamed: Callable[[str], str]) -> list[tuple[Call, str]]:
        entry, hold_name, redemption = (renamed(thing.name) for thing in (given, placed, spent))
        ask = stranger.ledger
        return [
            (lambda: ask.GetEntry(pb.GetEntryRequest(name=entry), timeout=SECONDS), "ENTRY_NOT_FOUND"),
            (lambda: ask.GetHold(pb.GetHoldRequest(name=hold_name), timeout=SECONDS), "HOLD_NOT_FOUND"),
            (lambda: ask.ReverseAward(reverse(pb.Entry(name=entry)), timeout=SECONDS), "ENTRY_NOT_FOUND"),
            (lambda: ask.RefundRedemption(refund(pb.Entry(name=redemption)), timeout=SECONDS), "ENTRY_NOT_FOUND"),
            (lambda: ask.CaptureHold(capture(pb.Hold(name=hold_name)), timeout=SECONDS), "HOLD_NOT_FOUND"),
            (lambda: ask.ReleaseHold(release(pb.Hold(name=hold_name)), timeout=SECONDS), "HOLD_NOT_FOUND"),
        ]

    def as_theirs(name: str) -> str:
        return name

    def as_mine(name: str) -> str:
        return name.replace(till.partner.name, stranger.partner.name)

    for renamed in (as_theirs, as_mine):
        for call, reason in calls(renamed):
            _refused(call, "NOT_FOUND", reason)
    listing = pb.ListEntriesRequest(parent=till.partner.name)
    _refused(lambda: stranger.ledger.ListEntries(listing, timeout=SECONDS), "NOT_FOUND", "ENTRY_NOT_FOUND")
    mine = stranger.ledger.ListEntries(pb.ListEntriesRequest(parent=stranger.partner.name), timeout=SECONDS)
    assert list(mine.entries) == []
    assert till.balance(grant) == balance


@pytest.mark.parametrize(
    "name",
    ["0-0", "63-999999", "64-1", "4294967296-1", "9999999999-1", "0-9223372036854775808", "0-9999999999999999999"],
)
def test_places_that_do_not_exist_are_not_found(till: Till, name: str) -> None:
    entry, placed = f"{till.partner.name}/entries/{name}", f"{till.partner.name}/holds/{name}"
    _refused(
        lambda: till.ledger.GetEntry(pb.GetEntryRequest(name=entry), timeout=SECONDS), "NOT_FOUND", "ENTRY_NOT_FOUND"
    )
    _refused(
        lambda: till.ledger.CaptureHold(capture(pb.Hold(name=placed)), timeout=SECONDS),
        "NOT_FOUND",
        "HOLD_NOT_FOUND",
    )
    _refused(
        lambda: till.ledger.ReverseAward(reverse(pb.Entry(name=entry)), timeout=SECONDS),
        "NOT_FOUND",
        "ENTRY_NOT_FOUND",
    )


MALFORMED: dict[str, Callable[[str], pb.AwardPointsRequest]] = {
    "request_id": lambda grant: award(grant, request_id="7"),
    "grant": lambda _: pb.AwardPointsRequest(request_id=fresh_id(), lines=[pb.AwardLine(points=1)]),
    "grant ": lambda _: award("x" * 2049),
    "lines": lambda grant: pb.AwardPointsRequest(request_id=fresh_id(), grant=grant),
    "lines ": lambda grant: award(grant, lines=[pb.AwardLine(points=1)] * 16),
    "lines[0].issuer": lambda grant: _with_issuer(grant, "Not A Partner"),
    "receipt_ref.store": lambda grant: award(grant, receipt_ref=_paper(store="")),
    "receipt_ref.store ": lambda grant: award(grant, receipt_ref=_paper(store="a\x00b")),
    "receipt_ref.terminal": lambda grant: award(grant, receipt_ref=_paper(terminal="T\n1")),
    "receipt_ref.receipt_no": lambda grant: award(grant, receipt_ref=_paper(receipt_no="9" * 65)),
    "receipt_ref.business_date": lambda grant: award(grant, receipt_ref=_undated()),
    "receipt_ref.business_date ": lambda grant: award(grant, receipt_ref=_paper(month=13)),
    "receipt_ref.business_date  ": lambda grant: award(grant, receipt_ref=_paper(day=0)),
    "lines.expires_on": lambda grant: _ending(grant, Date(year=2027)),
    "occurred_at": lambda grant: award(grant, occurred_at=Timestamp(seconds=10**15)),
    "occurred_at ": lambda grant: award(grant, occurred_at=Timestamp(seconds=1, nanos=-1)),
}


@pytest.mark.parametrize("field", MALFORMED)
def test_a_field_that_breaks_its_rule_is_named(till: Till, field: str) -> None:
    request = MALFORMED[field](till.grant())
    refused = Refused.of(lambda: till.ledger.AwardPoints(request, timeout=SECONDS))
    assert refused.code.name == "INVALID_ARGUMENT"
    assert refused.fields == [field.strip()]
    assert refused.well_formed()


def test_what_has_not_happened_yet_is_refused(till: Till) -> None:
    last = Timestamp()
    last.FromJsonString("9999-12-31T23:59:59Z")
    grant = till.grant()
    till.award(grant)
    for call in (
        lambda: till.award(grant, occurred_at=last),
        lambda: till.hold(grant, 1, occurred_at=last),
        lambda: till.redeem(grant, 1, occurred_at=last),
    ):
        _refused(call, "INVALID_ARGUMENT", "OCCURRED_IN_FUTURE")


@pytest.mark.parametrize("long_ago", ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z"])
def test_what_happened_too_long_ago_is_refused(till: Till, long_ago: str) -> None:
    first = Timestamp()
    first.FromJsonString(long_ago)
    refused = _refused(lambda: till.award(till.grant(), occurred_at=first), "INVALID_ARGUMENT", "OCCURRED_TOO_LONG_AGO")
    assert refused.metadata["days"] == "400"


def test_a_last_day_of_use_in_the_past_is_refused(till: Till) -> None:
    yesterday = (till.platform.clock.now() - timedelta(days=1)).date()
    request = _ending(till.grant(), Date(year=yesterday.year, month=yesterday.month, day=yesterday.day))
    refused = _refused(
        lambda: till.ledger.AwardPoints(request, timeout=SECONDS), "INVALID_ARGUMENT", "ALREADY_PAST_EXPIRY"
    )
    assert refused.metadata["expiresOn"] == yesterday.isoformat()


def test_an_issuer_stands_in_one_line_only_and_is_the_partner_itself(till: Till, stranger: Till) -> None:
    grant = till.grant()
    twice = award(grant, 1, lines=[pb.AwardLine(points=2)])
    refused = _refused(lambda: till.ledger.AwardPoints(twice, timeout=SECONDS), "INVALID_ARGUMENT", "ISSUER_TWICE")
    assert refused.fields == ["lines"]
    for other in (stranger.partner.id, "operator"):
        call = partial(till.ledger.AwardPoints, _with_issuer(grant, other), timeout=SECONDS)
        _refused(call, "PERMISSION_DENIED", "ISSUER_NOT_ALLOWED")


@pytest.mark.parametrize("ttl", [timedelta(0), timedelta(milliseconds=999), timedelta(days=7, seconds=1)])
def test_a_hold_that_lives_too_short_or_too_long_is_refused(till: Till, ttl: timedelta) -> None:
    grant = till.grant()
    till.award(grant)
    request = hold(grant, 1, ttl=after(seconds=ttl.total_seconds()))
    refused = _refused(lambda: till.ledger.HoldPoints(request, timeout=SECONDS), "INVALID_ARGUMENT", "INVALID_REQUEST")
    assert refused.fields == ["ttl"]


def test_not_more_than_twenty_violations_are_listed(till: Till) -> None:
    cursor = [pb.BucketPosition(bucket=-1, seq=-1) for _ in range(100)]
    read = till.platform.operator.ledger.ReadJournal
    refused = Refused.of(lambda: read(pb.ReadJournalRequest(cursor=cursor), timeout=SECONDS))
    assert refused.code.name == "INVALID_ARGUMENT"
    assert len(refused.fields) <= 20
    assert refused.metadata["count"] == "200"


def test_an_item_that_breaks_a_rule_spoils_nothing(till: Till) -> None:
    grant = till.grant()
    items = [award(grant, 5), pb.AwardPointsRequest(), award(grant, 0), award(grant, 7)]
    good, empty, nothing, also_good = till.ledger.BatchAwardPoints(
        pb.BatchAwardPointsRequest(items=items), timeout=SECONDS
    ).results
    assert (good.entry.points, also_good.entry.points, till.available(grant)) == (5, 7, 12)
    assert [result.refusal.code for result in (empty, nothing)] == [3, 3]
    assert "lines[0].points" in nothing.refusal.message


OPERATORS = {method.rpartition("/")[2] for method, roles in ACCESS.items() if Role.PARTNER not in roles}
METHODS = sorted(method.name for method in pb.DESCRIPTOR.services_by_name["LedgerService"].methods)
JUNK = {
    "an undecodable message": b"\xff\xff\xff\xff",
    "1 MiB of junk": b"\xab" * 2**20,
    "half a message": b"\x0a\x50ab",
}


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("method", METHODS)
def test_bytes_that_are_no_request_are_refused_as_such(
    till: Till, platform: RunningPlatform, method: str, junk: str
) -> None:
    calls = platform.operator if method in OPERATORS else till.partner.calls
    channel = calls.channel("ledger")
    if method == "VerifyJournal":
        stream = channel.unary_stream(f"{SERVICE}{method}", lambda raw: raw, lambda raw: raw)
        refused = Refused.of(lambda: list(stream(JUNK[junk], timeout=SECONDS)))
    else:
        unary = channel.unary_unary(f"{SERVICE}{method}", lambda raw: raw, lambda raw: raw)
        refused = Refused.of(lambda: unary(JUNK[junk], timeout=SECONDS))
    assert refused.code.name == "INVALID_ARGUMENT", refused.text
    assert refused.reason in ("MESSAGE_UNDECODABLE", "MESSAGE_TOO_LARGE")
    assert refused.well_formed()


def _paper(**fields: object) -> pb.ReceiptRef:
    paper = receipt()
    for name, value in fields.items():
        setattr(paper.business_date if name in ("year", "month", "day") else paper, name, value)
    return paper


def _undated() -> pb.ReceiptRef:
    return pb.ReceiptRef(store="S1", terminal="T1", receipt_no="1")


def _with_issuer(grant: str, issuer: str) -> pb.AwardPointsRequest:
    line = pb.AwardLine(points=1, issuer=issuer)
    return pb.AwardPointsRequest(request_id=fresh_id(), grant=grant, lines=[line])


def _ending(grant: str, day: Date) -> pb.AwardPointsRequest:
    line = pb.AwardLine(points=1, expires_on=day)
    return pb.AwardPointsRequest(request_id=fresh_id(), grant=grant, lines=[line])


def _grant(till: Till) -> Grant:
    now = till.platform.clock.now()
    return Grant(uuid4(), till.partner.id, Scope.REDEEM, None, (), now, now + timedelta(hours=1), uuid4())
