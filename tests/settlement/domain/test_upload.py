"""An uploaded file is what was announced, to the last byte, or it is nothing."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.settlement.domain.upload import BankFileCutShort, joined

FILE = bytes(range(256)) * 10


@given(st.lists(st.binary(min_size=1, max_size=50), min_size=1, max_size=20))
def test_however_it_is_cut_the_file_is_the_same(pieces: list[bytes]) -> None:
    whole = b"".join(pieces)
    assert joined(pieces, len(whole), sha256(whole).digest()) == whole


@pytest.mark.parametrize(
    ("pieces", "why"),
    [
        ([FILE[:-1]], "2559 of 2560 bytes came"),
        ([FILE, b"x"], "more than the announced"),
        ([FILE[1:], FILE[:1]], "SHA-256"),
        ([], "0 of 2560"),
    ],
)
def test_what_is_not_what_was_announced_is_refused(pieces: list[bytes], why: str) -> None:
    with pytest.raises(BankFileCutShort, match=why):
        joined(pieces, len(FILE), sha256(FILE).digest())


def test_nobody_makes_us_keep_more_than_was_announced() -> None:
    taken = []

    def endless() -> Iterator[bytes]:
        while True:
            taken.append(1)
            yield bytes(100)

    with pytest.raises(BankFileCutShort):
        joined(endless(), 1_000, bytes(32))
    assert len(taken) == 11
