"""Two spellings of one identifier are one identifier; what cannot be of its type is refused without being repeated."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity.domain.identifiers import (
    Identifier,
    IdentifierInvalid,
    IdentifierType,
    chosen_identifier,
    identifier,
)
from services.identity.domain.numbers import member_number

CARD, PHONE, EMAIL, NUMBER = IdentifierType
MEMBER = member_number(lambda _: 4711)


@pytest.mark.parametrize(
    ("type_", "spelled", "value"),
    [
        (CARD, "abc 123-4", "ABC1234"),
        (CARD, "  0042 ", "0042"),
        (CARD, "Ａ１２３４", "A1234"),
        (PHONE, "+1 (555) 123-4567", "+15551234567"),
        (PHONE, "+49.30/123456", "+4930123456"),
        (PHONE, "+1\u2011555\u2013123\u00a04567", "+15551234567"),
        (EMAIL, " Anna.Example@Shop.EXAMPLE ", "anna.example@shop.example"),
        (EMAIL, "o'hara+points@xn--bcher-kva.example", "o'hara+points@xn--bcher-kva.example"),
        (EMAIL, "anna@bücher.example", "anna@bücher.example"),
        (EMAIL, "anna@bu\u0308cher.example", "anna@bücher.example"),
        (NUMBER, f"{MEMBER[:4]} {MEMBER[4:8]}-{MEMBER[8:]}", MEMBER),
    ],
)
def test_spellings_lead_to_one_value(type_: IdentifierType, spelled: str, value: str) -> None:
    assert identifier(type_, spelled, "value") == Identifier(type_, value)


@pytest.mark.parametrize(
    ("type_", "text"),
    [
        (CARD, "abc"),
        (CARD, "A" * 33),
        (CARD, "12_34"),
        (CARD, "карта1234"),
        (CARD, "\x001234"),
        (PHONE, "5551234567"),
        (PHONE, "+0555123456"),
        (PHONE, "+1555123"),
        (PHONE, "+1555123456789012"),
        (PHONE, "+1555CALLNOW"),
        (EMAIL, "anna"),
        (EMAIL, "anna@localhost"),
        (EMAIL, "anna@@shop.example"),
        (EMAIL, "an na@shop.example"),
        (EMAIL, "anna@-shop.example"),
        (EMAIL, "anna@shop..example"),
        (EMAIL, "anna@shop.example\nbcc: all"),
        (EMAIL, f"{'a' * 65}@shop.example"),
        (EMAIL, f"anna@{'shop.' * 60}example"),
        (NUMBER, MEMBER[:-1] + str((int(MEMBER[-1]) + 1) % 10)),
        (NUMBER, MEMBER[:-1]),
        (NUMBER, "0" * 16),
    ],
)
def test_what_cannot_be_of_its_type_is_refused(type_: IdentifierType, text: str) -> None:
    assert isinstance(identifier(type_, text, "value"), IdentifierInvalid)


@given(st.sampled_from(IdentifierType), st.text(max_size=300))
def test_normalising_twice_changes_nothing_and_no_text_breaks_it(type_: IdentifierType, text: str) -> None:
    once = identifier(type_, text, "value")
    if isinstance(once, Identifier):
        assert identifier(type_, once.value, "value") == once


@given(st.sampled_from(IdentifierType), st.text(min_size=4, max_size=300))
def test_neither_a_refusal_nor_a_repr_repeats_the_value(type_: IdentifierType, text: str) -> None:
    found = identifier(type_, f"{text}§secret", "identifier.value")
    assert isinstance(found, IdentifierInvalid)
    assert "secret" not in f"{found} {found.advice} {found.metadata} {found!r}"
    assert "s3cret" not in repr(Identifier(type_, "s3cret"))


def test_nobody_chooses_a_member_number() -> None:
    assert isinstance(chosen_identifier(NUMBER, MEMBER, "value"), IdentifierInvalid)
    assert chosen_identifier(CARD, "1234", "value") == Identifier(CARD, "1234")
