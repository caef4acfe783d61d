"""What was asked of the ledger, what it answered, and the journal it left: plain data that a file can hold.

The checker reads nothing else, so it shares no code with the ledger.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NamedTuple


class Place(NamedTuple):
    """Bucket and seq."""

    bucket: int
    seq: int

    def __str__(self) -> str:
        return f"{self.bucket}-{self.seq}"

    @classmethod
    def named(cls, name: str) -> Place:
        """The place in a resource name: `partners/grocer/holds/3-17`."""
        bucket, _, seq = name.rpartition("/")[2].partition("-")
        return cls(int(bucket), int(seq))


class Balance(NamedTuple):
    """Of one unit of a wallet."""

    available: int = 0
    pending: int = 0
    held: int = 0
    debt: int = 0


@dataclass(frozen=True)
class Answer:
    """A call that was acknowledged. `body` is the whole answer as it came; a hold's answer has no hash."""

    place: Place
    points: int
    balance: Balance
    body: str
    hash: str = ""
    replay: bool = False


@dataclass(frozen=True)
class Refused:
    """A business no: its reason, and the metadata that says why."""

    reason: str
    facts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """What the journal must show of a call, as far as the caller said it."""

    kind: str
    wallet: str | None = None
    points: int | None = None
    original: Place | None = None
    receipt: str | None = None
    to: str | None = None
    issuers: dict[str, int] = field(default_factory=dict)
    issuer: str = ""
    unit: str = "POINTS"
    dry: bool = False


@dataclass
class Call:
    """One intention with its request id, however often it was sent. Times are seconds on one monotonic clock.

    `doubtful`: an attempt before the last one was left without a word, so it may have counted.
    """

    request_id: str
    verb: str
    partner: str
    asked: Asked
    called: float
    answered: float | None = None
    answer: Answer | None = None
    refused: Refused | None = None
    doubtful: bool = False
    repeats: list[Answer] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.verb} {self.request_id}"


@dataclass(frozen=True)
class Look:
    """A balance that was read."""

    wallet: str
    called: float
    answered: float
    balance: Balance


@dataclass(frozen=True)
class Entry:
    """One entry of the journal as the ledger hashed it."""

    bucket: int
    seq: int
    hash: str
    canonical: str

    @property
    def place(self) -> Place:
        return Place(self.bucket, self.seq)


@dataclass
class History:
    """Everything that happened. `wall` is what the machine's clock said when the monotonic one stood at 0.

    `at_rest`: nobody was at work any more when the journal was read, and nothing was still to come by itself.
    """

    calls: list[Call] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    journal: list[Entry] = field(default_factory=list)
    wall: float = 0.0
    at_rest: bool = False

    def save(self, path: Path) -> None:
        """One JSON object in each line."""
        with path.open("w") as file:
            for kind, item in self._items():
                file.write(json.dumps({kind: asdict(item)}) + "\n")
            file.write(json.dumps({"clock": [self.wall, self.at_rest]}) + "\n")

    def _items(self) -> Iterator[tuple[str, Call | Look | Entry]]:
        yield from (("call", call) for call in self.calls)
        yield from (("look", look) for look in self.looks)
        yield from (("entry", entry) for entry in self.journal)

    @classmethod
    def load(cls, path: Path) -> History:
        """What `save` wrote."""
        found = cls()
        with path.open() as file:
            for line in file:
                ((kind, item),) = json.loads(line).items()
                match kind:
                    case "call":
                        found.calls.append(_call(item))
                    case "look":
                        found.looks.append(Look(**{**item, "balance": Balance(*item["balance"])}))
                    case "entry":
                        found.journal.append(Entry(**item))
                    case _:
                        found.wall, found.at_rest = item
        return found


def _call(item: dict[str, object]) -> Call:
    call = Call(**item)  # type: ignore[arg-type]  # its parts are put right below
    asked: dict[str, object] = item["asked"]  # type: ignore[assignment]  # as `save` wrote it
    if asked["original"]:
        asked["original"] = Place(*asked["original"])  # type: ignore[misc]
    call.asked = Asked(**asked)  # type: ignore[arg-type]
    call.answer = _answer(item["answer"])
    call.repeats = [found for repeat in item["repeats"] if (found := _answer(repeat))]  # type: ignore[attr-defined]
    call.refused = Refused(**item["refused"]) if item["refused"] else None  # type: ignore[arg-type]
    return call


def _answer(item: object) -> Answer | None:
    if not isinstance(item, dict):
        return None
    return Answer(**{**item, "place": Place(*item["place"]), "balance": Balance(*item["balance"])})
