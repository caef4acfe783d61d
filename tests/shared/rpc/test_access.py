"""Who gets in: certificates, tokens, and the table."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import grpc
import pytest
from grpc_reflection.v1alpha import reflection_pb2

from shared.credentials.authority import Authority, Leaf
from shared.rpc.access import IncompleteAccess, check_complete, methods_of
from shared.rpc.caller import Caller, NotAllowed, Role, caller
from tests.shared.home import NOW, TestHome
from tests.shared.rpc.conftest import Running
from tests.shared.rpc.echo import ACCESS, NOBODY, SERVICE, Stub, Words, looking
from tests.shared.rpc.refused import refused


def handshake_fails(stub: Stub) -> bool:
    with pytest.raises(grpc.RpcError) as caught:
        stub.say(Words(text="a"), timeout=3)
    return caught.value.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


def test_no_certificate_no_connection(running: Running) -> None:
    credentials = grpc.ssl_channel_credentials(running.home.authority.ca_file.read_bytes())
    with grpc.secure_channel(running.target, credentials) as channel:
        assert handshake_fails(Stub(channel))


def test_a_plain_connection_is_no_connection(running: Running) -> None:
    with grpc.insecure_channel(running.target) as channel:
        assert handshake_fails(Stub(channel))


def test_another_authoritys_certificate_no_connection(running: Running, tmp_path: Path) -> None:
    stranger = Authority.founded(tmp_path).service("catalogue")
    mixed = Leaf(stranger.certificate_file, stranger.key_file, running.home.authority.ca_file)
    assert handshake_fails(Stub(running.channel(mixed)))


def test_a_partners_certificate_cannot_serve(home: TestHome) -> None:
    leaf = home.authority.partner("grocer")
    impostor = Running(home, certificate_file=leaf.certificate_file, key_file=leaf.key_file)
    try:
        assert handshake_fails(impostor.service())
    finally:
        impostor.stop()


@pytest.mark.parametrize("path", ["service/unknown", "service/partner", "robot/anna", "partner/No Slug"])
def test_a_certificate_of_ours_that_names_nobody_is_unauthenticated(running: Running, path: str) -> None:
    leaf = running.home.authority._leaf(path.replace(" ", "%20"), ())
    got = refused(Stub(running.channel(leaf)).say, Words(text="a"))
    assert (got.code, got.reason) == (grpc.StatusCode.UNAUTHENTICATED, "CALLER_UNKNOWN")


def test_services_and_operators_need_only_their_certificate(running: Running) -> None:
    heard: list[Caller] = []
    running.echo.behaviour = looking(lambda context: heard.append(caller(context)))
    running.service("settlement").say(Words(text="a"), timeout=5)
    running.operator().say(Words(text="a"), timeout=5)
    assert heard == [Caller(Role.SETTLEMENT, "settlement"), Caller(Role.OPERATOR, "anna")]
    assert [one.principal for one in heard] == ["service/settlement", "operator/anna"]
    with pytest.raises(NotAllowed):
        heard[0].as_partner()


def test_a_partner_needs_its_own_token_too(running: Running) -> None:
    stub = running.partner("grocer")
    assert refused(stub.say, Words(text="a")).reason == "TOKEN_MISSING"
    assert refused(stub.say, Words(text="a"), metadata=running.bearer("baker")).reason == "TOKEN_INVALID"
    assert stub.say(Words(text="a"), timeout=5, metadata=running.bearer("grocer")).text == "a"


def test_the_partner_comes_from_the_credential(running: Running) -> None:
    running.echo.behaviour = lambda _request, context: Words(text=caller(context).as_partner())
    assert running.partner("grocer").say(Words(text="a"), timeout=5, metadata=running.bearer()).text == "grocer"


def test_only_the_methods_that_hand_out_tokens_take_a_certificate_alone(running: Running) -> None:
    stub = running.partner()
    assert stub.issue(Words(text="a"), timeout=5).text == "a"
    assert refused(stub.count, Words(text="a")).reason == "TOKEN_MISSING"
    assert refused(stub.gather, iter([Words(text="a")])).reason == "TOKEN_MISSING"


def test_a_token_ends_when_our_clock_says_so(running: Running) -> None:
    stub, bearer = running.partner(), running.bearer()
    stub.say(Words(text="a"), timeout=5, metadata=bearer)
    running.clock.instant = NOW + timedelta(minutes=10)
    got = refused(stub.say, Words(text="a"), metadata=bearer)
    assert (got.code, got.reason) == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_EXPIRED")


def test_two_authorization_headers_are_as_good_as_none(running: Running) -> None:
    got = refused(running.partner().say, Words(text="a"), metadata=running.bearer() * 2)
    assert got.reason == "TOKEN_MISSING"


def test_who_is_not_in_the_row_is_not_allowed(running: Running) -> None:
    got = refused(running.service("catalogue").nobody, Words(text="a"))
    assert (got.code, got.reason) == (grpc.StatusCode.PERMISSION_DENIED, "NOT_ALLOWED")
    assert got.info.metadata == {"caller": "service/catalogue", "method": NOBODY}
    assert running.service("settlement").nobody(Words(text="a"), timeout=5).text == "a"


def test_a_request_is_not_even_read_before_its_caller_is_allowed(running: Running) -> None:
    channel = running.channel(running.home.authority.service("catalogue"))
    call = channel.unary_unary(NOBODY, lambda content: content, Words.FromString)
    assert refused(call, b"\xff\xff").reason == "NOT_ALLOWED"


def test_a_server_does_not_start_with_a_method_that_has_no_row() -> None:
    check_complete(ACCESS, [SERVICE])
    assert methods_of([SERVICE]) == set(ACCESS)
    with pytest.raises(IncompleteAccess, match="Nobody"):
        check_complete({method: roles for method, roles in ACCESS.items() if method != NOBODY}, [SERVICE])
    with pytest.raises(IncompleteAccess, match="Gone"):
        check_complete({**ACCESS, f"/{SERVICE}/Gone": frozenset()}, [SERVICE])


def test_reflection_is_for_operators_unless_opened(running: Running, home: TestHome) -> None:
    assert services_listed(running.operator_channel()) == {SERVICE, "grpc.health.v1.Health", REFLECTION}
    with pytest.raises(grpc.RpcError) as caught:
        services_listed(running.channel(home.authority.partner("grocer")))
    assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
    opened = Running(home, reflection=True)
    try:
        assert SERVICE in services_listed(opened.channel(home.authority.partner("grocer")))
    finally:
        opened.stop()


REFLECTION = "grpc.reflection.v1alpha.ServerReflection"


def services_listed(channel: grpc.Channel) -> set[str]:
    ask, read = reflection_pb2.ServerReflectionRequest, reflection_pb2.ServerReflectionResponse.FromString
    list_services = channel.stream_stream(f"/{REFLECTION}/ServerReflectionInfo", ask.SerializeToString, read)
    answers = list_services(iter([ask(list_services="")]), timeout=5)
    return {service.name for answer in answers for service in answer.list_services_response.service}
