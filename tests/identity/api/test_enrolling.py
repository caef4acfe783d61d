"""One idempotent call makes a member; many may be enrolled at once, each accepted or refused on its own."""

from __future__ import annotations

import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from coalition.identity.v1 import identity_pb2 as pb

from services.identity.domain.numbers import is_member_number
from shared.refusal import Kind
from tests.identity.house import Desk, House, Partner, card, number, reason_of, refused, wish_of

PHONE, EMAIL = pb.IDENTIFIER_TYPE_PHONE, pb.IDENTIFIER_TYPE_EMAIL


def enrolled(desk: Desk, *wishes: pb.EnrolMemberRequest) -> list[pb.EnrolResult]:
    return list(desk(desk.members.BatchEnrolMembers, pb.BatchEnrolMembersRequest(items=wishes)).results)


def outcomes(results: list[pb.EnrolResult]) -> list[str]:
    return [result.member.name or reason_of(result.refusal) for result in results]


def test_the_operator_sees_the_whole_new_member(house: House) -> None:
    mail = f"Anna.{uuid.uuid4().hex}@Shop.Example"
    member = house.enrol(wish_of(pb.Identifier(type=EMAIL, value=mail), card("ab-12 " + uuid.uuid4().hex[:8])))
    assert member.name.startswith("members/")
    assert is_member_number(member.member_number)
    assert member.profile.full_name == "Anna Example"
    assert [item.type for item in member.identifiers] == [EMAIL, pb.IDENTIFIER_TYPE_CARD]
    assert member.identifiers[0].value == mail.lower()
    assert member.state == pb.MEMBER_STATE_ACTIVE
    assert len(member.code_seed) == 32


def test_a_partner_sees_its_own_name_the_number_and_the_day(house: House, grocer: Partner) -> None:
    house.clock.pass_by(seconds=1)
    member = house.enrol(wish_of(seed=False), by=grocer)
    assert member.name.startswith(f"{grocer.name}/members/")
    assert is_member_number(member.member_number)
    said = {field.name for field, _ in member.ListFields()}
    assert said == {"name", "member_number", "state", "terms_version", "create_time"}
    assert member.create_time.seconds % 86_400 == 0 == member.create_time.nanos


def test_the_seed_is_for_the_operator_and_only_when_asked_for(house: House, grocer: Partner) -> None:
    assert not house.enrol(wish_of(seed=False)).code_seed
    refusal = refused(grocer, grocer.members.EnrolMember, wish_of(seed=True))
    assert (refusal.kind, refusal.reason) == (Kind.NOT_ALLOWED, "CODE_SEED_NOT_ALLOWED")


@pytest.mark.parametrize("who", ["operator", "partner"])
def test_a_repeat_gets_the_same_answer_and_says_so(house: House, grocer: Partner, who: str) -> None:
    desk = house.operator if who == "operator" else grocer
    wish = wish_of(seed=who == "operator")
    first, metadata = desk.answered(desk.members.EnrolMember, wish)
    assert "idempotent-replay" not in metadata
    house.clock.pass_by(hours=30)
    again, metadata = desk.answered(desk.members.EnrolMember, wish)
    assert again == first
    assert metadata["idempotent-replay"] == "true"


def test_a_repeat_gets_the_first_answer_whatever_happened_since(house: House) -> None:
    wish = wish_of()
    first = house.enrol(wish)
    desk = house.operator
    desk(desk.members.SetSegments, pb.SetSegmentsRequest(name=first.name, segments=["gold"]))
    desk(desk.members.AddIdentifier, pb.AddIdentifierRequest(name=first.name, identifier=card()))
    desk(desk.members.BlockMember, pb.BlockMemberRequest(name=first.name, reason="lost card"))
    assert house.enrol(wish) == first


def test_another_spelling_of_the_same_wish_is_a_repeat(house: House) -> None:
    value = uuid.uuid4().hex[:12]
    wish = wish_of(card(value), card(value.upper()))
    first = house.enrol(wish)
    assert len(first.identifiers) == 1
    del wish.identifiers[1]
    wish.request_id = wish.request_id.upper()
    assert house.enrol(wish) == first


@pytest.mark.parametrize("change", ["identifier", "terms", "name", "seed"])
def test_the_same_request_id_with_another_meaning_is_refused(house: House, change: str) -> None:
    wish = wish_of()
    first = house.enrol(wish)
    match change:
        case "identifier":
            wish.identifiers[0].CopyFrom(card())
        case "terms":
            wish.terms_version = "2027-01"
        case "name":
            wish.profile.full_name = "Bert Example"
        case _:
            wish.with_code_seed = False
    refusal = refused(house.operator, house.operator.members.EnrolMember, wish)
    assert (refusal.kind, refusal.reason) == (Kind.ALREADY, "REQUEST_ID_REUSED")
    assert first.member_number not in str(refusal) + str(refusal.metadata)


def test_request_ids_of_two_partners_have_nothing_to_do_with_each_other(
    house: House, grocer: Partner, baker: Partner
) -> None:
    mine, theirs = wish_of(seed=False), wish_of(seed=False)
    theirs.request_id = mine.request_id
    assert house.enrol(mine, by=grocer).member_number != house.enrol(theirs, by=baker).member_number


def test_an_identifier_finds_one_member(house: House, grocer: Partner) -> None:
    shown = card()
    house.enrol(wish_of(card(), shown))
    clash = wish_of(card(), card(shown.value.lower()), seed=False)
    for desk, told in ((house.operator, {"type": "CARD"}), (grocer, {})):
        refusal = refused(desk, desk.members.EnrolMember, clash)
        assert (refusal.kind, refusal.reason) == (Kind.ALREADY, "IDENTIFIER_TAKEN")
        assert refusal.metadata == told
        assert "card" not in str(refusal).lower()


def test_guessing_members_by_enrolling_runs_dry_like_guessing_by_resolving(house: House) -> None:
    """Taken or not is what a guesser wants to know, so behind the last miss nobody is enrolled either."""
    grocer, baker = house.partner(), house.partner()
    member, mine = house.enrol(), wish_of(seed=False)
    house.enrol(mine, by=grocer)
    taken = [wish_of(member.identifiers[0], seed=False) for _ in range(120)]
    fine = wish_of(seed=False)
    said = outcomes(enrolled(grocer, *taken[:60], mine, *taken[60:], mine, fine))
    assert Counter(said[:60] + said[61:121]) == {"IDENTIFIER_TAKEN": 100, "TOO_MANY_MISSES": 20}
    assert said[60] == said[121], "a repeat is answered all the same"
    assert said[122] == "TOO_MANY_MISSES"
    for wish in (fine, taken[0]):
        refusal = refused(grocer, grocer.members.EnrolMember, wish)
        assert (refusal.kind, refusal.reason) == (Kind.TOO_MUCH, "TOO_MANY_MISSES")
    resolving = pb.ResolveMemberRequest(identifier=number(member))
    assert refused(grocer, grocer.members.ResolveMember, resolving).reason == "TOO_MANY_MISSES"
    assert house.enrol(fine, by=baker).name, "nobody was enrolled with it"
    house.clock.pass_by(minutes=10)
    assert house.enrol(wish_of(seed=False), by=grocer).name


def test_the_operator_may_enrol_who_is_there_already_as_often_as_it_likes(house: House) -> None:
    member = house.enrol()
    results = enrolled(house.operator, *(wish_of(member.identifiers[0]) for _ in range(150)))
    assert Counter(outcomes(results)) == {"IDENTIFIER_TAKEN": 150}


def test_a_wrong_identifier_is_named_by_its_place_and_not_repeated(house: House) -> None:
    for item in (pb.Identifier(type=PHONE, value="555 7654321"), number(house.enrol())):
        refusal = refused(house.operator, house.operator.members.EnrolMember, wish_of(card(), item))
        assert (refusal.kind, refusal.reason) == (Kind.MALFORMED, "IDENTIFIER_INVALID")
        assert refusal.metadata["field"] == "identifiers[1].value"
        said = f"{refusal} {refusal.metadata} {refusal.details}"
        assert "7654321" not in said
        assert item.value not in said


def test_text_that_no_terminal_should_show_is_malformed(house: House) -> None:
    wish = wish_of(name="Anna\x00Example")
    refusal = refused(house.operator, house.operator.members.EnrolMember, wish)
    assert (refusal.kind, refusal.reason) == (Kind.MALFORMED, "INVALID_REQUEST")
    wish = wish_of()
    wish.terms_version = "2026\n01"
    assert refused(house.operator, house.operator.members.EnrolMember, wish).reason == "INVALID_REQUEST"


def test_one_bad_item_spoils_nothing(house: House) -> None:
    shared, taken = card(), card()
    house.enrol(wish_of(taken))
    reused = wish_of()
    house.enrol(reused)
    reused.terms_version = "2027-01"
    fine, twin, late = wish_of(shared), wish_of(card(), shared), wish_of()
    invalid = wish_of(pb.Identifier(type=EMAIL, value="nobody"))
    clash = pb.EnrolMemberRequest()
    clash.CopyFrom(fine)
    clash.terms_version = "2027-01"
    results = enrolled(house.operator, fine, invalid, twin, wish_of(taken), reused, fine, clash, late)
    said = outcomes(results)
    assert said[1:5] == ["IDENTIFIER_INVALID", "IDENTIFIER_TAKEN", "IDENTIFIER_TAKEN", "REQUEST_ID_REUSED"]
    assert results[5].member == results[0].member
    assert said[6] == "REQUEST_ID_REUSED"
    assert said[7].startswith("members/")
    assert house.enrol(fine) == results[0].member


def test_an_item_that_breaks_a_rule_spoils_itself_alone(house: House) -> None:
    fine, nameless, typeless, late = wish_of(), wish_of(), wish_of(), wish_of()
    nameless.request_id = "not a UUID"
    typeless.identifiers[0].type = pb.IDENTIFIER_TYPE_UNSPECIFIED
    results = enrolled(house.operator, fine, nameless, typeless, late)
    assert outcomes(results)[1:3] == ["INVALID_REQUEST", "INVALID_REQUEST"]
    assert [results[place].member for place in (0, 3)] == [house.enrol(fine), house.enrol(late)]


def test_a_batch_may_be_repeated_whole(house: House, grocer: Partner) -> None:
    wishes = [wish_of(seed=False) for _ in range(500)]
    first = enrolled(grocer, *wishes)
    assert len({result.member.member_number for result in first}) == 500
    assert enrolled(grocer, *wishes) == first


def test_batches_that_cross_each_other_enrol_everybody_once(house: House) -> None:
    """The same wishes and the same cards from eight sides at once, in different orders: no deadlock, no double."""
    wishes = [wish_of() for _ in range(40)]
    rivals = [wish_of(*wish.identifiers) for wish in wishes]

    def batch(turn: int) -> list[str]:
        items = (wishes if turn % 2 else rivals)[turn:] + (wishes if turn % 2 else rivals)[:turn]
        results = enrolled(house.operator, *(items if turn < 4 else list(reversed(items))))
        return sorted(name for name in outcomes(results) if name.startswith("members/"))

    with ThreadPoolExecutor(8) as pool:
        sides = list(pool.map(batch, range(8)))
    settled = enrolled(house.operator, *wishes), enrolled(house.operator, *rivals)
    winners = [name for results in settled for name in outcomes(results) if name.startswith("members/")]
    assert len(set(winners)) == len(winners) == 40
    assert {name for side in sides for name in side} == set(winners)


def test_of_twenty_single_calls_with_one_request_id_all_get_the_one_member(house: House) -> None:
    wish = wish_of()
    with ThreadPoolExecutor(12) as pool:
        members = list(pool.map(lambda _: house.enrol(wish), range(20)))
    assert len({member.SerializeToString(deterministic=True) for member in members}) == 1


def test_more_than_five_hundred_are_refused_as_a_whole(house: House) -> None:
    request = pb.BatchEnrolMembersRequest(items=[wish_of()] * 501)
    with pytest.raises(grpc.RpcError, match="500"):
        house.operator.members.BatchEnrolMembers(request, timeout=20)
