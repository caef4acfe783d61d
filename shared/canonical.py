"""Canonical JSON: one spelling for one value, so that equal content has equal bytes and an equal hash.

Sorted keys, no blanks, UTF-8, and only texts, whole numbers, lists and objects. A float has no exact spelling, null
and booleans have several in the hands of other tools: all three are refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

Canonical: TypeAlias = "str | int | Sequence[Canonical] | Mapping[str, Canonical]"


class NotCanonical(TypeError):
    """The value holds something that canonical JSON does not know."""


def canonical(value: Canonical) -> bytes:
    """The canonical bytes of a value."""
    _check(value, "$")
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def _check(value: object, path: str) -> None:
    if type(value) is str or type(value) is int:
        return
    if type(value) is dict:
        for key, member in value.items():
            if type(key) is not str:
                raise NotCanonical(f"{path} has a key that is not a text: {key!r}")
            _check(member, f"{path}.{key}")
    elif type(value) is list or type(value) is tuple:
        for index, member in enumerate(value):
            _check(member, f"{path}[{index}]")
    else:
        raise NotCanonical(f"{path} is a {type(value).__name__}: canonical JSON knows texts and whole numbers only")
