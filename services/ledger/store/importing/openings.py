"""Opening lots as a file tells them: one CSV row each, checked field by field, kept by bucket until they are posted."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple
from uuid import UUID

from services.ledger.domain.apply import bucket_of
from services.ledger.domain.entry import Unit
from services.ledger.domain.moment import Moment
from shared.instants import micros

COLUMNS: Final = ("wallet", "unit", "issuer", "points", "earned_at", "expires_on", "campaign", "reference")
MOST_POINTS: Final = 10**12
_ISSUER = re.compile(r"[a-z][a-z0-9-]{1,62}")
_TEXT = re.compile(r"[^\x00-\x1f\x7f-\x9f]{0,64}")
_KEPT_IN_MEMORY: Final = 2_000  # rows of one bucket, until they are appended to its file
_TOLD: Final = 200
_TELL_EVERY: Final = 50_000


class Opening(NamedTuple):
    """One lot that a member brings along. `line` is its line in the file; `earned_at` in microseconds."""

    line: int
    wallet: UUID
    unit: Unit
    issuer: str
    points: int
    earned_at: int
    expires_on: date | None
    campaign: str
    reference: str


class BadRow(NamedTuple):
    """What is wrong with one field of one line, and what to do about it."""

    line: int
    field: str
    problem: str
    remedy: str


class _Field(NamedTuple):
    name: str
    read: Callable[[str], object]
    problem: str
    remedy: str


def opening_of(line: int, row: list[str], now: Moment) -> Opening | list[BadRow]:
    """The row's lot, or everything that is wrong with it."""
    if len(row) != len(COLUMNS):
        remedy = f"Write the {len(COLUMNS)} fields {','.join(COLUMNS)}; quote a field that holds a comma."
        return [BadRow(line, "row", f"it has {len(row)} fields", remedy)]
    values: list[object] = []
    bad: list[BadRow] = []
    for field, text in zip(_fields(now), row, strict=True):
        try:
            values.append(field.read(text))
        except (ValueError, KeyError, OverflowError):
            bad.append(BadRow(line, field.name, field.problem, field.remedy))
    return bad or Opening(line, *values)  # type: ignore[arg-type]  # each reader gives what its column holds


@lru_cache(maxsize=2)
def _fields(now: Moment) -> tuple[_Field, ...]:
    """In the order of COLUMNS."""
    day = (
        f"Write a day from {now.today.isoformat()} on, or nothing for the programme's rule; leave out what has expired."
    )
    text = ("it is too long, or holds control characters", "Write at most 64 letters.")
    return (
        _Field("wallet", UUID, "it is no UUID", "Write the wallet's id as identity knows it."),
        _Field(
            "unit", lambda name: Unit[name], "there is no such unit", f"Write one of {', '.join(Unit.__members__)}."
        ),
        _Field("issuer", _matching(_ISSUER), "it is no partner id", "Write the partner's id, such as grocer."),
        _Field("points", _points, "it is no number of points", f"Write a whole number from 1 to {MOST_POINTS}."),
        _Field(
            "earned_at", _past(now.at), "it is no instant in the past", "Write it with its zone: 2024-05-31T12:00:00Z."
        ),
        _Field("expires_on", _not_before(now.today), "it is no day that is still to come", day),
        _Field("campaign", _matching(_TEXT), *text),
        _Field("reference", _matching(_TEXT), *text),
    )


def _matching(pattern: re.Pattern[str]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError
        return text

    return read


def _points(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 0 < int(text) <= MOST_POINTS:
        raise ValueError
    return int(text)


def _past(at: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        when = datetime.fromisoformat(text)
        if when.tzinfo is None or not 0 <= (found := micros(when.astimezone(UTC))) <= at:
            raise ValueError
        return found

    return read


def _not_before(today: date) -> Callable[[str], date | None]:
    def read(text: str) -> date | None:
        if not text:
            return None
        if (day := date.fromisoformat(text)) < today:
            raise ValueError
        return day

    return read


class Openings:
    """A file that was read: its digest, its totals, what is wrong with it, and its rows by bucket, in `folder`."""

    def __init__(self, folder: Path, bucket_count: int) -> None:
        self.digest = ""
        self.rows = 0
        self.points: Counter[Unit] = Counter()
        self.issuers: Counter[str] = Counter()
        self.counts: Counter[int] = Counter()  # rows of each bucket
        self.bad: list[BadRow] = []
        self.bad_rows = 0
        self._folder = folder
        self._bucket_count = bucket_count
        self._waiting: dict[int, list[Opening]] = {}

    def read(self, path: Path, now: Moment, tell: Callable[[int], None]) -> None:
        """Take the whole file in, once; memory does not grow with it. `tell` hears how many rows were read."""
        hashing = sha256()
        with path.open("rb") as file:
            lines = _hashed(file, hashing.update)
            self._read(lines, now, tell)
        self.digest = hashing.hexdigest()
        for bucket in list(self._waiting):
            self._put_away(bucket)

    def _read(self, lines: Iterator[str], now: Moment, tell: Callable[[int], None]) -> None:
        reader = csv.reader(lines, strict=True)
        try:
            if tuple(next(reader, [])) != COLUMNS:
                self.complain([BadRow(1, "header", "it names other fields", f"Begin with {','.join(COLUMNS)}")])
                return
            for row in reader:
                if not row:
                    continue
                found = opening_of(reader.line_num, row, now)
                if isinstance(found, list):
                    self.complain(found)
                else:
                    self._take(found)
                if reader.line_num % _TELL_EVERY == 0:
                    tell(reader.line_num)
        except csv.Error as error:
            self.complain([BadRow(reader.line_num, "row", str(error), "Write it as RFC 4180 says.")])
        except UnicodeDecodeError:
            self.complain([BadRow(reader.line_num + 1, "row", "it is not UTF-8", "Convert the file to UTF-8.")])

    def of_bucket(self, bucket: int) -> Iterator[Opening]:
        """The good rows of a bucket, in the order of the file."""
        if not self.counts[bucket]:
            return
        with self._file(bucket).open() as file:
            for some in file:
                for line, wallet, unit, issuer, points, earned_at, expires_on, campaign, reference in json.loads(some):
                    last_day = date.fromisoformat(expires_on) if expires_on else None
                    yield Opening(
                        line, UUID(wallet), Unit(unit), issuer, points, earned_at, last_day, campaign, reference
                    )

    def complain(self, bad: list[BadRow]) -> None:
        """Something is wrong with a row; all are counted, the first are told."""
        self.bad_rows += 1
        self.bad += bad[: max(0, _TOLD - len(self.bad))]

    def _take(self, opening: Opening) -> None:
        self.rows += 1
        self.points[opening.unit] += opening.points
        if opening.unit is Unit.POINTS:
            self.issuers[opening.issuer] += opening.points
        bucket = bucket_of(opening.wallet, self._bucket_count)
        self.counts[bucket] += 1
        waiting = self._waiting.setdefault(bucket, [])
        waiting.append(opening)
        if len(waiting) >= _KEPT_IN_MEMORY:
            self._put_away(bucket)

    def _put_away(self, bucket: int) -> None:
        with self._file(bucket).open("a") as file:
            file.write(json.dumps(self._waiting.pop(bucket), default=str) + "\n")  # ids and days as text

    def _file(self, bucket: int) -> Path:
        return self._folder / str(bucket)


def _hashed(file: Iterator[bytes], update: Callable[[bytes], None]) -> Iterator[str]:
    for line in file:
        update(line)
        yield line.decode()
