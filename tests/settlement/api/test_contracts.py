"""Terms over the wire: published once by the operator, seen by the partner they bind and by nobody else."""

from __future__ import annotations

import uuid
from datetime import timedelta
from functools import partial

import pytest
from coalition.settlement.v1 import settlement_pb2 as pb
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.decimal_pb2 import Decimal

from shared.rpc.wire import timestamp
from tests.ledger.till import SECONDS as PATIENCE
from tests.ledger.till import till_of
from tests.settlement.api.desk import SECONDS, fresh_id, publication, refused, replayed, version
from tests.support.platform import BEGINNING, RunningPlatform
from tests.support.refused import Refused
from tests.support.together import at_once, until


@pytest.fixture
def partner() -> str:
    """An id that nobody else uses."""
    return f"partner-{uuid.uuid4().hex[:12]}"


def listed(platform: RunningPlatform, partner: str, **more: object) -> pb.ListContractVersionsResponse:
    request = pb.ListContractVersionsRequest(parent=f"partners/{partner}", **more)  # type: ignore[arg-type]
    return platform.operator.contracts.ListContractVersions(request, timeout=SECONDS)


def test_a_version_is_published_once_and_a_repeat_gets_it_again(platform: RunningPlatform, partner: str) -> None:
    publish = platform.operator.contracts.PublishContractVersion
    request = publication(partner, version("0.0120"))
    first, call = publish.with_call(request, timeout=SECONDS)
    assert not replayed(call)
    assert first.name == f"partners/{partner}/contract/versions/1"
    assert (first.rate_at_issuance.value, first.rounding) == ("0.012", pb.ROUNDING_CUMULATIVE_HALF_EVEN)
    assert (len(first.sha256), first.HasField("effective_until")) == (32, False)
    assert first.state == pb.CONTRACT_VERSION_STATE_PROPOSED
    assert not listed(platform, partner).contract_versions
    platform.approve(first.proposal)
    again, call = publish.with_call(request, timeout=SECONDS)
    assert replayed(call)
    assert (again.state, again.sha256) == (pb.CONTRACT_VERSION_STATE_PUBLISHED, first.sha256)
    assert listed(platform, partner).contract_versions[0] == again
    request.contract_version.rate_at_issuance.value = "0.012000"
    request.contract_version.name = "something else"
    assert publish(request, timeout=SECONDS) == again, "the same meaning in other words"
    request.contract_version.rate_at_issuance.value = "0.0121"
    assert refused(lambda: publish(request, timeout=SECONDS)) == ("ALREADY_EXISTS", "REQUEST_ID_REUSED")
    other = publication(f"{partner}-2", version("0.0120"), request.request_id)
    assert refused(lambda: publish(other, timeout=SECONDS)) == ("ALREADY_EXISTS", "REQUEST_ID_REUSED")
    assert len(listed(platform, partner).contract_versions) == 1


def test_a_repeat_after_a_later_version_still_gets_the_first(platform: RunningPlatform, partner: str) -> None:
    publish = platform.operator.contracts.PublishContractVersion
    request = publication(partner, version())
    first = publish(request, timeout=SECONDS)
    platform.approve(first.proposal)
    publish(publication(partner, version("0.02", since=BEGINNING + timedelta(days=900))), timeout=SECONDS)
    assert publish(request, timeout=SECONDS).name == first.name


def test_the_next_version_ends_the_one_before(platform: RunningPlatform, partner: str) -> None:
    platform.agree(partner, version())
    later = BEGINNING + timedelta(days=365)
    platform.agree(partner, version("0.0125", since=later))
    one, two = listed(platform, partner).contract_versions
    assert (one.effective_until, two.effective_from) == (timestamp(later), timestamp(later))
    assert not two.HasField("effective_until")
    publish = platform.operator.contracts.PublishContractVersion
    for overlapping in (publication(partner, version(since=since)) for since in (later, BEGINNING)):
        found = refused(partial(publish, overlapping, timeout=SECONDS))
        assert found == ("FAILED_PRECONDITION", "CONTRACT_VERSION_OVERLAPS")


def test_versions_are_listed_page_by_page(platform: RunningPlatform, partner: str) -> None:
    for number in range(5):
        platform.agree(partner, version(since=BEGINNING + timedelta(days=number)))
    names, token = [], ""
    while True:
        page = listed(platform, partner, page_size=2, page_token=token)
        names += [one.name.rpartition("/")[2] for one in page.contract_versions]
        token = page.next_page_token
        if not token:
            break
    assert names == ["1", "2", "3", "4", "5"]
    token = listed(platform, partner, page_size=2).next_page_token
    for foreign in (
        lambda: listed(platform, "other", page_token=token),
        lambda: listed(platform, partner, page_token="x"),
    ):
        assert refused(foreign) == ("INVALID_ARGUMENT", "INVALID_PAGE_TOKEN")


@pytest.mark.parametrize(
    "rate",
    [
        "",
        "-0.01",
        "0.0000000001",
        "1e-2",
        "NaN",
        "Infinity",
        "0,01",
        "1" * 5000,
        "0.01\x00",
        "\x1b[31m",
        "é",
        "1000000000",
        "1e999999999",
        "1e-999999999",
        "0.01\n",
    ],
    ids=ascii,
)
@pytest.mark.parametrize("field", ["rate_at_issuance", "reimbursement_rate"])
def test_a_rate_that_is_not_exact_is_refused(platform: RunningPlatform, partner: str, field: str, rate: str) -> None:
    request = publication(partner, version())
    getattr(request.contract_version, field).CopyFrom(Decimal(value=rate))
    found = Refused.of(lambda: platform.operator.contracts.PublishContractVersion(request, timeout=SECONDS))
    assert (found.code.name, found.reason) == ("INVALID_ARGUMENT", "RATE_NOT_EXACT")
    assert found.well_formed()
    assert found.metadata["field"] == f"contract_version.{field}"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"currency": "XXX"}, "CURRENCY_UNKNOWN"),
        ({"currency": "usd"}, "INVALID_REQUEST"),
        ({"currency": "USD\n"}, "INVALID_REQUEST"),
        ({"currency": "US\x00"}, "INVALID_REQUEST"),
        ({"timing": 0}, "INVALID_REQUEST"),
        ({"timing": 9}, "INVALID_REQUEST"),
        ({"rounding": 9}, "INVALID_REQUEST"),
        ({"effective_from": Timestamp(seconds=2**62)}, "NOT_AN_INSTANT"),
        ({"effective_from": Timestamp(nanos=-1)}, "NOT_AN_INSTANT"),
    ],
    ids=str,
)
def test_terms_that_cannot_be_are_refused(
    platform: RunningPlatform, partner: str, change: dict[str, object], reason: str
) -> None:
    request = publication(partner, version())
    for field in change:
        request.contract_version.ClearField(field)
    request.contract_version.MergeFrom(pb.ContractVersion(**change))  # type: ignore[arg-type]  # as above
    code, found = refused(lambda: platform.operator.contracts.PublishContractVersion(request, timeout=SECONDS))
    assert (code, found) == ("INVALID_ARGUMENT", reason)


@pytest.mark.parametrize(
    "parent",
    ["", "partners/", "partners/A", "partners/a\x00b", "partners/../x", "partners/ab\n", "x", "partners/" + "a" * 99],
)
def test_a_name_that_cannot_be_is_refused(platform: RunningPlatform, parent: str) -> None:
    operator = platform.operator.contracts
    request = publication("grocer", version())
    request.parent = parent
    calls = [
        lambda: operator.PublishContractVersion(request, timeout=SECONDS),
        lambda: operator.ListContractVersions(pb.ListContractVersionsRequest(parent=parent), timeout=SECONDS),
        lambda: operator.GetPosition(pb.GetPositionRequest(name=f"{parent}/position"), timeout=SECONDS),
        lambda: platform.operator.statements.ListStatements(pb.ListStatementsRequest(parent=parent), timeout=SECONDS),
        lambda: platform.operator.statements.GetStatement(
            pb.GetStatementRequest(name=f"{parent}/statements/1"), timeout=SECONDS
        ),
    ]
    for call in calls:
        assert refused(call)[0] == "INVALID_ARGUMENT"


@pytest.mark.parametrize(
    "since", [Timestamp(seconds=-62_135_596_800), Timestamp(seconds=253_402_300_799, nanos=999_999_999)]
)
def test_the_first_and_the_last_instant_are_instants(platform: RunningPlatform, partner: str, since: Timestamp) -> None:
    terms = version()
    terms.effective_from.CopyFrom(since)
    published = platform.agree(partner, terms)
    (found,) = listed(platform, partner).contract_versions
    assert found == published
    assert found.effective_from.seconds == since.seconds


def test_those_who_publish_at_once_are_all_answered(platform: RunningPlatform, partner: str) -> None:
    request = publication(partner, version())
    publish = platform.operator.contracts.PublishContractVersion
    answers = at_once([lambda: publish(request, timeout=SECONDS).name] * 6)
    assert set(answers) == {f"partners/{partner}/contract/versions/1"}


def test_a_partner_sees_its_own_terms_and_nobody_elses(platform: RunningPlatform) -> None:
    one, other = platform.partner(), platform.partner()
    request = pb.ListContractVersionsRequest(parent=one.name)
    assert one.calls.contracts.ListContractVersions(request, timeout=SECONDS).contract_versions
    strange = pb.ListContractVersionsRequest(parent="partners/nobody-at-all")
    for by, what in ((other, request), (one, strange)):
        found = refused(partial(by.calls.contracts.ListContractVersions, what, timeout=SECONDS))
        assert found == ("NOT_FOUND", "CONTRACT_NOT_FOUND")
    mine = publication(one.id, version("0.0001", since=BEGINNING + timedelta(days=999)))
    assert refused(lambda: one.calls.contracts.PublishContractVersion(mine, timeout=SECONDS))[0] == "PERMISSION_DENIED"


def test_a_position_is_exact_and_ones_own(platform: RunningPlatform) -> None:
    till, stranger = till_of(platform), platform.partner()
    grant = till.grant()
    till.award(grant, 1003)
    till.redeem(grant, 7)
    request = pb.GetPositionRequest(name=f"{till.partner.name}/position")

    def position() -> pb.Position:
        return till.partner.calls.contracts.GetPosition(request, timeout=PATIENCE)

    until(lambda: position().exact.value == "11.973")  # 1003 x 0.012 - 7 x 0.009
    assert position().currency == "USD"
    assert position().entry_count >= 2
    platform.close_window()
    assert position().exact.value == "0", "what is in a closed window is no longer open"
    for call in (
        lambda: stranger.calls.contracts.GetPosition(request, timeout=SECONDS),
        lambda: platform.operator.contracts.GetPosition(
            pb.GetPositionRequest(name="partners/nobody-at-all/position"), timeout=SECONDS
        ),
    ):
        assert refused(call) == ("NOT_FOUND", "CONTRACT_NOT_FOUND")


def test_what_was_counted_keeps_its_price(platform: RunningPlatform) -> None:
    till = till_of(platform)
    till.award(till.grant(), 10)
    request = pb.GetPositionRequest(name=f"{till.partner.name}/position")
    until(lambda: till.partner.calls.contracts.GetPosition(request, timeout=SECONDS).exact.value == "0.12")
    publish = platform.operator.contracts.PublishContractVersion
    now = platform.clock.now()
    late = publication(till.partner.id, version("0.5", since=now - timedelta(seconds=1)))
    assert refused(lambda: publish(late, timeout=SECONDS)) == ("FAILED_PRECONDITION", "CONTRACT_VERSION_RETROACTIVE")
    platform.close_window()
    late.request_id = fresh_id()
    assert refused(lambda: publish(late, timeout=SECONDS)) == (
        "FAILED_PRECONDITION",
        "CONTRACT_VERSION_IN_CLOSED_WINDOW",
    )
    assert publish(
        publication(till.partner.id, version("0.5", since=now + timedelta(seconds=1))), timeout=SECONDS
    ).name.endswith("/2")
