"""Every method of every service, tried over the wire with every role and every wrong credential.

An empty request is enough: who may not call is told so before anybody looks at what was sent, and who may is told what
is wrong with it. Whose thing it is that a partner names: see `test_other_partners_things`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import grpc
import pytest
from grpc import StatusCode
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from services.identity.access import TOKENLESS
from shared.credentials.authority import Authority
from shared.rpc.caller import SERVICES, Role
from tests.journeys.story import SECONDS, token_of
from tests.journeys.wire import (
    ACCESS,
    METHODS,
    Line,
    bearer,
    declared,
    line_of,
    line_with_foreign_certificate,
    line_without_certificate,
)
from tests.support.platform import Partner, RunningPlatform

BROKEN = {StatusCode.UNKNOWN, StatusCode.INTERNAL, StatusCode.UNAVAILABLE, StatusCode.UNIMPLEMENTED}
REFUSED = {StatusCode.PERMISSION_DENIED, StatusCode.UNAUTHENTICATED}


@pytest.fixture(scope="module")
def grocer(platform: RunningPlatform) -> Partner:
    return platform.partner()


@pytest.fixture(scope="module")
def baker(platform: RunningPlatform) -> Partner:
    return platform.partner()


@pytest.fixture(scope="module")
def lines(platform: RunningPlatform, grocer: Partner) -> Iterator[Mapping[Role, Line]]:
    """A connection for each role, as somebody of that role makes it."""
    authority, targets = platform.sandbox.authority, platform.sandbox.targets
    made = {role: line_of(targets, authority.service(role.value)) for role in SERVICES}
    made[Role.OPERATOR] = line_of(targets, authority.operator("anna"))
    made[Role.PARTNER] = line_of(targets, grocer.kit.leaf)
    yield made
    for line in made.values():
        line.close()


def answers(line: Line) -> dict[str, StatusCode]:
    """What every method of every service says."""
    return {method: line.send(method) for method in METHODS}


@pytest.mark.parametrize("service", ACCESS)
def test_every_method_of_a_contract_has_its_row(service: str) -> None:
    assert ACCESS[service].keys() == declared(service)


@pytest.mark.parametrize("role", Role)
def test_a_role_may_call_what_stands_in_its_rows_and_nothing_else(
    lines: Mapping[Role, Line], grocer: Partner, role: Role
) -> None:
    line = lines[role]
    if role is Role.PARTNER:
        line = line.with_metadata(bearer(token_of(grocer)))
    found = answers(line)
    allowed = {method for method in METHODS if role in METHODS[method]}
    assert {method: code for method, code in found.items() if method in allowed and code in REFUSED | BROKEN} == {}
    denied = {method: code for method, code in found.items() if method not in allowed}
    assert set(denied.values()) <= {StatusCode.PERMISSION_DENIED}, denied


def test_no_service_reads_personal_data_or_money_and_only_partners_and_the_catalogue_move_points() -> None:
    """So that one service that is taken over, or one operator, does not give away the others' secrets or points."""
    moving = ("AwardPoints", "Hold", "ReleasePending", "Redeem", "Reverse", "RefundR", "TransferP")
    for method, roles in METHODS.items():
        if any(word in method for word in ("MemberService", "TokenService", "coalition.settlement")):
            assert not roles & SERVICES, method
        if "LedgerService" in method and any(word in method for word in moving) and not method.endswith("/GetHold"):
            assert roles <= {Role.PARTNER, Role.CATALOGUE}, method


@pytest.mark.parametrize("who", ["without a token", "with another partner's token", "with a forged token"])
def test_a_partners_certificate_alone_can_only_ask_for_a_token(
    lines: Mapping[Role, Line], grocer: Partner, baker: Partner, who: str
) -> None:
    line = lines[Role.PARTNER]
    if who == "with another partner's token":
        line = line.with_metadata(bearer(token_of(baker)))
    elif who == "with a forged token":
        header, payload, signature = token_of(grocer).split(".")
        line = line.with_metadata(bearer(f"{header}.{payload}.{signature[::-1]}"))
    _only_tokens(answers(line))


def test_an_expired_token_opens_nothing_and_a_new_one_opens_all_again(
    platform: RunningPlatform, lines: Mapping[Role, Line], grocer: Partner
) -> None:
    old = lines[Role.PARTNER].with_metadata(bearer(token_of(grocer)))
    platform.clock.move(timedelta(minutes=15))
    _only_tokens(answers(old))
    renewed = lines[Role.PARTNER].with_metadata(bearer(token_of(grocer)))
    assert not REFUSED & {renewed.send(method) for method, roles in METHODS.items() if Role.PARTNER in roles}


def test_a_token_makes_nobody_else_a_partner(lines: Mapping[Role, Line], grocer: Partner) -> None:
    for role in Role:
        if role not in {Role.PARTNER, Role.CATALOGUE}:
            line = lines[role].with_metadata(bearer(token_of(grocer)))
            assert line.send("/coalition.ledger.v1.LedgerService/AwardPoints") is StatusCode.PERMISSION_DENIED


def test_a_certificate_of_ours_that_names_no_role_gets_nowhere(platform: RunningPlatform) -> None:
    sandbox = platform.sandbox
    with closing(line_of(sandbox.targets, sandbox.authority.service("console"))) as line:
        assert set(answers(line).values()) == {StatusCode.UNAUTHENTICATED}


def test_no_certificate_gets_nowhere(platform: RunningPlatform, grocer: Partner) -> None:
    with closing(line_without_certificate(platform.sandbox.targets, grocer.kit.leaf.ca_file)) as line:
        found = answers(line.with_metadata(bearer(token_of(grocer))))
    assert set(found.values()) == {StatusCode.UNAVAILABLE}, found


@pytest.mark.parametrize("kind", ["partner", "operator", "service"])
def test_another_authoritys_certificate_gets_nowhere(
    platform: RunningPlatform, grocer: Partner, tmp_path: Path, kind: str
) -> None:
    """It says the right name, and was signed by the wrong hand."""
    foreign = Authority.founded(tmp_path)
    leaf = {
        "partner": lambda: foreign.partner(grocer.id),
        "operator": lambda: foreign.operator("local"),
        "service": lambda: foreign.service("catalogue"),
    }[kind]()
    trusted = grocer.kit.leaf.ca_file
    with closing(line_with_foreign_certificate(platform.sandbox.targets, trusted, leaf)) as line:
        found = answers(line.with_metadata(bearer(token_of(grocer))))
    assert set(found.values()) == {StatusCode.UNAVAILABLE}, found


@pytest.mark.parametrize("service", ACCESS)
def test_everybody_with_a_certificate_may_ask_how_a_service_is(lines: Mapping[Role, Line], service: str) -> None:
    for role in Role:
        check = (
            lines[role]
            .channels[service]
            .unary_unary(
                "/grpc.health.v1.Health/Check",
                request_serializer=HealthCheckRequest.SerializeToString,
                response_deserializer=HealthCheckResponse.FromString,
            )
        )
        answer: HealthCheckResponse = check(HealthCheckRequest(), timeout=SECONDS)
        assert answer.status == HealthCheckResponse.SERVING


@pytest.mark.parametrize("service", ACCESS)
def test_a_method_that_does_not_exist_is_nobodys(lines: Mapping[Role, Line], service: str) -> None:
    some = next(iter(ACCESS[service])).rpartition("/")[0]
    call = (
        lines[Role.OPERATOR]
        .channels[service]
        .unary_unary(f"{some}/MintPoints", request_serializer=bytes, response_deserializer=bytes)
    )
    with pytest.raises(grpc.RpcError) as refused:
        call(b"", timeout=SECONDS)
    assert refused.value.code() in {StatusCode.UNIMPLEMENTED, StatusCode.PERMISSION_DENIED}


def _only_tokens(found: Mapping[str, StatusCode]) -> None:
    """All is UNAUTHENTICATED but the call that hands out tokens, which looks at what it was sent."""
    assert {found[method] for method in TOKENLESS} == {StatusCode.INVALID_ARGUMENT}
    others = {method: code for method, code in found.items() if method not in TOKENLESS}
    assert set(others.values()) == {StatusCode.UNAUTHENTICATED}, others
