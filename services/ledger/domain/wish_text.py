"""A wish as canonical text, and back: how it travels from one process of the ledger to another.

It is read off the fields of the classes, so that a new wish or a new field needs nothing here. What has its default is
left out: a process that does not know a new field yet understands every wish that does not use it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from services.ledger.domain import wish as wishes
from services.ledger.domain.wish import Wish

_encode: Callable[[object], str] = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
_Turn = Callable[[Any], Any]  # between a value of a certain type and what JSON knows


class NotAWish(ValueError):
    """The text says nothing that we know how to wish: it comes from a newer process, or from none of ours."""


def spelled(wish: Wish) -> bytes:
    """The wish as text: the name of its class, then its fields."""
    kind: Any = type(wish)
    return _encode([kind.__name__, _writer(kind)(wish)]).encode()


def read(text: bytes) -> Wish:
    """The wish that was spelled. Raises NotAWish."""
    try:
        name, form = json.loads(text)
        kind: Any = _kinds()[name]
        wish = _reader(kind)(form)
    except NotAWish:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NotAWish(f"no wish that we know: {error}") from None
    if not isinstance(wish, Wish):
        raise NotAWish(f"{name} is no wish")
    return wish


@cache
def _defaults(kind: Any) -> Mapping[str, object]:  # noqa: ANN401  a class
    """The fields of a dataclass or named tuple; MISSING for those that must be given."""
    if is_dataclass(kind):
        return {field.name: field.default for field in fields(kind)}
    given: Mapping[str, object] = getattr(kind, "_field_defaults", {})
    return {name: given.get(name, MISSING) for name in getattr(kind, "_fields", ())}


def _real(union: Any) -> Any:  # noqa: ANN401  a type that may be None besides
    (real,) = (member for member in get_args(union) if member is not NoneType)
    return real


@cache
def _kinds() -> Mapping[str, type[Wish]]:
    """Every wish that can be wished, by name."""
    return {name: kind for name, kind in vars(wishes).items() if isinstance(kind, type) and issubclass(kind, Wish)}


@cache
def _writer(kind: Any) -> _Turn:  # noqa: ANN401  a type, a union or a tuple of them
    """What turns a value of this type into a form."""
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        writes = _writer(_real(kind))
        return lambda value: None if value is None else writes(value)
    if origin is tuple:
        return _tuple_writer(get_args(kind))
    if kind in _PLAIN:
        return _PLAIN[kind][0]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return lambda value: value.name
    return _record_writer(kind)


def _tuple_writer(members: tuple[Any, ...]) -> _Turn:
    if len(members) == 2 and members[1] is Ellipsis:
        one = _writer(members[0])
        return lambda value: [one(item) for item in value]
    each = [_writer(member) for member in members]
    return lambda value: [writes(item) for writes, item in zip(each, value, strict=True)]


def _record_writer(kind: type) -> _Turn:
    hints = get_type_hints(kind)
    fields_ = [(name, default, _writer(hints[name])) for name, default in _defaults(kind).items()]

    def form(value: object) -> dict[str, object]:
        found = {}
        for name, default, writes in fields_:
            given = getattr(value, name)
            if given is not default and given != default:
                found[name] = writes(given)
        return found

    return form


@cache
def _reader(kind: Any) -> _Turn:  # noqa: ANN401  a type, a union or a tuple of them
    """What turns a form back into a value of this type."""
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        reads = _reader(_real(kind))
        return lambda form: None if form is None else reads(form)
    if origin is tuple:
        return _tuple_reader(get_args(kind))
    if kind in _PLAIN:
        return _PLAIN[kind][1]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return lambda form: kind[form]
    if isinstance(kind, type) and _defaults(kind):
        return _record_reader(kind)
    raise TypeError(f"no wish has a field of type {kind}")


def _tuple_reader(members: tuple[Any, ...]) -> _Turn:
    if len(members) == 2 and members[1] is Ellipsis:
        one = _reader(members[0])
        return lambda form: tuple(one(item) for item in form)
    each = [_reader(member) for member in members]
    return lambda form: tuple(reads(item) for reads, item in zip(each, form, strict=True))


def _record_reader(kind: type) -> _Turn:
    hints = get_type_hints(kind)
    readers = {name: _reader(hints[name]) for name in _defaults(kind)}

    def record(form: Mapping[str, object]) -> object:
        if not form.keys() <= readers.keys():
            raise NotAWish(f"{kind.__name__} has no {sorted(form.keys() - readers.keys())}")
        return kind(**{name: readers[name](value) for name, value in form.items()})

    return record


def _exactly(kind: type) -> _Turn:
    def check(form: object) -> object:
        if type(form) is not kind:
            raise NotAWish(f"{form!r} is no {kind.__name__}")
        return form

    return check


def _same(value: object) -> object:
    return value


_PLAIN: Mapping[object, tuple[_Turn, _Turn]] = {
    str: (_same, _exactly(str)),
    int: (_same, _exactly(int)),
    bool: (_same, _exactly(bool)),
    UUID: (str, UUID),
    date: (date.isoformat, date.fromisoformat),
    bytes: (bytes.hex, bytes.fromhex),
}
"""To the form, and from it."""
