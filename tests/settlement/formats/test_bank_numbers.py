"""IBAN, BIC and holder: right when entered, and never repeated when wrong."""

from __future__ import annotations

import pytest

from services.settlement.domain.refusals import BankAccountInvalid
from services.settlement.formats import bank_numbers
from tests.settlement.accounts import german


def test_blanks_and_small_letters_are_taken_out() -> None:
    assert bank_numbers.iban_of("de89 3704 0044 0532 0130 00") == "DE89370400440532013000"
    assert bank_numbers.bic_of("cobadeff", "DE89370400440532013000") == "COBADEFF"


def test_a_bic_follows_from_an_iban_whose_bank_is_known() -> None:
    assert bank_numbers.bic_of("", "DE89370400440532013000") == "COBADEFFXXX"


@pytest.mark.parametrize(
    "iban", ["DE89370400440532013001", "DE8937040044053201300", "ZZ89370400440532013000", "", "IBAN"]
)
def test_a_wrong_iban_is_refused_and_not_repeated(iban: str) -> None:
    with pytest.raises(BankAccountInvalid) as refused:
        bank_numbers.iban_of(iban)
    assert not iban or iban not in str(refused.value)


@pytest.mark.parametrize("bic", ["DEUTDEF", "ZZZZZZ22", "DEUT1EFF", "DEUTDEFFXX"])
def test_a_wrong_bic_is_refused_and_not_repeated(bic: str) -> None:
    with pytest.raises(BankAccountInvalid) as refused:
        bank_numbers.bic_of(bic, german(1))
    assert bic not in str(refused.value)


@pytest.mark.parametrize("holder", ["", " a", "a ", "Müller", "a" * 71, "a\nb"])
def test_a_holder_that_some_bank_would_change_is_refused(holder: str) -> None:
    with pytest.raises(BankAccountInvalid):
        bank_numbers.holder_of(holder)
