"""16: a file is altered between approval and upload. The hash does not fit in the transport: blocked."""

from __future__ import annotations

from hashlib import sha256

import pytest

from services.settlement.domain.refusals import PaymentFileChanged
from services.settlement.store import files, steps
from tests.settlement.cashier import Cashier
from tests.settlement.house import CLEARING, FUNDS, House

ALTER = "UPDATE settlement.payment_files SET content = %s{} WHERE msg_id = %s RETURNING 1"
UNGUARDED = "ALTER TABLE settlement.payment_files DROP CONSTRAINT payment_files_check"


def altered(cashier: Cashier, msg_id: str, *, with_its_hash: bool) -> None:
    """As an administrator would who thinks of everything but the approvals."""
    content = cashier.content(msg_id).replace(b"8459.00", b"9459.00")
    with cashier.tampering() as connection:
        connection.execute(UNGUARDED.encode())
    if with_its_hash:
        cashier.rows(ALTER.format(", sha256 = %s"), content, sha256(content).digest(), msg_id)
    else:
        cashier.rows(ALTER.format(""), content, msg_id)


@pytest.mark.parametrize("with_its_hash", [False, True])
def test_a_file_altered_after_its_approval_is_not_released(cashier: Cashier, *, with_its_hash: bool) -> None:
    cashier.ready("anna")
    cashier.prefund(10**9)
    (file,) = cashier.approved(7, {"anna": 845_900})
    altered(cashier, file.msg_id, with_its_hash=with_its_hash)
    with pytest.raises(PaymentFileChanged):
        cashier.release(7)
    cashier.step()
    assert cashier.noting.taken == []


@pytest.mark.parametrize("with_its_hash", [False, True])
def test_a_file_altered_after_its_release_is_not_sent(cashier: Cashier, *, with_its_hash: bool) -> None:
    cashier.ready("anna")
    cashier.prefund(10**9)
    (file,) = cashier.approved(7, {"anna": 845_900})
    cashier.release(7)
    altered(cashier, file.msg_id, with_its_hash=with_its_hash)
    cashier.step()
    assert cashier.noting.taken == []
    assert cashier.states(7) == {"B7-anna-1": "FROZEN"}
    step = cashier.do(lambda connection: steps.found(connection, "send", file.msg_id))
    assert (step.state, step.blocked_because.split(":")[0]) == ("BLOCKED", "PAYMENT_FILE_CHANGED")


def test_the_bank_never_sees_an_altered_file(house: House) -> None:
    house.opens("anna")
    (file,) = house.cashier.approved(7, {"anna": 845_900})
    house.cashier.release(7)
    altered(house.cashier, file.msg_id, with_its_hash=True)
    house.send()
    assert house.bank.said(CLEARING, "pain.002") == []
    assert house.bank.balance(CLEARING) == FUNDS


def test_an_altered_file_is_not_handed_out_either(cashier: Cashier) -> None:
    cashier.ready("anna")
    (file,) = cashier.approved(7, {"anna": 845_900})
    altered(cashier, file.msg_id, with_its_hash=False)
    with pytest.raises(PaymentFileChanged):
        cashier.do(lambda connection: files.content(connection, files.found(connection, f"files/{file.msg_id}")))


def test_other_bytes_in_the_archive_under_the_same_name_stop_the_send(cashier: Cashier) -> None:
    cashier.ready("anna")
    cashier.prefund(10**9)
    (file,) = cashier.approved(7, {"anna": 845_900})
    cashier.release(7)
    cashier.archive.keep(file.msg_id, b"what went out before a restore")
    cashier.step()
    assert cashier.noting.taken == []
    step = cashier.do(lambda connection: steps.found(connection, "send", file.msg_id))
    assert (step.state, step.blocked_because.split(":")[0]) == ("BLOCKED", "ARCHIVE_DIFFERS")
