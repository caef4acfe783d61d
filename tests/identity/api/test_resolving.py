"""A number lets a partner award; only a code, and each code once, lets anyone spend. Guessing runs dry."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path

import grpc
import pytest
from buf.validate import validate_pb2
from coalition.catalogue.v1 import catalogue_pb2
from coalition.identity.v1 import identity_pb2 as pb
from coalition.ledger.v1 import ledger_pb2

from shared.credentials.grants import GrantInvalid, GrantRing, GrantScope, Scope
from shared.refusal import Kind
from shared.rpc.caller import Caller, Role
from shared.rpc.remote import remote_refusal
from shared.rpc.wire import instant
from tests.identity.house import House, Partner, card, number, reason_of, refused, wish_of
from tests.support.databases import Databases
from tests.support.together import until


def ask(identifier: pb.Identifier, code: str = "") -> pb.ResolveMemberRequest:
    return pb.ResolveMemberRequest(identifier=identifier, code=code)


def refusal_of(partner: Partner, identifier: pb.Identifier, code: str = "") -> tuple[Kind, str]:
    refusal = refused(partner, partner.members.ResolveMember, ask(identifier, code))
    return refusal.kind, refusal.reason


def wrong(house: House, member: pb.Member) -> str:
    """Six digits that the member's app has not shown and will not show soon."""
    shown = {house.code(member, steps) for steps in range(-25, 5)}
    return next(code for code in map("{:06}".format, range(1_000_000)) if code not in shown)


def grant_limits() -> list[int]:
    """How long a grant may be in each request that takes one."""
    messages = [one for file in (ledger_pb2, catalogue_pb2) for one in file.DESCRIPTOR.message_types_by_name.values()]
    fields = [field for one in messages for field in one.fields if field.name == "grant"]
    return [field.GetOptions().Extensions[validate_pb2.field].string.max_len for field in fields]


@pytest.mark.parametrize("by", ["card", "number", "phone", "email"])
def test_every_identifier_gives_a_grant_to_award(house: House, grocer: Partner, by: str) -> None:
    phone = pb.Identifier(type=pb.IDENTIFIER_TYPE_PHONE, value=f"+1555{card().value[-10:]}")
    email = pb.Identifier(type=pb.IDENTIFIER_TYPE_EMAIL, value=f"{card().value}@shop.example")
    member = house.enrol(wish_of(card(), phone, email))
    shown = {"card": member.identifiers[0], "phone": phone, "email": email, "number": number(member)}[by]
    answer = grocer.resolve(shown)
    grant = house.grant(answer, grocer.id)
    assert answer.scope == pb.GRANT_SCOPE_AWARD
    assert (grant.partner, grant.scope, grant.max_redeem_points) == (grocer.id, Scope.AWARD, None)
    assert instant(answer.expire_time) == grant.expires_at == house.clock.now() + timedelta(hours=1)
    assert str(grant.wallet_id) not in member.name


def test_all_identifiers_and_partners_lead_to_one_wallet(house: House, grocer: Partner, baker: Partner) -> None:
    member = house.enrol(wish_of(card(), card()))
    wallets = {
        house.grant(partner.resolve(shown), partner.id).wallet_id
        for partner in (grocer, baker)
        for shown in (*member.identifiers, number(member))
    }
    assert len(wallets) == 1


def test_a_grant_is_nothing_to_another_partner_and_does_not_spend(
    house: House, grocer: Partner, baker: Partner
) -> None:
    answer = grocer.resolve(number(house.enrol()))
    with pytest.raises(GrantInvalid):
        house.grant(answer, baker.id)
    with pytest.raises(GrantScope):
        house.grant(answer, grocer.id, for_=Scope.REDEEM)


def test_a_code_gives_a_short_grant_to_redeem_up_to_what_was_asked(house: House, grocer: Partner) -> None:
    member = house.enrol()
    house.operator(
        house.operator.members.SetSegments, pb.SetSegmentsRequest(name=member.name, segments=["gold", "family"])
    )
    answer = grocer.resolve(number(member), house.code(member), most=500)
    grant = house.grant(answer, grocer.id, for_=Scope.REDEEM)
    assert answer.scope == pb.GRANT_SCOPE_REDEEM
    assert (grant.max_redeem_points, grant.segments) == (500, ("family", "gold"))
    assert grant.expires_at - house.clock.now() == timedelta(minutes=15)


def test_without_a_code_a_limit_means_nothing(house: House, grocer: Partner) -> None:
    grant = house.grant(grocer.resolve(number(house.enrol()), most=500), grocer.id)
    assert (grant.scope, grant.max_redeem_points) == (Scope.AWARD, None)


def test_the_same_code_twice_is_refused_at_every_partner(house: House, grocer: Partner, baker: Partner) -> None:
    member = house.enrol()
    code = house.code(member)
    grocer.resolve(number(member), code)
    for partner in (grocer, baker):
        assert refusal_of(partner, member.identifiers[0], code) == (Kind.ALREADY, "CODE_ALREADY_USED")
    house.clock.pass_by(seconds=30)
    assert refusal_of(grocer, number(member), code) == (Kind.ALREADY, "CODE_ALREADY_USED")
    assert baker.resolve(number(member), house.code(member)).scope == pb.GRANT_SCOPE_REDEEM


def test_two_steps_old_has_expired_and_a_wrong_code_is_wrong(house: House, grocer: Partner) -> None:
    member = house.enrol()
    assert refusal_of(grocer, number(member), house.code(member, -2)) == (Kind.NOT_NOW, "CODE_EXPIRED")
    assert refusal_of(grocer, number(member), wrong(house, member)) == (Kind.NOT_NOW, "CODE_INVALID")
    for steps in (-1, 0, 1):
        assert grocer.resolve(number(member), house.code(member, steps)).scope == pb.GRANT_SCOPE_REDEEM


def test_of_twenty_parallel_uses_of_one_code_exactly_one_wins(house: House, grocer: Partner, baker: Partner) -> None:
    member = house.enrol()
    code = house.code(member)

    def use(turn: int) -> str:
        partner = (grocer, baker)[turn % 2]
        try:
            partner.resolve(number(member), code)
        except grpc.RpcError as error:
            return remote_refusal(error).reason
        return "won"

    with ThreadPoolExecutor(20) as pool:
        assert Counter(pool.map(use, range(20))) == {"won": 1, "CODE_ALREADY_USED": 19}


@pytest.mark.parametrize("code", ["12345", "1234567", "12 456", "abcdef", "١٢٣٤٥٦"])
def test_what_is_not_six_digits_is_malformed(house: House, grocer: Partner, code: str) -> None:
    assert refusal_of(grocer, number(house.enrol()), code) == (Kind.MALFORMED, "INVALID_REQUEST")


def test_a_block_works_on_the_next_call_and_its_end_too(house: House, grocer: Partner) -> None:
    member = house.enrol()
    name = grocer.resolve(number(member)).member
    desk = house.operator
    blocked = desk(desk.members.BlockMember, pb.BlockMemberRequest(name=member.name, reason="lost card"))
    assert blocked.state == pb.MEMBER_STATE_BLOCKED
    for shown in (number(member), member.identifiers[0]):
        assert refusal_of(grocer, shown) == (Kind.NOT_THERE, "MEMBER_NOT_FOUND")
        assert refusal_of(grocer, shown, house.code(member)) == (Kind.NOT_THERE, "MEMBER_NOT_FOUND")
    assert [reason_of(result.refusal) for result in grocer.resolve_all([number(member)])] == ["MEMBER_NOT_FOUND"]
    assert refused(grocer, grocer.members.GetMember, pb.GetMemberRequest(name=name)).reason == "MEMBER_NOT_FOUND"
    desk(desk.members.UnblockMember, pb.UnblockMemberRequest(name=member.name, reason="card found"))
    assert grocer.resolve(number(member), house.code(member)).member == name


def test_unknown_blocked_and_impossible_look_alike(house: House, grocer: Partner) -> None:
    member = house.enrol()
    desk = house.operator
    desk(desk.members.BlockMember, pb.BlockMemberRequest(name=member.name, reason="lost card"))
    typo = pb.Identifier(type=pb.IDENTIFIER_TYPE_MEMBER_NUMBER, value="1234567890123456")
    for code in ("", "123456"):
        answers = [
            refused(grocer, grocer.members.ResolveMember, ask(shown, code)) for shown in (number(member), card(), typo)
        ]
        said = {(answer.kind, answer.reason, str(answer), tuple(answer.metadata.items())) for answer in answers}
        assert len(said) == 1


def test_a_batch_answers_in_order_and_one_bad_item_spoils_nothing(house: House, grocer: Partner) -> None:
    first, second, blocked = house.enrol(), house.enrol(), house.enrol()
    desk = house.operator
    desk(desk.members.BlockMember, pb.BlockMemberRequest(name=blocked.name, reason="lost card"))
    shown = [number(first), card(), second.identifiers[0], number(blocked), first.identifiers[0], number(first)]
    results = grocer.resolve_all(shown)
    assert [result.WhichOneof("outcome") for result in results] == [
        "resolved", "refusal", "resolved", "refusal", "resolved", "resolved",
    ]  # fmt: skip
    assert [reason_of(results[place].refusal) for place in (1, 3)] == ["MEMBER_NOT_FOUND"] * 2
    assert {result.resolved.scope for result in results if result.HasField("resolved")} == {pb.GRANT_SCOPE_AWARD}
    names = [results[place].resolved.member for place in (0, 4, 5)]
    assert len(set(names)) == 1
    assert names[0] != results[2].resolved.member


def test_an_identifier_that_breaks_a_rule_spoils_itself_alone(house: House, grocer: Partner) -> None:
    member = house.enrol()
    results = grocer.resolve_all([pb.Identifier(value="typeless"), number(member), pb.Identifier(), card()])
    assert [reason_of(results[place].refusal) for place in (0, 2, 3)] == [
        "INVALID_REQUEST", "INVALID_REQUEST", "MEMBER_NOT_FOUND",
    ]  # fmt: skip
    assert results[1].resolved.grant


def test_after_a_hundred_misses_right_answers_are_withheld_too(house: House) -> None:
    grocer, baker = house.partner(), house.partner()
    member = house.enrol()
    for _ in range(30):
        grocer.resolve(number(member))
    results = grocer.resolve_all([card() for _ in range(99)] + [number(member)] + [card() for _ in range(30)])
    reasons = Counter(reason_of(result.refusal) if result.HasField("refusal") else "found" for result in results)
    assert reasons == {"MEMBER_NOT_FOUND": 100, "found": 1, "TOO_MANY_MISSES": 29}
    assert refusal_of(grocer, number(member)) == (Kind.TOO_MUCH, "TOO_MANY_MISSES")
    assert refusal_of(grocer, number(member), house.code(member)) == (Kind.TOO_MUCH, "TOO_MANY_MISSES")
    assert baker.resolve(number(member)).grant
    house.clock.pass_by(minutes=10)
    assert grocer.resolve(number(member), house.code(member)).grant


def test_a_thousand_random_numbers_are_throttled(house: House) -> None:
    grocer = house.partner()
    reasons = Counter(
        reason_of(result.refusal) for _ in range(2) for result in grocer.resolve_all([card() for _ in range(500)])
    )
    assert reasons == {"MEMBER_NOT_FOUND": 100, "TOO_MANY_MISSES": 900}


def test_ten_wrong_codes_for_one_member_end_the_guessing_there_alone(house: House) -> None:
    grocer, baker = house.partner(), house.partner()
    member, other = house.enrol(), house.enrol()
    for _ in range(10):
        assert refusal_of(grocer, number(member), wrong(house, member))[1] == "CODE_INVALID"
    assert refusal_of(grocer, number(member), house.code(member)) == (Kind.TOO_MUCH, "TOO_MANY_MISSES")
    assert grocer.resolve(number(other), house.code(other)).grant
    assert baker.resolve(number(member), house.code(member)).grant


def test_another_budget_may_be_set(tmp_path: Path, databases: Databases) -> None:
    house = House(tmp_path, databases, misses=3, award_grant_seconds=60)
    try:
        grocer, member = house.partner(), house.enrol()
        assert house.grant(grocer.resolve(number(member)), grocer.id).expires_at == house.clock.now() + timedelta(
            minutes=1
        )
        results = grocer.resolve_all([card() for _ in range(5)])
        assert [reason_of(result.refusal) for result in results] == ["MEMBER_NOT_FOUND"] * 3 + ["TOO_MANY_MISSES"] * 2
    finally:
        house.close()


def test_the_longest_grant_fits_wherever_a_grant_is_taken(house: House) -> None:
    """The longest partner id, all segments that a member may have, as long as they may be, and the highest limit."""
    grocer, member = house.partner("p" + (uuid.uuid4().hex * 2)[:62]), house.enrol()
    desk = house.operator
    segments = [f"s{number:062}" for number in range(16)]
    desk(desk.members.SetSegments, pb.SetSegmentsRequest(name=member.name, segments=segments))
    answer = grocer.resolve(number(member), house.code(member), most=2**63 - 1)
    assert house.grant(answer, grocer.id, for_=Scope.REDEEM).segments == tuple(segments)
    assert len(answer.grant) <= min(grant_limits())
    too_many = pb.SetSegmentsRequest(name=member.name, segments=[*segments, "one-more"])
    assert refused(desk, desk.members.SetSegments, too_many).reason == "INVALID_REQUEST"


def test_unknown_and_blocked_take_equally_long(house: House, grocer: Partner) -> None:
    member = house.enrol()
    desk = house.operator
    desk(desk.members.BlockMember, pb.BlockMemberRequest(name=member.name, reason="lost card"))

    def seconds(shown: pb.Identifier, code: str) -> float:
        started = time.perf_counter()
        refused(grocer, grocer.members.ResolveMember, ask(shown, code))
        return time.perf_counter() - started

    def alike(code: str, pairs: list[tuple[float, float]]) -> bool:
        """A busy machine only adds time: the shortest of more and more calls are what the calls cost."""
        pairs += [(seconds(card(), code), seconds(number(member), code)) for _ in range(20)]
        house.clock.pass_by(minutes=10)
        return min(a for a, _ in pairs) / min(b for _, b in pairs) == pytest.approx(1, abs=0.5)

    for code in ("", "123456"):
        until(partial(alike, code, []))


def test_the_operator_gets_grants_of_its_own_that_no_partner_can_use(house: House, grocer: Partner) -> None:
    member = house.enrol(wish_of(card()))
    answer = house.operator(house.operator.members.ResolveMember, ask(number(member)))
    ring, at = GrantRing.from_file(house.settings.grant_keys_file), house.clock.now()
    grant = ring.opened(answer.grant, for_=Scope.AWARD, by=Caller(Role.OPERATOR, "anna"), at=at)
    assert grant.partner == "operator"
    assert grant.wallet_id == house.grant(grocer.resolve(number(member)), grocer.id).wallet_id
    with pytest.raises(GrantInvalid):
        house.grant(answer, grocer.id)
    token = grocer.resolve(number(member)).grant
    with pytest.raises(GrantInvalid):
        ring.opened(token, for_=Scope.AWARD, by=Caller(Role.OPERATOR, "anna"), at=at)
