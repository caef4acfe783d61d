"""Page tokens continue the query they came from and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared.refusal import Kind
from shared.rpc.caller import Caller, Role
from shared.rpc.pages import (
    InvalidPageSize,
    InvalidPageToken,
    open_page,
    page_key,
    page_size,
    query_fingerprint,
    seal_page,
)
from tests.shared.home import TestHome
from tests.shared.rpc.echo import Words

GROCER = Caller(Role.PARTNER, "grocer", "grocer")
BAKER = Caller(Role.PARTNER, "baker", "baker")


@given(some.lists(some.integers() | some.text(max_size=12), max_size=4))  # a token has 1,024 characters at most
def test_a_position_survives(position: list[int | str]) -> None:
    assert open_page(b"key", b"query", seal_page(b"key", b"query", position)) == tuple(position)


def test_the_first_page_has_an_empty_token() -> None:
    assert open_page(b"key", b"query", "") is None


def test_a_token_of_another_query_or_caller_or_key_is_refused() -> None:
    asked = query_fingerprint("/x/List", GROCER, Words(text="a"))
    token = seal_page(b"key", asked, [1, "x"])
    for other in (
        query_fingerprint("/x/List", GROCER, Words(text="b")),
        query_fingerprint("/x/List", BAKER, Words(text="a")),
        query_fingerprint("/x/Other", GROCER, Words(text="a")),
    ):
        with pytest.raises(InvalidPageToken) as caught:
            open_page(b"key", other, token)
        assert caught.value.kind is Kind.MALFORMED
    with pytest.raises(InvalidPageToken):
        open_page(b"another key", asked, token)


@pytest.mark.parametrize("token", ["x", "!!!!", "ü", "A" * 40, "A" * 5000, "AAAA BBBB"])
def test_junk_is_no_token(token: str) -> None:
    with pytest.raises(InvalidPageToken):
        open_page(b"key", b"query", token)


def test_the_pages_own_fields_do_not_make_another_query() -> None:
    from coalition.identity.v1 import identity_pb2 as pb

    first = query_fingerprint("/x/List", GROCER, pb.ListPartnersRequest(page_size=5))
    assert query_fingerprint("/x/List", GROCER, pb.ListPartnersRequest(page_size=9, page_token="x")) == first


def test_sizes_are_coerced() -> None:
    assert [page_size(asked) for asked in (0, 1, 100, 1000, 2**31 - 1)] == [100, 1, 100, 1000, 1000]
    with pytest.raises(InvalidPageSize):
        page_size(-1)


def test_the_key_follows_from_the_private_key(home: TestHome) -> None:
    assert page_key(home.settings()) == page_key(home.settings())
    assert len(page_key(home.settings())) == 32
