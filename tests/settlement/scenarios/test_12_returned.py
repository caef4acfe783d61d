"""12: booked, returned after three days. RETURNED, the net is open again, the batch is PARTIALLY_SETTLED."""

from __future__ import annotations

from services.settlement.domain.bank import BankMessage
from services.settlement.formats.bank_file import bank_file
from services.settlement.store.bank_files import import_file
from services.settlement.store.batches import rows
from tests.settlement.accounts import clearing
from tests.settlement.cashier import ANNA
from tests.settlement.clerk import Clerk
from tests.settlement.house import CLEARING, House
from tests.settlement.reconciling.papers import Said, returned, statement

NETS = {"bakery": 845_900, "cinema": 267_400}


def test_a_payment_that_comes_back_after_three_days_is_returned_and_the_other_becomes_final(house: House) -> None:
    house.opens(*NETS)
    house.bank.turns(CLEARING, "return-later", days=3, end_to_end_id="B7-bakery-1")
    house.pays(7, NETS)
    house.hear()
    house.advance(1)
    assert set(house.states().values()) == {"BOOKED"}
    house.advance(4)
    assert house.states() == {"B7-bakery-1": "RETURNED", "B7-cinema-1": "FINAL"}
    assert house.breaks() == []


def test_its_batch_is_settled_in_part_and_its_net_is_open_again(clerk: Clerk) -> None:
    clerk.ready("alpha", "beta")
    clerk.prefund(10**9)
    for partner in ("alpha", "beta"):
        clerk.agrees(partner)
    window = clerk.window([("operator", "alpha", 700), ("operator", "beta", 300)])
    batch = clerk.release_batch(clerk.ready_batch(window))
    clerk.step()
    paid = clerk.instructions(batch.number)
    entries = [Said(-one.amount_minor, end_to_end_id=name, account=one.account) for name, one in paid.items()]
    today = clerk.clock.now().date()
    _hear(clerk, statement(clearing().iban, today, entries))
    name, one = next(iter(paid.items()))
    clerk.clock.pass_(days=3)
    _hear(clerk, returned(name, one.amount_minor, clerk.clock.now().date()))
    assert clerk.states(batch.number)[name] == "RETURNED"
    assert clerk.do(lambda connection: rows.found(connection, batch.name)).state == "PARTIALLY_SETTLED"


def _hear(clerk: Clerk, content: bytes) -> None:
    file, at = bank_file(content), clerk.clock.now()
    messages: tuple[BankMessage, ...] = file.messages
    assert messages
    clerk.do(lambda connection: import_file(connection, content, "a file", file, ANNA, at, clerk.follow))
