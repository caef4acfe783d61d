"""The exponents of ISO 4217, edition by edition: what is calculated again is calculated with the edition of its day."""

from __future__ import annotations

import iso4217
import pytest

from shared.money import EDITIONS, ISO_4217_EDITION, UnknownCurrency, currency, edition, edition_in_force, exponent_of

CLDR_DIFFERS = "AFN ALL IRR IQD KPW LAK LBP MGA MMK RSD SOS SYP YER"


def test_the_newest_edition_is_the_standards() -> None:
    standard = {one.code: one.exponent for one in iso4217.Currency if one.exponent is not None}
    ours = EDITIONS[ISO_4217_EDITION]
    assert {code: exponent for code, exponent in standard.items() if ours.get(code) != exponent} == {}
    assert ours.keys() == standard.keys()


@pytest.mark.parametrize("code", CLDR_DIFFERS.split())
def test_it_is_not_what_a_librarys_locale_data_says(code: str) -> None:
    assert exponent_of(code) == (3 if code == "IQD" else 2)


def test_what_is_calculated_under_an_old_edition_keeps_its_exponents(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = {**EDITIONS[ISO_4217_EDITION], "UGX": 2, "NEW": 4}
    monkeypatch.setitem(currency.EDITIONS, "2099-01-01", changed)
    assert (edition_in_force(), exponent_of("UGX"), exponent_of("NEW")) == ("2099-01-01", 2, 4)
    with edition(ISO_4217_EDITION):
        assert (edition_in_force(), exponent_of("UGX")) == (ISO_4217_EDITION, 0)
        with pytest.raises(UnknownCurrency):
            exponent_of("NEW")
    assert exponent_of("UGX") == 2
    with pytest.raises(KeyError), edition("1999-01-01"):
        pass
