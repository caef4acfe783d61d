"""The canonical form holds the whole entry: what was written can be read back, and is the same to the byte."""

from __future__ import annotations

import inspect
from dataclasses import fields

import pytest
from hypothesis import given

from services.ledger.domain.chain import canonical
from services.ledger.domain.entry import Entry
from services.ledger.domain.reading import NotAnEntry, entry_from
from tests.ledger.domain import entries as strategies
from tests.ledger.domain.entries import entries


@given(entry=entries())
def test_an_entry_is_read_back_from_its_canonical_form(entry: Entry) -> None:
    body = canonical(entry)
    again = entry_from(body, entry.hash)
    assert again == entry
    assert canonical(again) == body


def test_the_property_knows_every_field_of_an_entry() -> None:
    """Whoever adds one adds it to the strategy, and so to the form and its reader."""
    source = inspect.getsource(strategies.entries)
    assert [field.name for field in fields(Entry) if f"        {field.name}=" not in source] == []


@given(entry=entries())
def test_what_it_does_not_know_it_does_not_swallow(entry: Entry) -> None:
    body = canonical(entry).replace(b'{"', b'{"aaa":1,"', 1)
    with pytest.raises(NotAnEntry):
        entry_from(body)


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b'{"v":1}', b'{"v":2}', b"\xff"])
def test_what_is_no_entry_is_refused_as_such(body: bytes) -> None:
    with pytest.raises(NotAnEntry):
        entry_from(body)
