"""Payment files: valid against their schemas, exact in every currency, the same bytes for the same rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from lxml import etree
from mockbank import validate

from services.settlement.domain.account import Account
from services.settlement.domain.instruction import Method, Payment, PaymentFile
from services.settlement.domain.refusals import BankAccountInvalid, FileNotValid, MandateMissing
from services.settlement.formats import payment_file, xsd
from tests.settlement.accounts import account_of, clearing

AT = datetime(2026, 3, 2, 10, 30, 15, 123456, tzinfo=UTC)


def a_file(*amounts: int, currency: str = "EUR", method: Method = Method.CREDIT_TRANSFER) -> PaymentFile:
    payments = tuple(
        Payment(f"B7-shop{number}-1", minor, account_of(f"shop{number}", 100 + number, currency, mandate=True))
        for number, minor in enumerate(amounts)
    )
    return PaymentFile("B7-R1-F1", method, clearing(currency), date(2026, 3, 4), AT, payments)


def texts(content: bytes, name: str) -> list[str]:
    return [element.text or "" for element in etree.fromstring(content).iter("{*}" + name)]


@pytest.mark.parametrize("method", [Method.CREDIT_TRANSFER, Method.DIRECT_DEBIT])
@pytest.mark.parametrize(
    ("currency", "minor", "text"),
    [
        ("EUR", 845900, "8459.00"),
        ("JPY", 1000, "1000"),
        ("KWD", 1234, "1.234"),
        ("EUR", 2**53 + 1, "90071992547409.93"),
    ],
)
def test_an_amount_has_the_decimals_of_its_currency(method: Method, currency: str, minor: int, text: str) -> None:
    content = payment_file.written(a_file(minor, currency=currency, method=method))
    assert texts(content, "InstdAmt") == [text]
    assert texts(content, "CtrlSum") == [text, text]
    xsd.check(payment_file.format_of(method), content)


@pytest.mark.parametrize("method", [Method.CREDIT_TRANSFER, Method.DIRECT_DEBIT])
def test_a_bank_finds_nothing_to_say_about_our_files(method: Method) -> None:
    content = payment_file.written(a_file(100, 250, 3, method=method))
    assert validate.validate(content, today=date(2026, 3, 2)) == []


def test_the_same_rows_give_the_same_bytes_and_the_clock_is_the_rows_own() -> None:
    file = a_file(100, 250)
    content = payment_file.written(file)
    assert payment_file.written(replace(file)) == content
    assert texts(content, "CreDtTm") == ["2026-03-02T10:30:15Z"]


def test_what_the_file_says_is_what_the_rows_say() -> None:
    content = payment_file.written(a_file(100, 250))
    assert texts(content, "MsgId") == ["B7-R1-F1"]
    assert texts(content, "EndToEndId") == ["B7-shop0-1", "B7-shop1-1"]
    assert texts(content, "NbOfTxs") == ["2", "2"]
    assert texts(content, "IBAN") == [clearing().iban, account_of("shop0", 100).iban, account_of("shop1", 101).iban]


@pytest.mark.parametrize("method", [Method.CREDIT_TRANSFER, Method.DIRECT_DEBIT])
@pytest.mark.parametrize("iban", ["DE89370400440532013001", "XX00", "", "DE89 3704 0044 0532 0130 00"])
def test_a_bad_iban_is_refused_before_a_file_exists(method: Method, iban: str) -> None:
    file = a_file(100, method=method)
    (payment,) = file.payments
    spoilt = replace(file, payments=(replace(payment, account=replace(payment.account, iban=iban)),))
    with pytest.raises(BankAccountInvalid) as refused:
        payment_file.written(spoilt)
    assert not iban or iban not in f"{refused.value} {refused.value.metadata} {refused.value.advice}"
    with pytest.raises(BankAccountInvalid):
        payment_file.written(replace(file, clearing=replace(file.clearing, iban=iban)))


def test_more_than_a_file_can_carry_is_refused_and_not_cut() -> None:
    with pytest.raises(FileNotValid):
        payment_file.written(a_file(10**18 + 1))


def test_nobody_is_collected_from_without_a_mandate() -> None:
    file = a_file(100, method=Method.DIRECT_DEBIT)
    (payment,) = file.payments
    account: Account = replace(payment.account, mandate=None)
    with pytest.raises(MandateMissing):
        payment_file.written(replace(file, payments=(replace(payment, account=account),)))


def test_a_file_that_breaks_its_schema_is_refused_without_repeating_it() -> None:
    content = payment_file.written(a_file(100)).replace(b"B7-shop0-1", b"x" * 36)
    with pytest.raises(FileNotValid) as refused:
        xsd.check("pain.001.001.09", content)
    assert "xxx" not in str(refused.value)
