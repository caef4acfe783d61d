"""Only the operator sees who a member is; a partner sees its own pairwise name and nothing that could be joined."""

from __future__ import annotations

import pytest
from coalition.identity.v1 import identity_pb2 as pb

from shared.refusal import Kind
from tests.identity.house import House, Partner, card, number, refused, wish_of


def get(name: str) -> pb.GetMemberRequest:
    return pb.GetMemberRequest(name=name)


def test_the_operator_gets_what_was_enrolled_but_never_the_seed(house: House) -> None:
    member = house.enrol()
    found = house.operator(house.operator.members.GetMember, get(member.name))
    member.ClearField("code_seed")
    assert found == member


def test_two_partners_know_a_member_by_names_that_share_nothing(house: House, grocer: Partner, baker: Partner) -> None:
    member = house.enrol()
    views = []
    for partner in (grocer, baker):
        view = partner(partner.members.GetMember, get(partner.resolve(number(member)).member))
        assert {field.name for field, _ in view.ListFields()} == {"name", "state", "terms_version", "create_time"}
        assert view.create_time.seconds % 86_400 == 0
        views.append(view.name)
    assert views[0].rpartition("/")[2] != views[1].rpartition("/")[2]


def test_another_partners_name_for_a_member_finds_nobody(house: House, grocer: Partner, baker: Partner) -> None:
    member = house.enrol()
    theirs = baker.resolve(number(member)).member
    tries = [
        theirs,
        theirs.replace(baker.id, grocer.id),
        member.name,
        f"{grocer.name}/members/{'a' * 52}",
        f"{grocer.name}/members/{'a' * 16}",
    ]
    for name in tries:
        refusal = refused(grocer, grocer.members.GetMember, get(name))
        assert (refusal.kind, refusal.reason, refusal.metadata) == (Kind.NOT_THERE, "MEMBER_NOT_FOUND", {})


def test_the_operator_finds_a_member_by_a_partners_name_too(house: House, grocer: Partner) -> None:
    member = house.enrol()
    name = grocer.resolve(number(member)).member
    assert house.operator(house.operator.members.GetMember, get(name)).name == member.name


@pytest.mark.parametrize(
    "name", ["members/0190e1c4-5f2e-7d3a-9b1c-2a3b4c5d6e7f", f"members/{'-' * 36}", f"members/{'0' * 36}"]
)
def test_nobody_is_found_under_an_unknown_name(house: House, name: str) -> None:
    desk = house.operator
    asks = [
        refused(desk, desk.members.GetMember, get(name)),
        refused(desk, desk.members.AddIdentifier, pb.AddIdentifierRequest(name=name, identifier=card())),
        refused(desk, desk.members.BlockMember, pb.BlockMemberRequest(name=name, reason="lost card")),
        refused(desk, desk.members.UnblockMember, pb.UnblockMemberRequest(name=name, reason="found")),
        refused(desk, desk.members.SetSegments, pb.SetSegmentsRequest(name=name, segments=["gold"])),
    ]
    assert {(refusal.kind, refusal.reason) for refusal in asks} == {(Kind.NOT_THERE, "MEMBER_NOT_FOUND")}


def test_a_new_identifier_finds_the_member_and_adding_it_again_changes_nothing(house: House, grocer: Partner) -> None:
    member, fresh = house.enrol(), card()
    request = pb.AddIdentifierRequest(name=member.name, identifier=fresh)
    house.clock.pass_by(seconds=1)
    once = house.operator(house.operator.members.AddIdentifier, request)
    assert [item.value for item in once.identifiers] == [member.identifiers[0].value, fresh.value]
    assert house.operator(house.operator.members.AddIdentifier, request) == once
    assert grocer.resolve(fresh).member == grocer.resolve(number(member)).member


def test_an_identifier_of_somebody_else_or_a_chosen_number_is_refused(house: House) -> None:
    member, other = house.enrol(), house.enrol()
    desk = house.operator
    for shown, reason in ((other.identifiers[0], "IDENTIFIER_TAKEN"), (number(other), "IDENTIFIER_INVALID")):
        request = pb.AddIdentifierRequest(name=member.name, identifier=shown)
        refusal = refused(desk, desk.members.AddIdentifier, request)
        assert refusal.reason == reason
        assert shown.value not in f"{refusal} {refusal.metadata}"


def test_segments_are_replaced_as_a_whole_and_sorted(house: House) -> None:
    member, desk = house.enrol(), house.operator
    for segments in (["gold", "family"], ["gold"], []):
        request = pb.SetSegmentsRequest(name=member.name, segments=segments)
        assert desk(desk.members.SetSegments, request).segments == sorted(segments)
    assert list(desk(desk.members.GetMember, get(member.name)).segments) == []


@pytest.mark.parametrize("segments", [["Gold"], ["gold", "gold"], [""], [f"s{place}" for place in range(33)]])
def test_segments_that_are_no_slugs_or_too_many_are_malformed(house: House, segments: list[str]) -> None:
    request = pb.SetSegmentsRequest(name=house.enrol().name, segments=segments)
    refusal = refused(house.operator, house.operator.members.SetSegments, request)
    assert (refusal.kind, refusal.reason) == (Kind.MALFORMED, "INVALID_REQUEST")


def test_a_member_without_a_profile_is_a_member(house: House) -> None:
    wish = wish_of()
    wish.ClearField("profile")
    assert house.enrol(wish).profile.full_name == ""
