"""Four eyes over the wire: proposals of reference data, decided by another person, once, exactly as read."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import grpc
import pytest
from coalition.settlement.v1 import approvals_pb2 as pb
from coalition.settlement.v1 import reference_pb2 as reference
from coalition.settlement.v1 import steps_pb2
from google.type.date_pb2 import Date
from google.type.money_pb2 import Money

from services.sandbox.clients import Calls
from shared.rpc.remote import remote_refusal
from shared.rpc.wire import date_pb, decimal_pb
from tests.settlement.api.desk import SECONDS, fresh_id, refused, replayed
from tests.support.platform import RunningPlatform
from tests.support.together import at_once

DAY = date(2026, 3, 2)


@pytest.fixture(scope="module")
def anna(platform: RunningPlatform) -> Calls:
    return platform.operator


@pytest.fixture(scope="module")
def ben(platform: RunningPlatform) -> Calls:
    return platform.sandbox.colleague


@pytest.fixture(scope="module")
def carl(platform: RunningPlatform) -> Calls:
    return Calls(platform.sandbox.targets, platform.sandbox.authority.operator("carl"))


def rates(name: str = "", day: date = DAY, moved: tuple[str, ...] = (), **quotes: str) -> reference.LoadFxSetRequest:
    return reference.LoadFxSetRequest(
        request_id=fresh_id(),
        fx_set=reference.FxSet(
            name=f"fxSets/{name or uuid.uuid4().hex[:12]}",
            day=date_pb(day),
            base="EUR",
            source="a test",
            quotes=[
                reference.FxQuote(currency=currency, quote=decimal_pb(Decimal(quote)))
                for currency, quote in quotes.items()
            ],
            moved=moved,
        ),
    )


def decision(proposal: pb.Proposal, request_id: str = "") -> pb.ApproveRequest:
    return pb.ApproveRequest(name=proposal.name, sha256=proposal.sha256, request_id=request_id or fresh_id())


def whole(calls: Calls, name: str) -> pb.Proposal:
    return calls.approvals.GetProposal(pb.GetProposalRequest(name=name), timeout=SECONDS)


def approve(calls: Calls, name: str) -> pb.Proposal:
    return calls.approvals.Approve(decision(whole(calls, name)), timeout=SECONDS)


def loaded(anna: Calls, ben: Calls, request: reference.LoadFxSetRequest) -> reference.FxSet:
    """Proposed by one, approved by the other."""
    approve(ben, anna.reference.LoadFxSet(request, timeout=SECONDS).proposal)
    return anna.reference.GetFxSet(reference.GetFxSetRequest(name=request.fx_set.name), timeout=SECONDS)


def refusal(act: Callable[[], object]) -> str:
    return refused(act)[1]


def test_a_set_of_rates_is_in_force_when_another_person_approves_it(anna: Calls, ben: Calls) -> None:
    request = rates(USD="1.0850", JPY="162.41")
    made = anna.reference.LoadFxSet(request, timeout=SECONDS)
    get = reference.GetFxSetRequest(name=made.name)
    assert refusal(lambda: anna.reference.GetFxSet(get, timeout=SECONDS)) == "RESOURCE_NOT_FOUND"
    proposal = whole(ben, made.proposal)
    assert (proposal.kind, proposal.subject, proposal.proposed_by) == ("FX_SET", made.name, "operator/local")
    assert json.loads(proposal.content)["content"]["quotes"] == {"EUR": "1", "USD": "1.085", "JPY": "162.41"}
    assert refused(lambda: anna.approvals.Approve(decision(proposal), timeout=SECONDS)) == (
        "PERMISSION_DENIED",
        "OWN_PROPOSAL",
    )
    done = ben.approvals.Approve(decision(proposal), timeout=SECONDS)
    assert (done.state, done.decided_by) == (pb.PROPOSAL_STATE_APPROVED, "operator/colleague")
    found = anna.reference.GetFxSet(get, timeout=SECONDS)
    assert {one.currency: one.quote.value for one in found.quotes} == {"EUR": "1", "JPY": "162.41", "USD": "1.085"}
    assert (found.source, found.day) == ("a test", Date(year=2026, month=3, day=2))
    request.request_id = fresh_id()
    assert refused(lambda: anna.reference.LoadFxSet(request, timeout=SECONDS)) == (
        "ALREADY_EXISTS",
        "ALREADY_PUBLISHED",
    )


def test_repeats_answer_alike_and_an_id_stands_for_one_meaning(anna: Calls, ben: Calls) -> None:
    request = rates(USD="1.09")
    first, call = anna.reference.LoadFxSet.with_call(request, timeout=SECONDS)
    again, second = anna.reference.LoadFxSet.with_call(request, timeout=SECONDS)
    assert first == again
    assert (replayed(call), replayed(second)) == (False, True)
    request.fx_set.source = "another"
    assert refusal(lambda: anna.reference.LoadFxSet(request, timeout=SECONDS)) == "REQUEST_ID_REUSED"
    wish = decision(whole(ben, first.proposal))
    done, call = ben.approvals.Approve.with_call(wish, timeout=SECONDS)
    again_done, second = ben.approvals.Approve.with_call(wish, timeout=SECONDS)
    assert (done, replayed(call), replayed(second)) == (again_done, False, True)
    wish.request_id = fresh_id()
    assert refusal(lambda: ben.approvals.Approve(wish, timeout=SECONDS)) == "TRANSITION_REFUSED"


def test_an_edit_voids_and_shows_what_differs(anna: Calls, ben: Calls) -> None:
    name = uuid.uuid4().hex[:12]
    first = whole(ben, anna.reference.LoadFxSet(rates(name, USD="1.09"), timeout=SECONDS).proposal)
    second = anna.reference.LoadFxSet(rates(name, USD="1.10"), timeout=SECONDS).proposal
    assert refusal(lambda: ben.approvals.Approve(decision(first), timeout=SECONDS)) == "TRANSITION_REFUSED"
    assert whole(ben, first.name).state == pb.PROPOSAL_STATE_VOIDED
    stale = pb.ApproveRequest(name=second, sha256=first.sha256, request_id=fresh_id())
    assert refused(lambda: ben.approvals.Approve(stale, timeout=SECONDS)) == ("ABORTED", "CONTENT_CHANGED")
    assert approve(ben, second).state == pb.PROPOSAL_STATE_APPROVED


def calendar(name: str, cut_off: str = "16:00", **holidays: str) -> reference.PublishCalendarRequest:
    """Holidays as `d2026_05_04="Election Day"`."""
    return reference.PublishCalendarRequest(
        name=f"calendars/{name}",
        request_id=fresh_id(),
        source="ECB",
        from_day=date_pb(date(2026, 1, 1)),
        until_day=date_pb(date(2027, 1, 1)),
        time_zone="Europe/Berlin",
        cut_off=cut_off,
        holidays=[
            reference.CalendarDay(day=date_pb(date.fromisoformat(day[1:].replace("_", "-"))), closed=why)
            for day, why in holidays.items()
        ],
    )


def test_a_calendar_is_published_as_days_and_the_next_version_shows_its_difference(anna: Calls, ben: Calls) -> None:
    name = f"target-{uuid.uuid4().hex[:8]}"
    approve(ben, anna.reference.PublishCalendar(calendar(name), timeout=SECONDS).proposal)
    get = reference.GetCalendarRequest(name=f"calendars/{name}")
    first = anna.reference.GetCalendar(get, timeout=SECONDS)
    closed = {(one.day.month, one.day.day): one.closed for one in first.days if one.closed not in {"", "weekend"}}
    assert closed.keys() == {(1, 1), (4, 3), (4, 6), (5, 1), (12, 25), (12, 26)}
    assert (first.version, len(first.days), first.source.split()[0]) == (1, 365, "ECB,")
    later = anna.reference.PublishCalendar(calendar(name, d2026_05_04="Election Day"), timeout=SECONDS).proposal
    change = whole(ben, later)
    assert [(one.before, one.after) for one in change.changes] == [("", "Election Day")]
    assert change.replaces.startswith("proposals/")
    approve(ben, later)
    newest = anna.reference.GetCalendar(get, timeout=SECONDS)
    assert newest.version == 2
    assert next(one.closed for one in newest.days if (one.day.month, one.day.day) == (5, 4)) == "Election Day"
    old = anna.reference.GetCalendar(reference.GetCalendarRequest(name=f"calendars/{name}/versions/1"), timeout=SECONDS)
    assert old == first


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"source": "ZZ"}, "CALENDAR_SOURCE_UNKNOWN"),
        ({"time_zone": "Europe/Atlantis"}, "TIME_ZONE_UNKNOWN"),
        ({"until_day": date_pb(date(2026, 1, 1))}, "DAYS_IN_DISORDER"),
    ],
)
def test_a_calendar_that_cannot_be_is_refused(anna: Calls, change: dict[str, object], reason: str) -> None:
    request = calendar("wrong-one")
    request.MergeFrom(reference.PublishCalendarRequest(**change))  # type: ignore[arg-type]
    assert refusal(lambda: anna.reference.PublishCalendar(request, timeout=SECONDS)) == reason


def test_a_model_needs_its_calendar_and_keeps_its_versions(anna: Calls, ben: Calls) -> None:
    name = f"weekly-{uuid.uuid4().hex[:8]}"

    def wanted(payment_days: int) -> reference.PublishModelRequest:
        return reference.PublishModelRequest(
            request_id=fresh_id(),
            model=reference.SettlementModel(
                name=f"models/{name}",
                calendar=f"calendars/{name}",
                payment_days=payment_days,
                currencies=["EUR", "JPY"],
                minimum=[Money(currency_code="JPY", units=500), Money(currency_code="EUR", units=5)],
            ),
        )

    assert refusal(lambda: anna.reference.PublishModel(wanted(1), timeout=SECONDS)) == "RESOURCE_NOT_FOUND"
    approve(ben, anna.reference.PublishCalendar(calendar(name), timeout=SECONDS).proposal)
    for days in (1, 2):
        approve(ben, anna.reference.PublishModel(wanted(days), timeout=SECONDS).proposal)
    get = anna.reference.GetModel
    newest = get(reference.GetModelRequest(name=f"models/{name}"), timeout=SECONDS)
    assert (newest.version, newest.payment_days, newest.fx_days, newest.netting) == (2, 2, 5, 1)
    assert [(one.currency_code, one.units) for one in newest.minimum] == [("EUR", 5), ("JPY", 500)]
    assert get(reference.GetModelRequest(name=f"models/{name}/versions/1"), timeout=SECONDS).payment_days == 1
    listed = anna.reference.ListModels(reference.ListModelsRequest(page_size=1000), timeout=SECONDS).models
    assert [one.version for one in listed if one.name == f"models/{name}"] == [2]


def test_a_declined_proposal_says_why_and_takes_no_effect(anna: Calls, ben: Calls) -> None:
    made = anna.reference.LoadFxSet(rates(USD="1.08"), timeout=SECONDS)
    proposal = whole(ben, made.proposal)
    request = pb.DeclineRequest(name=proposal.name, sha256=proposal.sha256, request_id=fresh_id(), why="wrong day")
    assert refusal(lambda: anna.approvals.Decline(request, timeout=SECONDS)) == "OWN_PROPOSAL"
    done = ben.approvals.Decline(request, timeout=SECONDS)
    assert (done.state, done.why) == (pb.PROPOSAL_STATE_DECLINED, "wrong day")
    get = reference.GetFxSetRequest(name=made.name)
    assert refusal(lambda: anna.reference.GetFxSet(get, timeout=SECONDS)) == "RESOURCE_NOT_FOUND"


def test_proposals_are_listed_with_their_hashes_page_by_page(anna: Calls, ben: Calls) -> None:
    name = uuid.uuid4().hex[:12]
    made = [anna.reference.LoadFxSet(rates(name, USD=f"1.0{number}"), timeout=SECONDS).proposal for number in range(5)]
    found: list[pb.Proposal] = []
    token = ""
    while True:
        request = pb.ListProposalsRequest(subject=f"fxSets/{name}", page_size=2, page_token=token)
        page = ben.approvals.ListProposals(request, timeout=SECONDS)
        found += page.proposals
        if not (token := page.next_page_token):
            break
    assert [one.name for one in found] == made
    assert all(len(one.sha256) == 32 and not one.content for one in found)
    waiting = pb.ListProposalsRequest(subject=f"fxSets/{name}", state=pb.PROPOSAL_STATE_PROPOSED)
    assert [one.name for one in ben.approvals.ListProposals(waiting, timeout=SECONDS).proposals] == made[-1:]


def test_of_two_who_approve_at_once_one_does(anna: Calls, ben: Calls, carl: Calls) -> None:
    made = anna.reference.LoadFxSet(rates(USD="1.08"), timeout=SECONDS)
    wish = decision(whole(ben, made.proposal))

    def by(calls: Calls) -> str:
        request = pb.ApproveRequest(name=wish.name, sha256=wish.sha256, request_id=fresh_id())
        try:
            return calls.approvals.Approve(request, timeout=SECONDS).decided_by
        except grpc.RpcError as error:
            return remote_refusal(error).reason

    assert sorted(at_once([lambda: by(ben), lambda: by(carl)]))[0] == "TRANSITION_REFUSED"


def test_what_happened_to_a_proposal_is_a_chain(anna: Calls, ben: Calls) -> None:
    name = anna.reference.LoadFxSet(rates(USD="1.08"), timeout=SECONDS).proposal
    sha256 = approve(ben, name).sha256
    request = steps_pb2.ListTransitionsRequest(parent=name)
    found = anna.steps.ListTransitions(request, timeout=SECONDS).transitions
    assert [(one.to_state, one.by, one.evidence) for one in found] == [
        ("PROPOSED", "operator/local", sha256),
        ("APPROVED", "operator/colleague", sha256),
    ]
    nothing = steps_pb2.ListTransitionsRequest(parent="proposals/0")
    assert refusal(lambda: anna.steps.ListTransitions(nothing, timeout=SECONDS)) == "RESOURCE_NOT_FOUND"


def test_nothing_is_in_quarantine_and_there_is_nothing_to_lift(anna: Calls) -> None:
    assert anna.steps.GetQuarantine(steps_pb2.GetQuarantineRequest(), timeout=SECONDS).why == ""
    lift = steps_pb2.LiftQuarantineRequest(request_id=fresh_id(), why="x")
    assert refusal(lambda: anna.steps.LiftQuarantine(lift, timeout=SECONDS)) == "NOT_QUARANTINED"
    again = steps_pb2.RetryBlockedRequest(name="steps/send/none", request_id=fresh_id())
    assert refusal(lambda: anna.steps.RetryBlocked(again, timeout=SECONDS)) == "STEP_NOT_FOUND"


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (rates(USD="0"), "FX_QUOTE_REFUSED"),
        (rates(USD="-1.08"), "FX_QUOTE_REFUSED"),
        (rates(XXX="1.08"), "FX_QUOTE_REFUSED"),
        (rates(EUR="1.01", USD="1.08"), "FX_QUOTE_REFUSED"),
        (rates(USD="1.0800000000001"), "FX_QUOTE_REFUSED"),
    ],
    ids=["nothing", "less than nothing", "no currency", "a base of more than 1", "too fine"],
)
def test_a_quote_that_can_be_none_is_refused(anna: Calls, request_: reference.LoadFxSetRequest, reason: str) -> None:
    assert refused(lambda: anna.reference.LoadFxSet(request_, timeout=SECONDS)) == ("INVALID_ARGUMENT", reason)


def test_a_set_that_stands_upside_down_is_refused_unless_the_loader_says_that_it_moved(anna: Calls, ben: Calls) -> None:
    day = DAY + timedelta(days=int(uuid.uuid4().int % 3000))
    loaded(anna, ben, rates(day=day, JPY="162.40"))
    upside_down = rates(day=day + timedelta(days=1), JPY="0.006157635468")
    assert refused(lambda: anna.reference.LoadFxSet(upside_down, timeout=SECONDS)) == (
        "FAILED_PRECONDITION",
        "FX_QUOTE_INVERTED",
    )
    upside_down.fx_set.moved.append("JPY")
    assert anna.reference.LoadFxSet(upside_down, timeout=SECONDS).proposal
