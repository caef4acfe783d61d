"""A fresh bucket for each test."""

from __future__ import annotations

import pytest

from tests.ledger.domain.book import Book


@pytest.fixture
def book() -> Book:
    return Book()
