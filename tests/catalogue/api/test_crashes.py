"""A crash at every point between the two transactions: nothing is lost, nothing is doubled, and it heals by itself.

The ledger is stopped (SIGSTOP) so that the catalogue stands exactly between them, then one of the two is killed.
"""

from __future__ import annotations

import signal
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta

import psycopg
import pytest
from coalition.catalogue.v1 import catalogue_pb2 as pb
from coalition.ledger.v1 import ledger_pb2 as ledger_pb
from google.type.date_pb2 import Date

from shared.refusal import Kind
from tests.catalogue.house import BEGINNING, House, Process, Till, back, base, publication, reason_of, return_of
from tests.support.databases import Databases


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, databases: Databases) -> Iterator[House]:
    """Services of our own: these tests kill them."""
    running = House(tmp_path_factory.mktemp("crashes"), databases)
    yield running
    running.close()


@pytest.fixture(params=["the catalogue is killed", "the ledger is killed", "nobody answers in time"])
def crash(request: pytest.FixtureRequest, house: House) -> Callable[[Callable[[], object]], None]:
    """Makes a call meet a crash after its first transaction; afterwards both services run again."""

    def during(call: Callable[[], object]) -> None:
        house.ledger.send(signal.SIGSTOP)
        try:
            call()
            if request.param == "the catalogue is killed":
                house.catalogue.kill()
            elif request.param == "the ledger is killed":
                house.ledger.kill()
        finally:
            if request.param == "the ledger is killed":
                again(house.ledger)
            else:
                house.ledger.send(signal.SIGCONT)
            if request.param == "the catalogue is killed":
                again(house.catalogue)

    return during


def again(process: Process) -> None:
    """Start a killed service on its old port."""
    process.start()
    process.listening()


def asked_in_vain(till: Till, request: pb.RecordPurchaseRequest | pb.RefundPurchaseRequest) -> None:
    """The call gets as far as the ledger, and no further in the time it has."""
    if isinstance(request, pb.RefundPurchaseRequest):
        refusal = till.refused(till.purchases.RefundPurchase, request, timeout=1.5)
    else:
        refusal = till.refused(till.purchases.RecordPurchase, request, timeout=1.5)
    assert refusal.kind in {Kind.CHANGED, Kind.TOO_LATE}


def healed(look: Callable[[], bool]) -> None:
    """Within a few looks of the healer."""
    give_up = time.monotonic() + 20
    while not look():
        assert time.monotonic() < give_up, "it did not heal"
        time.sleep(0.1)


def rows(house: House, question: str, *facts: object) -> list[tuple[object, ...]]:
    with house.as_administrator() as connection:
        return connection.execute(question.encode(), facts).fetchall()


def test_a_purchase_heals_by_itself_and_is_awarded_once(
    house: House, crash: Callable[[Callable[[], object]], None]
) -> None:
    till, wallet = house.till(), uuid.uuid4()
    asked = till.purchase(1000, wallet=wallet)
    crash(lambda: asked_in_vain(till, asked))
    where = "SELECT standing FROM catalogue.purchases WHERE partner = %s"
    healed(lambda: rows(house, where, till.id) == [(2,)])
    assert till.balance(wallet).available == 10
    purchase, replay = till.answered(till.purchases.RecordPurchase, asked)
    assert (purchase.points, purchase.state, replay) == (10, pb.PURCHASE_STATE_POSTED, True)
    assert till.balance(wallet).available == 10


def test_a_repeat_finishes_a_purchase_without_waiting_for_the_healer(house: House) -> None:
    till, wallet = house.till(), uuid.uuid4()
    asked = till.purchase(1000, wallet=wallet)
    house.ledger.send(signal.SIGSTOP)
    try:
        asked_in_vain(till, asked)
    finally:
        house.ledger.send(signal.SIGCONT)
    purchase = till.patiently(till.purchases.RecordPurchase, asked)
    assert (purchase.points, purchase.state) == (10, pb.PURCHASE_STATE_POSTED)
    assert till.balance(wallet).available == 10


def test_a_refund_heals_by_itself_and_is_taken_back_once(
    house: House, crash: Callable[[Callable[[], object]], None]
) -> None:
    till, wallet = house.till(), uuid.uuid4()
    purchase = till.record(till.purchase(1000, 500, wallet=wallet))
    asked = return_of(purchase, back(1))
    crash(lambda: asked_in_vain(till, asked))
    where = "SELECT standing FROM catalogue.refunds WHERE partner = %s"
    healed(lambda: rows(house, where, till.id) == [(2,)])
    assert till.balance(wallet).available == 5
    refund, replay = till.answered(till.purchases.RefundPurchase, asked)
    assert (refund.clawed_back_points, refund.recovered_points, replay) == (10, 10, True)
    everything = return_of(purchase)
    assert till.patiently(till.purchases.RefundPurchase, everything).remaining_points == 0
    assert till.balance(wallet).available == 0


def test_a_return_of_a_purchase_that_never_reached_the_ledger_brings_it_there_first(house: House) -> None:
    till, wallet = house.till(), uuid.uuid4()
    asked = till.purchase(1000, wallet=wallet)
    house.ledger.kill()
    try:
        asked_in_vain(till, asked)
    finally:
        again(house.ledger)
    [(purchase_id,)] = rows(house, "SELECT purchase_id FROM catalogue.purchases WHERE partner = %s", till.id)
    request = pb.RefundPurchaseRequest(
        request_id=str(uuid.uuid4()), name=f"{till.name}/purchases/{purchase_id}", lines=[back(1, 400)]
    )
    assert till.patiently(till.purchases.RefundPurchase, request).clawed_back_points == 4
    assert till.balance(wallet).available == 6


def test_without_a_ledger_a_purchase_is_kept_and_the_answer_says_so(house: House) -> None:
    till = house.till()
    asked = till.purchase(1000)
    house.ledger.kill()
    try:
        refusal = till.refused(till.purchases.RecordPurchase, asked, timeout=5)
        assert (refusal.kind, refusal.reason) == (Kind.CHANGED, "POSTING_PENDING")
        free = till.record(till.purchase(99))
        batch = till.record_all([asked, till.purchase(50)])
        assert reason_of(batch[0].refusal) == "POSTING_PENDING"
        assert batch[1].purchase.state == free.state == pb.PURCHASE_STATE_POSTED
        totals = house.operator(house.operator.purchases.GetPurchaseTotals, pb.GetPurchaseTotalsRequest())
        assert totals.rated_only >= 1
    finally:
        again(house.ledger)
    assert till.patiently(till.purchases.RecordPurchase, asked).points == 10


def test_while_the_ledger_has_frozen_a_wallets_bucket_a_purchase_is_kept_and_heals_afterwards(house: House) -> None:
    """It may have been posted before, so it must not be taken out."""
    till, wallet = house.till(), uuid.uuid4()
    asked = till.purchase(1000, wallet=wallet)
    with house.as_administrator(house.ledger_database) as ledger:
        ledger.execute("INSERT INTO ledger.freezes SELECT bucket, %s, 'lot', '', '' FROM ledger.heads", [BEGINNING])
        ledger.execute("UPDATE ledger.heads SET frozen = true")
        try:
            refusal = till.refused(till.purchases.RecordPurchase, asked, timeout=5)
            assert (refusal.kind, refusal.reason) == (Kind.CHANGED, "POSTING_PENDING")
        finally:
            ledger.execute("UPDATE ledger.heads SET frozen = false")
            ledger.execute("DELETE FROM ledger.freezes")
    where = "SELECT standing FROM catalogue.purchases WHERE partner = %s"
    healed(lambda: rows(house, where, till.id) == [(2,)])
    assert till.balance(wallet).available == 10


def test_what_the_ledger_refuses_for_good_is_taken_out_and_a_repeat_meets_the_same_refusal(house: House) -> None:
    """The partner awarded this receipt directly; the catalogue had promised nothing."""
    till, wallet = house.till(), uuid.uuid4()
    asked = till.purchase(1000, wallet=wallet)
    direct = ledger_pb.AwardPointsRequest(
        request_id=str(uuid.uuid4()),
        grant=house.grant(till.id, wallet),
        lines=[ledger_pb.AwardLine(points=7)],
        receipt_ref=ledger_pb.ReceiptRef(
            store="1",
            terminal="1",
            business_date=Date(year=2026, month=3, day=1),
            receipt_no=asked.receipt.receipt_no,
        ),
    )
    entry = till.patiently(till.ledger.AwardPoints, direct)
    for _ in range(2):
        refusal = till.refused(till.purchases.RecordPurchase, asked)
        assert (refusal.kind, refusal.reason) == (Kind.ALREADY, "RECEIPT_ALREADY_USED")
        assert refusal.metadata["entry"] == entry.name
    good = till.purchase(300, wallet=wallet)
    batch = till.record_all([asked, good])
    assert reason_of(batch[0].refusal) == "RECEIPT_ALREADY_USED"
    assert batch[1].purchase.points == 3
    assert till.balance(wallet).available == 7 + 3
    assert rows(house, "SELECT count(*) FROM catalogue.purchases WHERE partner = %s", till.id) == [(1,)]


def test_a_batch_interrupted_by_a_kill_and_sent_again_counts_everything_once(house: House) -> None:
    till, wallet = house.till(), uuid.uuid4()
    asked = [till.purchase(100 * number, wallet=wallet) for number in range(1, 101)]
    request = pb.BatchRecordPurchasesRequest(items=asked)
    under_way = till.purchases.BatchRecordPurchases.future(request, timeout=20, metadata=till.credentials())
    time.sleep(0.03)
    house.catalogue.kill()
    again(house.catalogue)
    under_way.cancel()
    results = till.record_all(asked)
    assert [result.purchase.points for result in results] == list(range(1, 101))
    assert till.balance(wallet).available == 100 * 101 // 2


def test_a_database_that_goes_away_and_comes_back_costs_nothing_but_time(house: House) -> None:
    till, wallet = house.till(), uuid.uuid4()
    asked = till.purchase(1000, wallet=wallet)
    name = house.database["database_name"]
    with psycopg.connect(house.databases.cluster.address(), autocommit=True) as administrator:
        administrator.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
        try:
            administrator.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [str(name)]
            )
            assert till.refused(till.purchases.RecordPurchase, asked).kind is Kind.DOWN
        finally:
            administrator.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())
    assert till.patiently(till.purchases.RecordPurchase, asked).points == 10
    assert till.balance(wallet).available == 10


def test_rules_wait_for_identity_but_repeats_and_purchases_do_not(house: House) -> None:
    till, operator = house.till(), house.operator
    first, second = (publication(till.id, base("2"), at=BEGINNING + timedelta(days=days)) for days in (1, 2))
    published = operator(operator.rules.PublishEarnRules, first)
    house.identity.kill()
    try:
        refusal = operator.refused(operator.rules.PublishEarnRules, second)
        assert refusal.kind is Kind.DOWN
        assert operator.answered(operator.rules.PublishEarnRules, first) == (published, True)
        assert till.record(till.purchase(1000)).points == 10
    finally:
        again(house.identity)
    assert operator.patiently(operator.rules.PublishEarnRules, second).name == f"{till.name}/earnRules/3"
