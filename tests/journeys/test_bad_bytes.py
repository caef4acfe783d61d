"""Bytes that are no message, bytes by the mebibyte, credentials that are not ours: on every method of every service.

None of it ends in UNKNOWN or INTERNAL, and the next good call works.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from grpc import StatusCode

from shared.credentials.authority import Authority
from shared.rpc.caller import Role
from tests.journeys.story import SECONDS, Story, award, terms, token_of, yesterday
from tests.journeys.wire import (
    ACCESS,
    METHODS,
    Line,
    bearer,
    line_of,
    line_with_foreign_certificate,
    line_without_certificate,
)
from tests.support.platform import RunningPlatform
from tests.support.vectors import example

AWARD = "/coalition.ledger.v1.LedgerService/AwardPoints"
MEBIBYTE = 1024 * 1024


@pytest.fixture(scope="module")
def story(platform: RunningPlatform) -> Story:
    told = Story(platform)
    told.join("A", terms(example("E1")["given"], yesterday(platform)))
    return told


@pytest.fixture(scope="module")
def by_role(story: Story) -> Iterator[Mapping[Role, Line]]:
    """With these three somebody may call every method."""
    sandbox = story.platform.sandbox
    partner = line_of(sandbox.targets, story.partners["A"].kit.leaf)
    operator = line_of(sandbox.targets, sandbox.authority.operator("anna"))
    peer = line_of(sandbox.targets, sandbox.authority.service("ledger"))
    yield {Role.PARTNER: partner, Role.OPERATOR: operator, Role.LEDGER: peer}
    for line in (partner, operator, peer):
        line.close()


Allowed = Callable[[str], Line]


@pytest.fixture
def allowed(story: Story, by_role: Mapping[Role, Line]) -> Allowed:
    """A line of somebody who may call a method."""
    partner = by_role[Role.PARTNER].with_metadata(bearer(token_of(story.partners["A"])))

    def line(method: str) -> Line:
        roles = METHODS[method]
        assert roles & by_role.keys()
        if Role.PARTNER in roles:
            return partner
        return by_role[Role.OPERATOR if Role.OPERATOR in roles else Role.LEDGER]

    return line


@pytest.fixture(autouse=True)
def everything_still_works(story: Story) -> Iterator[None]:
    before = story.balance("A").available
    yield
    assert story.balance("A").available == before
    assert story.award("A", 1).balance.available == before + 1


JUNK: Mapping[str, Callable[[], bytes]] = {
    "no message": lambda: b"\xff" * 64,
    "a message cut short": lambda: b"\x0a\x7fcut",
    "text that is no UTF-8": lambda: b"\x0a\x02\xff\xfe" + b"\xff" * 32,
    "a mebibyte of noise": lambda: random.Random(7).randbytes(MEBIBYTE),
    "a mebibyte of nothing": lambda: bytes(MEBIBYTE),
}


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("service", ACCESS)
def test_junk_is_an_invalid_argument_on_every_method(allowed: Allowed, service: str, junk: str) -> None:
    content = JUNK[junk]()
    found = {method: allowed(method).send(method, content) for method in ACCESS[service]}
    assert {method: code for method, code in found.items() if code is not StatusCode.INVALID_ARGUMENT} == {}


@pytest.mark.parametrize("service", ACCESS)
def test_more_than_a_server_takes_is_refused_before_it_is_read(allowed: Allowed, service: str) -> None:
    """gRPC answers that itself, before anything of ours runs."""
    method = next(iter(ACCESS[service]))
    assert allowed(method).send(method, bytes(5 * MEBIBYTE)) is StatusCode.RESOURCE_EXHAUSTED


def test_junk_from_whoever_may_not_call_is_not_even_looked_at(by_role: Mapping[Role, Line]) -> None:
    for junk in JUNK.values():
        assert by_role[Role.OPERATOR].send(AWARD, junk()) is StatusCode.PERMISSION_DENIED
        assert by_role[Role.PARTNER].send(AWARD, junk()) is StatusCode.UNAUTHENTICATED


def test_a_good_award_without_a_certificate_or_with_anothers_is_none(story: Story, tmp_path: Path) -> None:
    platform, partner = story.platform, story.partners["A"]
    content = award(platform.grant(partner, story.anna), 5).SerializeToString()
    targets, ca_file = platform.sandbox.targets, partner.kit.leaf.ca_file
    for line in (
        line_without_certificate(targets, ca_file),
        line_with_foreign_certificate(targets, ca_file, Authority.founded(tmp_path).partner(partner.id)),
    ):
        assert line.with_metadata(bearer(token_of(partner))).send(AWARD, content) is StatusCode.UNAVAILABLE
        line.close()


def test_a_good_award_with_an_expired_token_is_none_and_with_a_new_one_it_counts(
    story: Story, by_role: Mapping[Role, Line]
) -> None:
    platform, partner, line = story.platform, story.partners["A"], by_role[Role.PARTNER]
    request = award(platform.grant(partner, story.anna), 5)
    old = token_of(partner)
    platform.clock.move(timedelta(minutes=15))
    tokens = (old, token_of(partner), token_of(partner))
    said = [line.with_metadata(bearer(token)).send(AWARD, request.SerializeToString()) for token in tokens]
    assert said == [StatusCode.UNAUTHENTICATED, StatusCode.OK, StatusCode.OK]
    once = partner.calls.ledger.AwardPoints(request, timeout=SECONDS)
    story.reverse("A", once, request.lines[0].points)
