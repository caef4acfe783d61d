"""Identifiers: typed values that find a member. Two spellings of one value are one identifier."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from services.identity.domain.numbers import is_member_number
from shared.refusal import Kind, Refusal

_CARD = re.compile(r"[A-Z0-9]{4,32}")
_PHONE = re.compile(r"\+[1-9][0-9]{7,14}")
_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_EMAIL = re.compile(rf"[^\s@\"(),:;<>\[\\\]\x00-\x1f\x7f]{{1,64}}@(?:{_LABEL}\.)+{_LABEL}")
_SPACING = re.compile(r"[\s.()/\-\u2010-\u2015]")
_MOST_EMAIL = 254


class IdentifierType(Enum):
    """What an identifier is. The names are stored: they do not change."""

    CARD = "CARD"
    PHONE = "PHONE"
    EMAIL = "EMAIL"
    MEMBER_NUMBER = "MEMBER_NUMBER"


class IdentifierInvalid(Refusal):
    """The value cannot be of its type. It is not repeated: what somebody mistyped is personal data too."""

    kind = Kind.MALFORMED
    message = "The value is not a valid {type}: {expected}."
    remedy = "Correct the value, or give it its right type."


class IdentifierTaken(Refusal):
    """A value already finds somebody. The operator learns its `type`; a partner not even that."""

    kind = Kind.ALREADY
    message = "An identifier already belongs to a member."
    remedy = "Resolve the member with it instead of enrolling again."


@dataclass(frozen=True, slots=True)
class Identifier:
    """A type and a value in its one spelling. The value stays out of every `repr`, so that no log or trace shows it."""

    type: IdentifierType
    value: str = field(repr=False)


def identifier(type_: IdentifierType, text: str, field: str) -> Identifier | IdentifierInvalid:
    """The identifier that a text spells. `field` is where the caller wrote it."""
    value = _SPELLING[type_](unicodedata.normalize("NFKC", text).strip())
    if value is None:
        return IdentifierInvalid(type=type_.value, expected=_EXPECTED[type_], field=field)
    return Identifier(type_, value)


def chosen_identifier(type_: IdentifierType, text: str, field: str) -> Identifier | IdentifierInvalid:
    """The same for an identifier that somebody gives a member: member numbers are drawn, not chosen."""
    if type_ is IdentifierType.MEMBER_NUMBER:
        return IdentifierInvalid(type=type_.value, expected="the programme draws member numbers itself", field=field)
    return identifier(type_, text, field)


def _card(text: str) -> str | None:
    value = _SPACING.sub("", text).upper()
    return value if _CARD.fullmatch(value) else None


def _phone(text: str) -> str | None:
    value = _SPACING.sub("", text)
    return value if _PHONE.fullmatch(value) else None


def _email(text: str) -> str | None:
    value = unicodedata.normalize("NFC", text.lower())
    return value if len(value) <= _MOST_EMAIL and _EMAIL.fullmatch(value) else None


def _member_number(text: str) -> str | None:
    value = _SPACING.sub("", text)
    return value if is_member_number(value) else None


_SPELLING: Mapping[IdentifierType, Callable[[str], str | None]] = {
    IdentifierType.CARD: _card,
    IdentifierType.PHONE: _phone,
    IdentifierType.EMAIL: _email,
    IdentifierType.MEMBER_NUMBER: _member_number,
}

_EXPECTED: Mapping[IdentifierType, str] = {
    IdentifierType.CARD: "4 to 32 letters and digits",
    IdentifierType.PHONE: "E.164, as +15551234567",
    IdentifierType.EMAIL: "an address with a domain, 254 characters at most",
    IdentifierType.MEMBER_NUMBER: "16 digits, the last one their check digit",
}
