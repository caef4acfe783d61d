"""The statements behind recording: what is new goes in once, what is posted stays, what is refused goes out."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from services.catalogue.domain.purchase import Entry, Purchase, Refund, Standing
from services.catalogue.domain.receipt import Line, Receipt
from services.catalogue.domain.refusals import EarnRulesNotFound
from services.catalogue.store import purchases, refunds
from shared.db.engine import make_engine
from shared.db.sessions import Sessions
from tests.support.databases import Databases

NOW = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)


@pytest.fixture(scope="module")
def store(databases: Databases) -> Iterator[Sessions]:
    engine = make_engine(databases.service_settings(databases.fresh("catalogue")))
    yield Sessions(engine)
    engine.dispose()


def purchase(partner: str = "", points: int = 12, **changed: object) -> Purchase:
    lines = (Line(1, "p-1", 'Ca"fé\\ ☕', 1000), Line(7, "", "", 2**62))
    made = Purchase(
        purchase_id=uuid.uuid4(),
        partner=partner or f"p-{uuid.uuid4().hex[:12]}",
        request_id=uuid.uuid4(),
        request_hash=uuid.uuid4().bytes * 2,
        wallet_id=uuid.uuid4(),
        segments=("gold", "a,b", "{}"),
        receipt=Receipt("s'1", "t", date(2026, 3, 1), uuid.uuid4().hex, NOW, lines),
        created_at=NOW,
        rules_version=3,
        points=points,
        parts={"grocer": points - 5, "operator": 5},
        standing=Standing.RATED,
    )
    return replace(made, **changed)  # type: ignore[arg-type]  # the tests name fields that exist


def refund_of(bought: Purchase, points: int = 4) -> Refund:
    return Refund(
        refund_id=uuid.uuid4(),
        partner=bought.partner,
        request_id=uuid.uuid4(),
        request_hash=bytes(32),
        purchase_id=bought.purchase_id,
        occurred_at=NOW,
        created_at=NOW,
        amounts={1: 400},
        parts={"grocer": points},
        points=points,
        remaining=bought.points - points,
        standing=Standing.RATED,
    )


def kept(store: Sessions, one: Purchase) -> Purchase | None:
    with store.reading(5) as connection:
        return purchases.find(connection, one.partner, one.purchase_id)


def test_what_goes_in_comes_out_as_it_was(store: Sessions) -> None:
    one = purchase()
    with store.writing(5) as connection:
        assert purchases.add(connection, [one]) == {one.purchase_id}
    assert kept(store, one) == one


def test_of_many_only_those_with_a_new_id_and_a_new_receipt_go_in(store: Sessions) -> None:
    first = purchase()
    same_receipt = purchase(first.partner, receipt=first.receipt)
    with store.writing(5) as connection:
        other = purchase()
        assert purchases.add(connection, [first, first, same_receipt, other]) == {first.purchase_id, other.purchase_id}
        assert purchases.add(connection, [first, same_receipt]) == set()
        assert purchases.of_receipts(connection, first.partner, [same_receipt.receipt, other.receipt]) == {
            purchases.receipt_key(first.receipt): first.purchase_id
        }


def test_what_was_posted_is_not_taken_out(store: Sessions) -> None:
    one = purchase()
    with store.writing(5) as connection:
        purchases.add(connection, [one])
        purchases.mark_posted(connection, [one.posted(Entry(3, 14))])
        purchases.take_out(connection, [one.purchase_id])
    assert kept(store, one) == one.posted(Entry(3, 14))


def test_what_a_twin_took_out_comes_back_when_the_ledger_has_it(store: Sessions) -> None:
    one = purchase()
    with store.writing(5) as connection:
        purchases.add(connection, [one])
        purchases.take_out(connection, [one.purchase_id])
    assert kept(store, one) is None
    with store.writing(5) as connection:
        purchases.mark_posted(connection, [one.posted(Entry(3, 15))])
    assert kept(store, one) == one.posted(Entry(3, 15))


def test_marking_twice_changes_nothing(store: Sessions) -> None:
    one = purchase()
    for _ in range(2):
        with store.writing(5) as connection:
            purchases.mark_posted(connection, [one.posted(Entry(1, 1))])
    assert kept(store, one) == one.posted(Entry(1, 1))


def test_the_late_ones_are_found_oldest_first_until_they_are_posted(store: Sessions) -> None:
    one, other = purchase(), purchase(created_at=NOW.replace(hour=1))
    with store.writing(5) as connection:
        purchases.add(connection, [one, other])
        late = purchases.unposted(connection, 1000)
        assert late.index(other.purchase_id) < late.index(one.purchase_id)
        purchases.mark_posted(connection, [one.posted(Entry(1, 2))])
        assert one.purchase_id not in purchases.unposted(connection, 1000)


def test_a_refund_moves_its_purchase_and_a_refused_one_moves_it_back(store: Sessions) -> None:
    one = purchase()
    refund = refund_of(one)
    with store.writing(5) as connection:
        purchases.add(connection, [one.posted(Entry(1, 3))])
        assert refunds.add(connection, refund)
        assert not refunds.add(connection, refund)
        assert refunds.of_purchase(connection, one.purchase_id) == [refund]
    assert (kept(store, one) or one).clawed_back == 4
    with store.writing(5) as connection:
        refunds.take_out(connection, refund)
        refunds.take_out(connection, refund)
    assert kept(store, one) == one.posted(Entry(1, 3))


def test_a_purchase_has_one_open_refund_at_a_time(store: Sessions) -> None:
    one = purchase()
    with store.writing(5) as connection:
        purchases.add(connection, [one.posted(Entry(1, 4))])
        first = refund_of(one)
        assert refunds.add(connection, first)
        assert not refunds.add(connection, refund_of(one))
        refunds.mark_posted(connection, replace(first, entry=Entry(1, 5), recovered=3, written_off=1))
        assert refunds.add(connection, refund_of(one))
        assert refunds.find(connection, first.refund_id) == replace(
            first, entry=Entry(1, 5), recovered=3, written_off=1, standing=Standing.POSTED
        )


def test_a_posted_refund_is_not_taken_out(store: Sessions) -> None:
    one = purchase()
    refund = refund_of(one)
    with store.writing(5) as connection:
        purchases.add(connection, [one.posted(Entry(1, 6))])
        refunds.add(connection, refund)
        refunds.mark_posted(connection, replace(refund, entry=Entry(1, 7)))
        refunds.take_out(connection, refund)
        assert refunds.find(connection, refund.refund_id) is not None
    assert (kept(store, one) or one).clawed_back == 4


def test_a_broken_block_leaves_nothing_behind(store: Sessions) -> None:
    one = purchase()

    def broken() -> None:
        with store.writing(5) as connection:
            purchases.add(connection, [one])
            raise EarnRulesNotFound(earn_rules="")

    with pytest.raises(EarnRulesNotFound):
        broken()
    assert kept(store, one) is None


def test_counts_are_by_partner_and_awarded_points_are_those_of_the_ledger(store: Sessions) -> None:
    one = purchase()
    rated = purchase(one.partner, points=100)
    with store.writing(5) as connection:
        purchases.add(connection, [one.posted(Entry(2, 1)), rated])
        refunds.add(connection, refund_of(one))
        [counts] = [found for found in purchases.counts(connection) if found.partner == one.partner]
    assert (counts.purchases, counts.rated_only, counts.awarded, counts.refunds) == (2, 1, 12, 1)
