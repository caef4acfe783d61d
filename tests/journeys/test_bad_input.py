"""Whatever is wrong gets the refusal that the contracts name, nothing is lost, and the next good call works.

The refusals of one method are its service's tests; here a member stands at a till and the four services work together.
Another partner's grant is in `test_other_partners_things`, bad bytes and credentials in `test_bad_bytes`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial

import pytest
from coalition.catalogue.v1 import catalogue_pb2 as catalogue
from coalition.identity.v1 import identity_pb2 as identity
from coalition.ledger.v1 import ledger_pb2 as ledger
from coalition.settlement.v1 import settlement_pb2 as settlement
from google.protobuf.timestamp_pb2 import Timestamp
from grpc import StatusCode

from shared.rpc.wire import timestamp
from tests.journeys.shopping import give_back, per_unit, publish, receipt, record, record_request
from tests.journeys.story import SECONDS, Story, award, fresh_id, resolved, terms, version, yesterday
from tests.support.platform import Member, RunningPlatform
from tests.support.refused import Refused
from tests.support.vectors import example

HAD = 100
EUR = "EUR"
MOST = 2**63 - 1


@pytest.fixture
def story(platform: RunningPlatform) -> Iterator[Story]:
    """A member with points at a partner with a rule. After the test they are all there, and the next award counts."""
    told = Story(platform)
    partner = told.join("A", terms(example("E1")["given"], yesterday(platform)))
    publish(told, EUR, [per_unit("base", "1")])
    told.award("A", HAD)
    yield told
    balance = told.balance("A")
    assert balance.available + balance.held == HAD
    assert told.award("A", 1).balance.available == balance.available + 1
    listed = ledger.ListEntriesRequest(parent=partner.name)
    kinds = {entry.kind for entry in partner.calls.ledger.ListEntries(listed, timeout=SECONDS).entries}
    assert ledger.ENTRY_KIND_REDEMPTION not in kinds


def refused(call: Callable[[], object], code: StatusCode, reason: str) -> Refused:
    """The call meets this refusal, with a text that people can read."""
    found = Refused.of(call)
    assert (found.code, found.reason) == (code, reason), found.text
    assert found.well_formed()
    return found


def with_grant(story: Story, grant: str) -> dict[str, Callable[[], object]]:
    """What a till does with a grant."""
    calls = story.partners["A"].calls
    sale = receipt(story, EUR, [100])
    hold = ledger.HoldPointsRequest(request_id=fresh_id(), grant=grant, points=1)
    redemption = ledger.RedeemPointsRequest(request_id=fresh_id(), grant=grant, points=1)
    rating = catalogue.RatePurchaseRequest(grant=grant, receipt=sale)
    purchase = catalogue.RecordPurchaseRequest(request_id=fresh_id(), grant=grant, receipt=sale)
    return {
        "award": lambda: calls.ledger.AwardPoints(award(grant, 1), timeout=SECONDS),
        "hold": lambda: calls.ledger.HoldPoints(hold, timeout=SECONDS),
        "redeem": lambda: calls.ledger.RedeemPoints(redemption, timeout=SECONDS),
        "balance": lambda: calls.ledger.GetBalance(ledger.GetBalanceRequest(grant=grant), timeout=SECONDS),
        "rate": lambda: calls.purchases.RatePurchase(rating, timeout=SECONDS),
        "record": lambda: calls.purchases.RecordPurchase(purchase, timeout=SECONDS),
    }


def test_an_unknown_grant(story: Story) -> None:
    grant = story.platform.grant(story.partners["A"], story.anna)
    for wrong in ("nonsense", f"{grant[:-8]}AAAAAAA=", "ü" * 20, grant[1:]):
        for call in with_grant(story, wrong).values():
            refused(call, StatusCode.NOT_FOUND, "GRANT_INVALID")


def test_an_expired_grant(story: Story) -> None:
    grant = story.platform.grant(story.partners["A"], story.anna, redeem=True)
    story.platform.clock.move(timedelta(days=1))
    for call in with_grant(story, grant).values():
        refused(call, StatusCode.FAILED_PRECONDITION, "GRANT_EXPIRED")


def test_a_grant_to_award_does_not_let_spend(story: Story) -> None:
    calls = with_grant(story, story.platform.grant(story.partners["A"], story.anna))
    for what in ("hold", "redeem"):
        refused(calls[what], StatusCode.PERMISSION_DENIED, "GRANT_SCOPE")


def test_a_rotating_code_counts_once_and_a_wrong_one_never(story: Story) -> None:
    code = story.anna.code(story.platform.clock.move(timedelta(seconds=30)))
    resolve = story.partners["A"].calls.members.ResolveMember

    def show(shown: str) -> identity.ResolveMemberResponse:
        return resolve(identity.ResolveMemberRequest(identifier=story.anna.card, code=shown), timeout=SECONDS)

    assert show(code).scope == identity.GRANT_SCOPE_REDEEM
    assert Refused.of(lambda: show(code)).reason == "CODE_ALREADY_USED"
    assert Refused.of(lambda: show(f"{(int(code) + 1) % 10**6:06d}")).reason == "CODE_INVALID"


def enrolled(story: Story, id_: str, which: int) -> identity.Member:
    email = identity.Identifier(type=identity.IDENTIFIER_TYPE_EMAIL, value=f"{which}-{id_}@example.com")
    request = identity.EnrolMemberRequest(request_id=id_, identifiers=[email], terms_version="2026-01")
    return story.platform.operator.members.EnrolMember(request, timeout=SECONDS)


def ruled(story: Story, id_: str, which: int) -> catalogue.EarnRules:
    rules = catalogue.EarnRules(effective_from=_in_a_year(story), currency=EUR, rules=[per_unit("base", str(which))])
    request = catalogue.PublishEarnRulesRequest(parent=story.partners["A"].name, request_id=id_, earn_rules=rules)
    return story.platform.operator.earn_rules.PublishEarnRules(request, timeout=SECONDS)


def agreed(story: Story, id_: str, which: int) -> settlement.ContractVersion:
    terms = version(story.platform.clock.now() + _YEAR, EUR, issuance=f"0.0{which}")
    request = settlement.PublishContractVersionRequest(
        parent=story.partners["A"].name, request_id=id_, contract_version=terms
    )
    return story.platform.operator.contracts.PublishContractVersion(request, timeout=SECONDS)


def held(story: Story, id_: str, which: int) -> ledger.Hold:
    request = story.hold_request("A", which)
    request.request_id = id_
    return story.partners["A"].calls.ledger.HoldPoints(request, timeout=SECONDS)


_YEAR = timedelta(days=365)


def _in_a_year(story: Story) -> Timestamp:
    return timestamp(story.platform.clock.now() + _YEAR)


@pytest.mark.parametrize("act", [enrolled, ruled, agreed, held])
def test_a_request_id_with_another_body(story: Story, act: Callable[[Story, str, int], object]) -> None:
    id_ = fresh_id()
    first = act(story, id_, 1)
    refused(lambda: act(story, id_, 2), StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")
    assert act(story, id_, 1) == first


def test_a_purchases_request_id_with_another_body(story: Story) -> None:
    partner = story.partners["A"]
    request = record_request(story, receipt(story, EUR, [5_000]))
    first = partner.calls.purchases.RecordPurchase(request, timeout=SECONDS)
    request.receipt.lines[0].amount.units += 1
    refused(
        lambda: partner.calls.purchases.RecordPurchase(request, timeout=SECONDS),
        StatusCode.ALREADY_EXISTS,
        "REQUEST_ID_REUSED",
    )
    assert give_back(story, first, 1).recovered_points == first.points


def test_a_receipt_awarded_twice(story: Story) -> None:
    """Through the catalogue, through the ledger beside it, and one after the other."""
    sale = receipt(story, EUR, [4_000])
    first = record(story, sale)
    again = refused(lambda: record(story, sale), StatusCode.ALREADY_EXISTS, "RECEIPT_ALREADY_USED")
    assert again.metadata["purchase"] == first.name
    reference = ledger.ReceiptRef(
        store=sale.store, terminal=sale.terminal, business_date=sale.business_date, receipt_no=sale.receipt_no
    )
    direct = refused(
        lambda: story.award("A", 40, receipt_ref=reference), StatusCode.ALREADY_EXISTS, "RECEIPT_ALREADY_USED"
    )
    assert direct.metadata["entry"] == first.entry
    assert give_back(story, first, 1).recovered_points == first.points


def test_a_receipt_that_the_till_awarded_itself_is_not_recorded(story: Story) -> None:
    """The ledger refuses what the catalogue did not know, the catalogue passes it on and keeps nothing."""
    sale = receipt(story, EUR, [4_000])
    reference = ledger.ReceiptRef(
        store=sale.store, terminal=sale.terminal, business_date=sale.business_date, receipt_no=sale.receipt_no
    )
    entry = story.award("A", 40, receipt_ref=reference)
    passed_on = refused(lambda: record(story, sale), StatusCode.ALREADY_EXISTS, "RECEIPT_ALREADY_USED")
    assert passed_on.metadata["entry"] == entry.name
    story.reverse("A", entry, 40)


@pytest.mark.parametrize("points", [0, -1, -MOST, -MOST - 1])
def test_points_that_are_none(story: Story, points: int) -> None:
    calls = story.partners["A"].calls.ledger
    grant = story.platform.grant(story.partners["A"], story.anna, redeem=True)
    holding = ledger.HoldPointsRequest(request_id=fresh_id(), grant=grant, points=points)
    spending = ledger.RedeemPointsRequest(request_id=fresh_id(), grant=grant, points=points)
    for call in (
        lambda: calls.AwardPoints(award(grant, points), timeout=SECONDS),
        lambda: calls.HoldPoints(holding, timeout=SECONDS),
        lambda: calls.RedeemPoints(spending, timeout=SECONDS),
    ):
        assert refused(call, StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST").fields[0].endswith("points")


def test_points_beyond_all_reason_and_beyond_64_bits(story: Story) -> None:
    refused(lambda: story.award("A", MOST), StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST")
    with pytest.raises(ValueError, match="out of range"):
        award("grant", MOST + 1)


def test_an_award_on_a_blocked_member(story: Story) -> None:
    """Blocked looks like unknown, and the points wait."""
    operator, partner = story.platform.operator.members, story.partners["A"]
    operator.BlockMember(identity.BlockMemberRequest(name=story.anna.name, reason="card stolen"), timeout=SECONDS)
    stranger = Member("", identity.Identifier(type=story.anna.card.type, value="C000000000000"), "")
    said = [
        refused(partial(resolved, partner, who), StatusCode.NOT_FOUND, "MEMBER_NOT_FOUND")
        for who in (story.anna, stranger)
    ]
    assert said[0].text == said[1].text
    operator.UnblockMember(identity.UnblockMemberRequest(name=story.anna.name, reason="found"), timeout=SECONDS)
    assert story.balance("A").available == HAD


def test_a_hold_beyond_the_balance(story: Story) -> None:
    found = refused(lambda: held(story, fresh_id(), HAD + 1), StatusCode.FAILED_PRECONDITION, "INSUFFICIENT_POINTS")
    assert (found.metadata["available"], found.metadata["requested"]) == (str(HAD), str(HAD + 1))


def test_a_capture_above_the_hold(story: Story) -> None:
    calls = story.partners["A"].calls.ledger
    hold = held(story, fresh_id(), 40)
    capture = ledger.CaptureHoldRequest(request_id=fresh_id(), name=hold.name, points=41)
    refused(lambda: calls.CaptureHold(capture, timeout=SECONDS), StatusCode.FAILED_PRECONDITION, "CAPTURE_EXCEEDS_HOLD")
    release = ledger.ReleaseHoldRequest(request_id=fresh_id(), name=hold.name)
    assert calls.ReleaseHold(release, timeout=SECONDS).balance.held == 0


def test_a_reversal_above_the_award(story: Story) -> None:
    entry = story.award("A", 30)
    refused(lambda: story.reverse("A", entry, 31), StatusCode.FAILED_PRECONDITION, "REVERSAL_EXCEEDS_AWARD")
    story.reverse("A", entry, 20)
    refused(lambda: story.reverse("A", entry, 11), StatusCode.FAILED_PRECONDITION, "REVERSAL_EXCEEDS_AWARD")
    assert story.reverse("A", entry, 10).balance.available == HAD
