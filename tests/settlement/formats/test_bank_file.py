"""What a bank sends is read to the last digit, or refused with the place that is wrong."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from services.settlement.domain.bank import (
    AccountReport,
    AmountInvalid,
    Answer,
    BankFileUnreadable,
    Paper,
    ReturnNotice,
    StatusReport,
)
from services.settlement.formats.bank_file import bank_file

SAMPLES = Path(__file__).parent / "samples"


def read(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def report(content: bytes) -> AccountReport:
    (one,) = bank_file(content).messages
    assert isinstance(one, AccountReport)
    return one


def test_an_answer_says_what_it_says_of_the_file_and_of_each_payment() -> None:
    paper, (answer,) = bank_file(read("answer.xml"))
    assert paper is Paper.PAIN_002
    assert isinstance(answer, StatusReport)
    assert (answer.original_message_id, answer.status) == ("B1-R1-F1", "ACCP")
    assert answer.answers == (Answer("B1-grocer-1", "ACCP", ""), Answer("B1-fuel-1", "ACCP", ""))


def test_a_statement_leads_from_its_opening_to_its_closing_balance() -> None:
    statement = report(read("statement.xml"))
    assert statement.paper.is_statement
    assert (statement.account, statement.currency, statement.sequence) == ("NL41MOCK0000000001", "EUR", 2)
    assert (statement.opening_minor, statement.closing_minor) == (12_500_000, 12_497_000)
    assert statement.moved_minor == -3_000
    assert [line.end_to_end_id for line in statement.lines] == ["B1-grocer-1", "B1-fuel-1"]
    assert statement.lines[0].booked_on == date(2026, 10, 1)
    assert statement.lines[0].counterparty_account == "DE89370400440532013000"


def test_money_that_came_back_carries_the_reason_and_the_payment_that_it_was() -> None:
    (line, _) = report(read("statement-of-returns.xml")).lines
    assert (line.is_credit, line.return_code, line.end_to_end_id) == (True, "AC04", "B1-grocer-1")
    assert line.counterparty_name == "Grocer"


def test_an_announcement_is_no_statement() -> None:
    announced = report(read("announced.xml"))
    assert not announced.paper.is_statement
    assert announced.opening_minor is None
    assert len(announced.lines) == 2


def test_a_return_names_what_came_back_and_why() -> None:
    (notice,) = bank_file(read("return.xml")).messages
    assert isinstance(notice, ReturnNotice)
    assert [(one.end_to_end_id, one.amount_minor, one.code) for one in notice.returns] == [
        ("B1-grocer-1", 1000, "AC04"),
        ("B1-fuel-1", 2000, "AC04"),
    ]


def test_an_mt940_says_the_same_as_a_camt() -> None:
    statement = report(read("statement.sta"))
    assert statement.paper is Paper.MT940
    assert (statement.account, statement.sequence, statement.closes_on) == ("NL41MOCK0000000001", 42, date(2026, 10, 2))
    assert statement.opening_minor == 12_500_000
    assert statement.moved_minor == -1_000 + 31_750 + 500
    paid, paid_in, came_back = statement.lines
    assert (paid.end_to_end_id, paid.is_credit) == ("B1-grocer-1", False)
    assert (paid_in.end_to_end_id, paid_in.reference) == ("", "RF18539007547034")
    assert (came_back.is_credit, came_back.return_code) == (True, "RETURNED")


def test_an_mt940_whose_line_cannot_be_read_is_refused_whole() -> None:
    broken = read("statement.sta").replace(b":61:2610021002C317,50", b":61:garbage")
    with pytest.raises(BankFileUnreadable):
        bank_file(broken)


@pytest.mark.parametrize(
    ("was", "becomes", "where"),
    [
        (b">10.00<", b">10.001<", "Amt"),
        (b">10.00<", b">-10.00<", "Amt"),
        (b">10.00<", b">0.00<", "Ntry"),
        (b">10.00<", b">ten<", "Amt"),
        (b'Ccy="EUR"', b'Ccy="ZZZ"', "Amt"),
        (b">124970.00<", b">124970.005<", "Amt"),
    ],
)
def test_an_amount_that_its_currency_cannot_have_refuses_the_file(was: bytes, becomes: bytes, where: str) -> None:
    with pytest.raises(AmountInvalid, match=where):
        bank_file(read("statement.xml").replace(was, becomes))


@pytest.mark.parametrize(
    ("was", "becomes", "what"),
    [
        (b"<BookgDt><Dt>2026-10-01</Dt></BookgDt>", b"", "BookgDt"),
        (b"<Id><IBAN>NL41MOCK0000000001</IBAN></Id>", b"", "Othr"),
        (b"CRDT", b"BOTH", "neither CRDT nor DBIT"),
        (b"2026-10-06T09:00:01+00:00", b"yesterday", "no moment"),
        (b"<Cd>CLBD</Cd>", b"<Cd>XXXX</Cd>", "closing balance"),
        (b"camt.053.001.08", b"camt.029.001.09", "none that is read here"),
        (b"</Stmt>", b"", "not XML"),
    ],
)
def test_a_file_that_breaks_its_standard_is_refused_with_the_place(was: bytes, becomes: bytes, what: str) -> None:
    with pytest.raises(BankFileUnreadable, match=what):
        bank_file(read("statement.xml").replace(was, becomes))


@pytest.mark.parametrize("content", [b"", b"\x00\xff", b"hello", b"<a/>", b"%PDF-1.7", b":20:\n", b"<" * 4000])
def test_what_is_no_bank_file_is_refused(content: bytes) -> None:
    with pytest.raises(BankFileUnreadable):
        bank_file(content)


def test_an_entity_is_never_resolved() -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/hostname">]><Document>&e;</Document>'
    with pytest.raises(BankFileUnreadable):
        bank_file(bomb)
