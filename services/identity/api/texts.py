"""Free text that people write."""

from __future__ import annotations

import unicodedata

from shared.rpc.invalid import FieldViolation, InvalidRequest


def legible(text: str, field: str) -> str:
    """The text itself, unless it holds control characters: databases, logs and terminals choke on them."""
    if any(unicodedata.category(letter) == "Cc" for letter in text):
        raise InvalidRequest([FieldViolation(field, "must not hold control characters", "string.legible")])
    return text
