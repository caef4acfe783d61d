"""Each call of settlement, tried with each duty and by persons in two duties: what a row allows, and nothing else.

The rows are those that the service itself reads, so a call that somebody adds is tried too. An empty request is
enough: whose job it is not is told so before anybody looks at what was sent.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from contextlib import closing

import pytest
from coalition.settlement.v1.approvals_pb2 import GetProposalRequest
from grpc import StatusCode

from services.sandbox.clients import Calls
from services.sandbox.home import Home
from services.settlement.access import ACCESS
from services.settlement.api import duties
from services.settlement.domain.duties import Duty
from services.settlement.duties import DUTIES
from shared.rpc.caller import Role
from tests.journeys.wire import Line, line_of
from tests.settlement.api.desk import refused
from tests.settlement.control.test_approvals import decision, rates
from tests.support.platform import RunningPlatform, platform_in
from tests.support.refused import Refused

SINGLE = [frozenset({duty}) for duty in Duty]
PAIRS = [frozenset(pair) for pair in itertools.combinations(Duty, 2)]
NOBODY: frozenset[Duty] = frozenset()
METHODS = sorted(method for method, roles in ACCESS.items() if Role.OPERATOR in roles)
REFUSED = StatusCode.PERMISSION_DENIED
BROKEN = {StatusCode.UNKNOWN, StatusCode.INTERNAL, StatusCode.UNAVAILABLE, StatusCode.UNIMPLEMENTED}


def user(having: frozenset[Duty]) -> str:
    return "-".join(["user", *sorted(duty.value.lower() for duty in having)])


def written(home: Home, **changes: list[str]) -> None:
    """The file, with a person for each combination; replaced as a whole."""
    people = {user(having): sorted(duty.value for duty in having) for having in [*SINGLE, *PAIRS]}
    fresh = home.duties.with_suffix(".new")
    fresh.write_text(json.dumps({**people, "local": [duty.value for duty in Duty], **changes}))
    fresh.replace(home.duties)


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    """A platform whose operator has shared out the duties."""
    folder = tmp_path_factory.mktemp("strict")
    written(Home(folder))
    with platform_in(folder) as running:
        yield running


def line(platform: RunningPlatform, name: str) -> Line:
    sandbox = platform.sandbox
    return line_of(sandbox.targets, sandbox.authority.operator(name))


def test_every_call_of_the_operators_has_a_row_and_every_row_a_call() -> None:
    duties.check_complete(DUTIES, ACCESS)
    assert all(DUTIES.values())
    with pytest.raises(duties.IncompleteDuties):
        duties.check_complete(DUTIES, {**ACCESS, "/coalition.settlement.v1.New/Call": frozenset({Role.OPERATOR})})
    with pytest.raises(duties.IncompleteDuties):
        duties.check_complete({**DUTIES, "/coalition.settlement.v1.Old/Call": frozenset(Duty)}, ACCESS)


@pytest.mark.parametrize("having", [NOBODY, *SINGLE, *PAIRS], ids=user)
def test_a_person_may_call_what_its_duties_are_for_and_nothing_else(
    strict: RunningPlatform, having: frozenset[Duty]
) -> None:
    with closing(line(strict, user(having))) as caller:
        found = {method: caller.send(method) for method in METHODS}
    allowed = {method for method in METHODS if DUTIES[method] & having}
    assert {method for method, code in found.items() if code is not REFUSED} == allowed
    assert {method: code for method, code in found.items() if code in BROKEN} == {}


def test_no_single_duty_both_prepares_and_approves_or_releases() -> None:
    """Whoever has one duty alone cannot move money; a batch takes three of them."""
    by_duty = {duty: {method.rpartition("/")[2] for method in METHODS if duty in DUTIES[method]} for duty in Duty}
    acts = [{"CreateBatch", "CalculateBatch"}, {"ApproveBatch", "Approve"}, {"ReleaseBatch"}, {"ImportBankFile"}]
    for duty, act in itertools.product(Duty, acts):
        others = set().union(*(other for other in acts if other != act))
        assert not (by_duty[duty] & act and by_duty[duty] & others), duty


def test_an_auditor_reads_everything_and_does_nothing() -> None:
    reads = ("Get", "List", "Verify", "Explain", "Compare", "Simulate", "Download", "Export")
    may = {method.rpartition("/")[2] for method in METHODS if Duty.AUDITOR in DUTIES[method]}
    acting = {"VerifyBankAccount", "ExplainBreak"}
    assert all(name.startswith(reads) and name not in acting for name in may)
    assert may >= {method.rpartition("/")[2] for method in METHODS if "/Get" in method or "/List" in method}


def test_the_refusal_names_the_duty_that_is_missing(strict: RunningPlatform) -> None:
    with closing(line(strict, user(frozenset({Duty.AUDITOR})))) as auditor:
        call = auditor.channels["settlement"].unary_unary(
            "/coalition.settlement.v1.BatchService/ReleaseBatch", request_serializer=bytes, response_deserializer=bytes
        )
        found = Refused.of(lambda: call(b"", timeout=20))
    assert (found.code, found.reason, found.metadata["duty"]) == (REFUSED, "DUTY_MISSING", "RELEASER")
    assert found.well_formed()


def test_the_file_counts_as_it_is_now(strict: RunningPlatform) -> None:
    method = "/coalition.settlement.v1.BatchService/CreateBatch"
    with closing(line(strict, "newcomer")) as newcomer:
        assert newcomer.send(method) is REFUSED
        written(strict.home, newcomer=["PREPARER"])
        assert newcomer.send(method) is StatusCode.INVALID_ARGUMENT
        written(strict.home, **{"*": ["PREPARER"], "newcomer": ["AUDITOR"]})
        assert newcomer.send(method) is REFUSED
        with closing(line(strict, "somebody")) as somebody:
            assert somebody.send(method) is StatusCode.INVALID_ARGUMENT
        strict.home.duties.write_text('{"newcomer": ["PREPARER"')
        assert newcomer.send(method) is REFUSED, "what cannot be read gives nobody anything"
        written(strict.home, newcomer=["PREPARER"])
        assert newcomer.send(method) is StatusCode.INVALID_ARGUMENT
    written(strict.home)


def test_two_duties_do_not_make_two_persons(strict: RunningPlatform) -> None:
    """Whoever prepares and approves for others still cannot approve what is his own."""
    both = user(frozenset({Duty.PREPARER, Duty.APPROVER}))
    sandbox = strict.sandbox
    one, other = (Calls(sandbox.targets, sandbox.authority.operator(name)) for name in (both, "local"))
    made = one.reference.LoadFxSet(rates(USD="1.08"), timeout=20)
    proposal = one.approvals.GetProposal(GetProposalRequest(name=made.proposal), timeout=20)
    assert refused(lambda: one.approvals.Approve(decision(proposal), timeout=20)) == (
        "PERMISSION_DENIED",
        "OWN_PROPOSAL",
    )
    assert other.approvals.Approve(decision(proposal), timeout=20).decided_by == "operator/local"
