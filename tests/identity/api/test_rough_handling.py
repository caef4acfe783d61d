"""Junk, oversize and a database that goes away: each gets its refusal, and the next good call works."""

from __future__ import annotations

import os

import grpc
import pytest
from coalition.identity.v1 import identity_pb2 as pb

from shared.refusal import Kind
from shared.rpc.remote import remote_refusal
from tests.identity.house import House, Partner, number, refused, wish_of
from tests.support.databases import Databases

RESOLVE = "/coalition.identity.v1.MemberService/ResolveMember"


def raw(partner: Partner, content: bytes) -> tuple[Kind, str]:
    send = partner.channel.unary_unary(RESOLVE, lambda message: message, lambda message: message)
    with pytest.raises(grpc.RpcError) as caught:
        partner(send, content)
    refusal = remote_refusal(caught.value)
    return refusal.kind, refusal.reason


def test_junk_is_malformed(house: House, grocer: Partner) -> None:
    assert raw(grocer, b"\xff" * 100) == (Kind.MALFORMED, "MESSAGE_UNDECODABLE")
    assert raw(grocer, os.urandom(1024 * 1024)) == (Kind.MALFORMED, "MESSAGE_TOO_LARGE")
    assert raw(grocer, b"\x0a\x04\x12\x02\xc3\x28") == (Kind.MALFORMED, "MESSAGE_UNDECODABLE")
    assert grocer.resolve(number(house.enrol())).grant


@pytest.mark.parametrize(
    "shown",
    [
        pb.Identifier(),
        pb.Identifier(type=pb.IDENTIFIER_TYPE_CARD),
        pb.Identifier(value="1234"),
        pb.Identifier(type=99, value="1234"),  # type: ignore[arg-type]  # what an old client cannot know
        pb.Identifier(type=pb.IDENTIFIER_TYPE_CARD, value="1" * 255),
    ],
)
def test_what_breaks_the_contract_is_malformed(grocer: Partner, shown: pb.Identifier) -> None:
    refusal = refused(grocer, grocer.members.ResolveMember, pb.ResolveMemberRequest(identifier=shown))
    assert (refusal.kind, refusal.reason) == (Kind.MALFORMED, "INVALID_REQUEST")


@pytest.mark.parametrize("value", ["'; DROP TABLE members; --", "\x00", "😀" * 60, "%00", "\u202e1234"])
def test_strange_values_are_just_unknown(grocer: Partner, value: str) -> None:
    for type_ in (pb.IDENTIFIER_TYPE_CARD, pb.IDENTIFIER_TYPE_EMAIL, pb.IDENTIFIER_TYPE_MEMBER_NUMBER):
        shown = pb.Identifier(type=type_, value=value)
        refusal = refused(grocer, grocer.members.ResolveMember, pb.ResolveMemberRequest(identifier=shown))
        assert (refusal.kind, refusal.reason) == (Kind.NOT_THERE, "MEMBER_NOT_FOUND")


def test_lost_connections_are_noticed_by_nobody(house: House, grocer: Partner) -> None:
    member = house.enrol()
    with house.as_administrator() as admin:
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'identity_app'")
    assert grocer.resolve(number(member)).grant


def test_a_database_that_is_away_is_said_to_be_and_comes_back(house: House, databases: Databases) -> None:
    grocer, member, wish = house.partner(), house.enrol(), wish_of()
    grocer.resolve(number(member))
    databases.cluster.stop()
    try:
        for request in (wish, wish_of()):
            refusal = refused(house.operator, house.operator.members.EnrolMember, request)
            assert (refusal.kind, refusal.reason) == (Kind.DOWN, "DATABASE_UNAVAILABLE")
        assert not house.identity_is_ready()
    finally:
        databases.cluster.start(say=lambda _: None)
    assert house.identity_is_ready()
    assert house.enrol(wish) == house.enrol(wish)
    assert grocer.resolve(number(member), house.code(member)).grant
