"""Every method with every role: whoever has no place in the row is refused, whoever has one is not."""

from __future__ import annotations

import grpc
import pytest
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.message import Message

from services.identity.access import ACCESS, TOKENLESS
from shared.refusal import Kind
from shared.rpc.caller import Role
from shared.rpc.remote import remote_refusal
from tests.identity.house import Desk, House, Partner


def desk_of(role: Role, house: House, grocer: Partner) -> Desk:
    match role:
        case Role.PARTNER:
            return grocer
        case Role.OPERATOR:
            return house.operator
        case _:
            return house.service(role.value)


def reason_for_nothing(desk: Desk, method: str) -> tuple[Kind, str]:
    """What the method says to an empty request."""
    service, name = method.removeprefix("/").split("/")
    declared = descriptor_pool.Default().FindServiceByName(service).methods_by_name[name]
    empty = message_factory.GetMessageClass(declared.input_type)()
    call: grpc.UnaryUnaryMultiCallable[Message, bytes] = desk.channel.unary_unary(
        method, lambda message: message.SerializeToString(), lambda content: content
    )
    try:
        desk(call, empty)
    except grpc.RpcError as error:
        refusal = remote_refusal(error)
        return refusal.kind, refusal.reason
    return Kind.MALFORMED, "ANSWERED"  # a list needs no fields


@pytest.mark.parametrize("role", Role, ids=lambda role: role.value)
def test_the_table_decides(house: House, grocer: Partner, role: Role) -> None:
    desk = desk_of(role, house, grocer)
    for method, roles in ACCESS.items():
        kind, reason = reason_for_nothing(desk, method)
        if role in roles:
            assert reason in ("INVALID_REQUEST", "ANSWERED"), method
        else:
            assert (kind, reason) == (Kind.NOT_ALLOWED, "NOT_ALLOWED"), method


def test_a_partner_without_a_token_gets_no_further_than_asking_for_one(house: House, grocer: Partner) -> None:
    bare = Desk(grocer.channel)
    for method, roles in ACCESS.items():
        if Role.PARTNER in roles and method not in TOKENLESS:
            assert reason_for_nothing(bare, method) == (Kind.UNAUTHENTICATED, "TOKEN_MISSING"), method


def test_a_token_works_with_the_certificate_of_its_own_partner_alone(grocer: Partner, baker: Partner) -> None:
    token = grocer.token()
    stolen = Desk(baker.channel, lambda: token)
    method = "/coalition.identity.v1.MemberService/ResolveMember"
    assert reason_for_nothing(stolen, method) == (Kind.UNAUTHENTICATED, "TOKEN_INVALID")
