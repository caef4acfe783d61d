"""Partner B tries everything that A owns: it looks as if it were not there, and nothing about it changes."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from coalition.catalogue.v1 import catalogue_pb2 as catalogue
from coalition.identity.v1 import identity_pb2 as identity
from coalition.ledger.v1 import ledger_pb2 as ledger
from coalition.settlement.v1 import settlement_pb2 as settlement
from cryptography.fernet import Fernet
from google.protobuf.message import Message
from grpc import StatusCode

from services.sandbox.clients import Calls
from shared.credentials.files import read_password
from tests.journeys.shopping import give_back, per_unit, publish, receipt, record
from tests.journeys.story import SECONDS, Story, award, fresh_id, resolved, terms, token_of, yesterday
from tests.support.platform import Partner, RunningPlatform
from tests.support.refused import Refused
from tests.support.vectors import example

EUR = "EUR"
NOBODY = "nobody-at-all"


@dataclass(frozen=True)
class Things:
    """A's things, by what they are, and the two partners."""

    story: Story
    baker: Partner
    names: Mapping[str, str]

    @property
    def grocer(self) -> Partner:
        return self.story.partners["A"]

    @property
    def operator(self) -> Calls:
        return self.story.platform.operator

    def seen(self) -> dict[str, object]:
        """All that A has and all that B has, as the two and the operator see it."""
        grocer, calls, member = self.grocer, self.grocer.calls, self.story.anna.name
        ours: dict[str, object] = {
            "balance": self.story.balance("A"),
            "hold": calls.ledger.GetHold(ledger.GetHoldRequest(name=self.names["hold"]), timeout=SECONDS),
            "purchase": calls.purchases.GetPurchase(
                catalogue.GetPurchaseRequest(name=self.names["purchase"]), timeout=SECONDS
            ),
            "statement": calls.statements.GetStatement(
                settlement.GetStatementRequest(name=self.names["statement"]), timeout=SECONDS
            ),
            "member": self.operator.members.GetMember(identity.GetMemberRequest(name=member), timeout=SECONDS),
        }
        for partner in (grocer, self.baker):
            ours |= {f"{what} of {partner.id}": found for what, found in _lists(self.operator, partner.name).items()}
        return ours


def _lists(operator: Calls, parent: str) -> dict[str, object]:
    return {
        "entries": operator.ledger.ListEntries(ledger.ListEntriesRequest(parent=parent), timeout=SECONDS),
        "stores": operator.partners.ListStores(identity.ListStoresRequest(parent=parent), timeout=SECONDS),
        "rules": operator.earn_rules.ListEarnRules(catalogue.ListEarnRulesRequest(parent=parent), timeout=SECONDS),
        "contract": operator.contracts.ListContractVersions(
            settlement.ListContractVersionsRequest(parent=parent), timeout=SECONDS
        ),
        "statements": operator.statements.ListStatements(
            settlement.ListStatementsRequest(parent=parent), timeout=SECONDS
        ),
    }


@pytest.fixture(scope="module")
def things(platform: RunningPlatform) -> Things:
    story = Story(platform)
    grocer = story.join("A", terms(example("E1")["given"], yesterday(platform)))
    baker = platform.partner()
    publish(story, EUR, [per_unit("base", "1")])
    purchase = record(story, receipt(story, EUR, [5_000, 4_000]))
    refund = give_back(story, purchase, 2)
    spent = story.redeem("A", 10)
    hold = grocer.calls.ledger.HoldPoints(story.hold_request("A", 5), timeout=SECONDS)
    store = grocer.calls.partners.CreateStore(
        identity.CreateStoreRequest(parent=grocer.name, store_id="S1"), timeout=SECONDS
    )
    window = platform.close_window()
    names = {
        "partner": grocer.name,
        "award": purchase.entry,
        "redemption": spent.name,
        "reversal": refund.entry,
        "hold": hold.name,
        "purchase": purchase.name,
        "store": store.name,
        "credential": grocer.kit.credential,
        "rules": purchase.earn_rules,
        "position": f"{grocer.name}/position",
        "statement": f"{grocer.name}/statements/{window.name.removeprefix('windows/')}",
        "member": resolved(grocer, story.anna).member,
    }
    return Things(story, baker, names)


@dataclass(frozen=True)
class Attempt:
    """A call that names a thing."""

    thing: str
    call: Callable[[Calls], Any]
    request: Callable[[str], Message]

    def made(self, calls: Calls, name: str) -> Refused:
        """How it ends for somebody who names that thing."""
        return Refused.of(lambda: self.call(calls)(self.request(name), timeout=SECONDS))


def with_id(kind: type[Message], field: str = "name") -> Callable[[str], Message]:
    """A request with a request id."""
    return lambda name: kind(**{"request_id": fresh_id(), field: name})


def named(kind: type[Message], field: str = "name") -> Callable[[str], Message]:
    """A request without one."""
    return lambda name: kind(**{field: name})


ATTEMPTS = {
    "read an award": Attempt("award", lambda c: c.ledger.GetEntry, named(ledger.GetEntryRequest)),
    "read a redemption": Attempt("redemption", lambda c: c.ledger.GetEntry, named(ledger.GetEntryRequest)),
    "read a reversal": Attempt("reversal", lambda c: c.ledger.GetEntry, named(ledger.GetEntryRequest)),
    "read the proof of an award": Attempt(
        "award", lambda c: c.ledger.GetInclusionProof, named(ledger.GetInclusionProofRequest)
    ),
    "list entries": Attempt("partner", lambda c: c.ledger.ListEntries, named(ledger.ListEntriesRequest, "parent")),
    "reverse an award": Attempt("award", lambda c: c.ledger.ReverseAward, with_id(ledger.ReverseAwardRequest, "entry")),
    "refund a redemption": Attempt(
        "redemption", lambda c: c.ledger.RefundRedemption, with_id(ledger.RefundRedemptionRequest, "entry")
    ),
    "read a hold": Attempt("hold", lambda c: c.ledger.GetHold, named(ledger.GetHoldRequest)),
    "capture a hold": Attempt("hold", lambda c: c.ledger.CaptureHold, with_id(ledger.CaptureHoldRequest)),
    "release a hold": Attempt("hold", lambda c: c.ledger.ReleaseHold, with_id(ledger.ReleaseHoldRequest)),
    "read a purchase": Attempt("purchase", lambda c: c.purchases.GetPurchase, named(catalogue.GetPurchaseRequest)),
    "refund a purchase": Attempt(
        "purchase", lambda c: c.purchases.RefundPurchase, with_id(catalogue.RefundPurchaseRequest)
    ),
    "read rules": Attempt("rules", lambda c: c.earn_rules.GetEarnRules, named(catalogue.GetEarnRulesRequest)),
    "list rules": Attempt(
        "partner", lambda c: c.earn_rules.ListEarnRules, named(catalogue.ListEarnRulesRequest, "parent")
    ),
    "list contract versions": Attempt(
        "partner", lambda c: c.contracts.ListContractVersions, named(settlement.ListContractVersionsRequest, "parent")
    ),
    "read a position": Attempt("position", lambda c: c.contracts.GetPosition, named(settlement.GetPositionRequest)),
    "read a statement": Attempt(
        "statement", lambda c: c.statements.GetStatement, named(settlement.GetStatementRequest)
    ),
    "list statements": Attempt(
        "partner", lambda c: c.statements.ListStatements, named(settlement.ListStatementsRequest, "parent")
    ),
    "read a member": Attempt("member", lambda c: c.members.GetMember, named(identity.GetMemberRequest)),
    "read the partner": Attempt("partner", lambda c: c.partners.GetPartner, named(identity.GetPartnerRequest)),
    "list stores": Attempt("partner", lambda c: c.partners.ListStores, named(identity.ListStoresRequest, "parent")),
    "add a store": Attempt(
        "partner",
        lambda c: c.partners.CreateStore,
        lambda name: identity.CreateStoreRequest(parent=name, store_id="S9"),
    ),
    "end a credential": Attempt(
        "credential", lambda c: c.partners.RevokeCredential, named(identity.RevokeCredentialRequest)
    ),
}


@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS)
def test_anothers_thing_looks_like_one_that_is_not_there(things: Things, attempt: Attempt) -> None:
    before, theirs = things.seen(), things.names[attempt.thing]
    anothers = _said(attempt, things, theirs)
    assert anothers == _said(attempt, things, missing(theirs))
    assert anothers[0] is StatusCode.NOT_FOUND
    assert things.seen() == before


EVERYBODY_HAS = {"partner", "position", "rules", "statement"}
WITH_OWN_ID = {name: one for name, one in ATTEMPTS.items() if one.thing not in EVERYBODY_HAS}


@pytest.mark.parametrize("attempt", WITH_OWN_ID.values(), ids=WITH_OWN_ID)
def test_anothers_thing_under_the_own_name_is_not_there_either(things: Things, attempt: Attempt) -> None:
    """Whoever guesses ids need not name the partner that they belong to."""
    before = things.seen()
    own = things.names[attempt.thing].replace(things.grocer.name, things.baker.name)
    anothers = _said(attempt, things, own)
    assert anothers == _said(attempt, things, missing(own))
    assert anothers[0] is StatusCode.NOT_FOUND
    assert things.seen() == before


def test_a_credential_that_another_partner_tried_to_end_still_works(things: Things) -> None:
    ATTEMPTS["end a credential"].made(things.baker.calls, things.names["credential"])
    assert token_of(things.grocer)


def test_anothers_credential_and_secret_are_refused_like_a_wrong_one(things: Things) -> None:
    kit = things.grocer.kit
    stolen = identity.IssueTokenRequest(credential=kit.credential, secret=read_password(kit.secret_file))
    wrong = identity.IssueTokenRequest(credential=missing(things.baker.kit.credential), secret="guess")
    issue = partial(things.baker.calls.tokens.IssueToken, timeout=SECONDS)
    said = [Refused.of(partial(issue, request)) for request in (stolen, wrong)]
    assert {(one.code, one.reason, one.text) for one in said} == {
        (StatusCode.UNAUTHENTICATED, "CREDENTIAL_REFUSED", said[0].text)
    }


WITH_GRANT: Mapping[str, Callable[[Calls, Story, str], object]] = {
    "award": lambda c, _, grant: c.ledger.AwardPoints(award(grant, 1), timeout=SECONDS),
    "hold": lambda c, _, grant: c.ledger.HoldPoints(
        ledger.HoldPointsRequest(request_id=fresh_id(), grant=grant, points=1), timeout=SECONDS
    ),
    "redeem": lambda c, _, grant: c.ledger.RedeemPoints(
        ledger.RedeemPointsRequest(request_id=fresh_id(), grant=grant, points=1), timeout=SECONDS
    ),
    "balance": lambda c, _, grant: c.ledger.GetBalance(ledger.GetBalanceRequest(grant=grant), timeout=SECONDS),
    "rate": lambda c, story, grant: c.purchases.RatePurchase(
        catalogue.RatePurchaseRequest(grant=grant, receipt=receipt(story, EUR, [100])), timeout=SECONDS
    ),
    "record": lambda c, story, grant: c.purchases.RecordPurchase(
        catalogue.RecordPurchaseRequest(request_id=fresh_id(), grant=grant, receipt=receipt(story, EUR, [100])),
        timeout=SECONDS,
    ),
}


@pytest.mark.parametrize("what", WITH_GRANT)
def test_anothers_grant_is_like_one_that_nobody_made(things: Things, what: str) -> None:
    before = things.seen()
    calls, story = things.baker.calls, things.story
    theirs = story.platform.grant(things.grocer, story.anna, redeem=True)
    forged = Fernet(Fernet.generate_key()).encrypt(b"[]").decode()
    said = [Refused.of(partial(WITH_GRANT[what], calls, story, grant)) for grant in (theirs, forged)]
    assert {(one.code, one.reason, one.text, str(one.metadata)) for one in said} == {
        (StatusCode.NOT_FOUND, "GRANT_INVALID", said[0].text, str(said[0].metadata))
    }
    assert things.seen() == before


def test_anothers_grant_in_a_batch_spoils_its_own_item_only(things: Things) -> None:
    story, baker, before = things.story, things.baker, things.seen()
    own = story.platform.grant(baker, story.platform.member())
    theirs = story.platform.grant(things.grocer, story.anna)
    batch = ledger.BatchAwardPointsRequest(items=[award(theirs, 1), award(own, 1)])
    results = baker.calls.ledger.BatchAwardPoints(batch, timeout=SECONDS).results
    purchases = catalogue.BatchRecordPurchasesRequest(
        items=[catalogue.RecordPurchaseRequest(request_id=fresh_id(), grant=theirs, receipt=receipt(story, EUR, [100]))]
    )
    [purchase] = baker.calls.purchases.BatchRecordPurchases(purchases, timeout=SECONDS).results
    assert [result.WhichOneof("outcome") for result in results] == ["refusal", "entry"]
    for status in (results[0].refusal, purchase.refusal):
        assert status.code == StatusCode.NOT_FOUND.value[0]
    after = things.seen()
    entries = f"entries of {baker.id}"
    assert {what for what in after if after[what] != before[what]} == {entries}


def test_a_page_token_is_the_partners_own(things: Things) -> None:
    def page(partner: Partner, token: str = "") -> ledger.ListEntriesResponse:
        request = ledger.ListEntriesRequest(parent=partner.name, page_size=1, page_token=token)
        return partner.calls.ledger.ListEntries(request, timeout=SECONDS)

    refused = Refused.of(lambda: page(things.baker, page(things.grocer).next_page_token))
    assert (refused.code, refused.reason) == (StatusCode.INVALID_ARGUMENT, "INVALID_PAGE_TOKEN")


def test_everything_is_there_for_its_owner(things: Things) -> None:
    for name, attempt in ATTEMPTS.items():
        if name.startswith(("read", "list")):
            assert attempt.call(things.grocer.calls)(attempt.request(things.names[attempt.thing]), timeout=SECONDS)


def test_the_operators_name_for_a_member_is_nothing_to_a_partner(things: Things) -> None:
    for partner in (things.grocer, things.baker):
        refused = ATTEMPTS["read a member"].made(partner.calls, things.story.anna.name)
        assert (refused.code, refused.reason) == (StatusCode.NOT_FOUND, "MEMBER_NOT_FOUND")


def test_two_partners_know_a_member_by_different_names(things: Things) -> None:
    known = resolved(things.baker, things.story.anna).member
    assert known.startswith(f"{things.baker.name}/members/")
    assert known.rpartition("/")[2] != things.names["member"].rpartition("/")[2]


def missing(name: str) -> str:
    """A name of the same form for something that does not exist."""
    parts = name.split("/")
    if len(parts) == 2:
        return f"partners/{NOBODY}"
    kind = parts[2]
    if kind == "position":
        return f"partners/{NOBODY}/position"
    parts[3] = {
        "entries": "0-999999999",
        "holds": "0-999999999",
        "purchases": str(uuid4()),
        "credentials": str(uuid4()),
        "statements": "999999999",
        "earnRules": "999999999",
        "members": "".join(random.choices("abcdefghijklmnopqrstuvwxyz234567", k=52)),
    }[kind]
    return "/".join(parts)


def _said(attempt: Attempt, things: Things, name: str) -> tuple[StatusCode, str, str, str]:
    """Code, reason, text and metadata, with what was asked for taken out of them."""
    refused = attempt.made(things.baker.calls, name)
    said = f"{refused.text} {sorted(refused.metadata.items())}"
    asked = [name, "/".join(name.split("/")[3:]), name.split("/")[1]]
    for word in (word for word in asked if word):
        said = said.replace(word, "...")
    return refused.code, refused.reason, said, str(refused.fields)
