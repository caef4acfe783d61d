"""What a row of an import must be, field by field; and files that are none. No database is asked."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

import pytest

from services.ledger.domain.entry import Unit
from services.ledger.domain.moment import Moment
from services.ledger.store.importing.openings import COLUMNS, Opening, Openings, opening_of
from shared.instants import micros

NOW = Moment(micros(datetime(2026, 3, 1, 12, tzinfo=UTC)), date(2026, 3, 1))
WALLET = UUID(int=17)
GOOD = {
    "wallet": str(WALLET), "unit": "POINTS", "issuer": "grocer", "points": "100",
    "earned_at": "2024-05-31T14:00:00+02:00", "expires_on": "2026-03-01", "campaign": "spring", "reference": "old, 7",
}  # fmt: skip
HEADER = ",".join(COLUMNS).encode()


def test_a_good_row_says_all_of_it() -> None:
    earned_at = micros(datetime(2024, 5, 31, 12, tzinfo=UTC))
    lot = Opening(2, WALLET, Unit.POINTS, "grocer", 100, earned_at, NOW.today, "spring", "old, 7")
    assert opening_of(2, list(GOOD.values()), NOW) == lot
    assert opening_of(2, list((GOOD | {"expires_on": "", "campaign": ""}).values()), NOW) == lot._replace(
        expires_on=None, campaign=""
    )


BAD = {
    "wallet": ["17", "", f"{WALLET}x"],
    "unit": ["MILES", "points", "1", ""],
    "issuer": ["Grocer", "g", "grocer ltd", "1a", ""],
    "points": ["0", "-5", "+5", "5.0", "1e3", " 5", "\u0663", "", str(10**12 + 1), "NaN"],
    "earned_at": ["2999-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "2024-05-31T12:00:00", "2024-05-31", "then", ""],
    "expires_on": ["2026-02-28", "2026-02-30", "never", "2026-3-1"],
    "campaign": ["x" * 65, "tab\there"],
    "reference": ["x" * 65, "line\nfeed", "\x9b"],
}


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in BAD.items() for value in values])
def test_a_bad_field_is_named_with_what_to_do(field: str, value: str) -> None:
    found = opening_of(7, list((GOOD | {field: value}).values()), NOW)
    assert isinstance(found, list)
    (bad,) = found
    assert (bad.line, bad.field) == (7, field)
    assert bad.problem
    assert bad.remedy
    assert not value or value not in bad.problem, "what was mistyped may be personal data"


def test_everything_that_is_wrong_with_a_row_is_told_at_once() -> None:
    found = opening_of(7, [""] * len(COLUMNS), NOW)
    assert isinstance(found, list)
    assert [bad.field for bad in found] == ["wallet", "unit", "issuer", "points", "earned_at"]


@pytest.mark.parametrize(
    ("content", "line", "field"),
    [
        (b"", 1, "header"),
        (b"wallet;unit\n", 1, "header"),
        (b"\xef\xbb\xbf" + HEADER, 1, "header"),
        (b"\xff\xfe", 1, "row"),
        (HEADER + b"\n\na,b\n", 3, "row"),
        (HEADER + b'\n"a', 2, "row"),
        (HEADER + b"\n\xe9,,,,,,,\n", 2, "row"),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, content: bytes, line: int, field: str) -> None:
    (tmp_path / "broken").write_bytes(content)
    openings = Openings(tmp_path, 8)
    openings.read(tmp_path / "broken", NOW, lambda _: None)
    assert [(bad.line, bad.field) for bad in openings.bad] == [(line, field)]
    assert openings.rows == 0


def test_rows_come_back_by_bucket_in_the_order_of_the_file(tmp_path: Path) -> None:
    wallets = [UUID(int=number) for number in range(5000)]
    lines = [
        ",".join([str(wallet), "STAMPS", "grocer", "5", "2024-05-31T12:00:00Z", "", '"a, ""b"""', ""])
        for wallet in wallets
    ]
    path = tmp_path / "openings"
    path.write_text("\r\n".join([HEADER.decode(), *lines]))
    openings = Openings(tmp_path, 2)
    openings.read(path, NOW, lambda _: None)
    assert (openings.rows, openings.points, openings.issuers, openings.bad) == (5000, {Unit.STAMPS: 25_000}, {}, [])
    again = list(openings.of_bucket(1))
    assert [opening.wallet for opening in again] == wallets[1::2]
    assert {opening.campaign for opening in again} == {'a, "b"'}
    assert again[0].line == 3
    assert list(Openings(tmp_path, 2).of_bucket(0)) == []
